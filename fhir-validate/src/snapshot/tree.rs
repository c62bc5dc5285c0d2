//! Elements of a definition as a tree: [`Node`].

use serde_json::Value;

use crate::definition::{Facts, text};

/// An element, its children, and its slices.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    /// The last part of its path.
    pub(crate) name: String,
    pub(crate) slice: Option<String>,
    pub(crate) facts: Facts,
    pub(crate) children: Vec<Node>,
    pub(crate) slices: Vec<Node>,
}

/// One part of a path: a name, and the slice that is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment<'e> {
    pub(crate) name: &'e str,
    pub(crate) slice: Option<&'e str>,
}

/// The paths of elements in order. What follows a slice with a longer path belongs to the slice.
pub(crate) fn segments(elements: &[Facts]) -> Vec<(Vec<Segment<'_>>, &Facts)> {
    let mut all: Vec<(Vec<Segment<'_>>, &Facts)> = Vec::with_capacity(elements.len());
    for facts in elements {
        let Some(path) = text(facts, "path") else { continue };
        let names: Vec<&str> = path.split('.').collect();
        let previous = all.last().map(|(p, _)| p.as_slice()).unwrap_or_default();
        let mut follows = true;
        let mut segments = Vec::with_capacity(names.len());
        for (index, name) in names.iter().enumerate() {
            let before = previous.get(index).filter(|p| follows && p.name == *name);
            follows = before.is_some();
            let is_last = index + 1 == names.len();
            let slice = if is_last {
                text(facts, "sliceName").filter(|_| index > 0)
            } else {
                before.and_then(|p| p.slice)
            };
            segments.push(Segment { name, slice });
        }
        all.push((segments, facts));
    }
    all
}

impl Node {
    /// The tree of a snapshot; `None` where there are no elements. Elements without a parent are left out.
    pub(crate) fn build(elements: &[Facts]) -> Option<Node> {
        let mut all = segments(elements).into_iter();
        let (path, facts) = all.next()?;
        let mut root = Node {
            name: path.first()?.name.to_owned(),
            facts: facts.clone(),
            ..Node::default()
        };
        for (path, facts) in all {
            root.place(path.get(1..).unwrap_or_default(), facts);
        }
        Some(root)
    }

    fn place(&mut self, path: &[Segment<'_>], facts: &Facts) {
        let Some((step, rest)) = path.split_first() else {
            return;
        };
        let index = self.children.iter().rposition(|c| c.name == step.name);
        if rest.is_empty() && (index.is_none() || step.slice.is_none()) {
            self.children.push(Node {
                name: step.name.to_owned(),
                slice: step.slice.map(str::to_owned),
                facts: facts.clone(),
                ..Node::default()
            });
            return;
        }
        let Some(head) = index.and_then(|i| self.children.get_mut(i)) else {
            return;
        };
        match step.slice {
            Some(slice) if head.slice.as_deref() != Some(slice) => head.place_slice(slice, rest, facts),
            _ => head.place(rest, facts),
        }
    }

    fn place_slice(&mut self, slice: &str, rest: &[Segment<'_>], facts: &Facts) {
        if let Some(index) = self.slice_named(slice) {
            if let Some(node) = self.slices.get_mut(index) {
                node.place(rest, facts);
            }
            return;
        }
        let parent = self
            .slices
            .iter()
            .position(|s| is_within(slice, s.slice.as_deref().unwrap_or_default()));
        if let Some(parent) = parent.and_then(|i| self.slices.get_mut(i)) {
            parent.place_slice(slice, rest, facts);
        } else if rest.is_empty() {
            let (name, slice) = (self.name.clone(), Some(slice.to_owned()));
            self.slices.push(Node {
                name,
                slice,
                facts: facts.clone(),
                ..Node::default()
            });
        }
    }

    /// The index of the slice of that name.
    pub(crate) fn slice_named(&self, name: &str) -> Option<usize> {
        self.slices.iter().position(|s| s.slice.as_deref() == Some(name))
    }

    /// The element with that id, such as `Questionnaire.item` or `Patient.name:official.family`, below this root.
    pub(crate) fn find_id(&self, id: &str) -> Option<&Node> {
        let mut names = id.split('.');
        names.next()?;
        names.try_fold(self, |node, part| {
            let (name, slice) = part.split_once(':').map_or((part, None), |(n, s)| (n, Some(s)));
            let head = node.children.iter().find(|c| c.name == name)?;
            match slice {
                Some(slice) => head.slices.get(head.slice_named(slice)?),
                None => Some(head),
            }
        })
    }

    /// How many elements there are, this one with them.
    pub(crate) fn count(&self) -> usize {
        1 + self
            .children
            .iter()
            .chain(&self.slices)
            .map(Node::count)
            .sum::<usize>()
    }

    /// Writes the elements in order, each with its id and path.
    pub(crate) fn flatten(&self, path: &str, id: &str, out: &mut Vec<Facts>) {
        let join = |before: &str| {
            if before.is_empty() {
                self.name.clone()
            } else {
                format!("{before}.{}", self.name)
            }
        };
        let (own_path, mut own_id) = (join(path), join(id));
        if let Some(slice) = &self.slice {
            own_id = format!("{own_id}:{slice}");
        }
        let mut facts = self.facts.clone();
        facts.insert("id".into(), Value::from(own_id.clone()));
        facts.insert("path".into(), Value::from(own_path.clone()));
        out.push(facts);
        for child in &self.children {
            child.flatten(&own_path, &own_id, out);
        }
        for slice in &self.slices {
            slice.flatten(path, id, out);
        }
    }
}

/// Whether a slice is one of another slice: `a/b` of `a`.
fn is_within(slice: &str, parent: &str) -> bool {
    slice
        .strip_prefix(parent)
        .is_some_and(|rest| rest.starts_with('/'))
}
