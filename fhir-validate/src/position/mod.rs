//! Lines and columns of findings, from the text that a resource was read from.
//!
//! A place is a path from the root. Where what it names is not in the text, as for an element that is missing, the finding
//! stands at the innermost element around it.
//!
//! Invariant: the text is passed over once, whatever the number of findings, and never parsed into values.

mod json;
mod xml;

use crate::finding::Finding;

/// Gives each finding that has none its line and column in the text, JSON or XML. `root` is the path of the resource
/// that was validated, where the text holds more: `Parameters.parameter[0].resource`; empty where it is the whole text.
///
/// ```
/// use fhir_model::read::ReadOptions;
/// use fhir_validate::{Validator, position};
///
/// let text = b"{\"resourceType\": \"Patient\",\n  \"contact\": [{\"id\": \"a\"}]}";
/// let patient = fhir_model::json::from_slice(text).unwrap();
/// let mut findings = Validator::builder().build().validate(&patient);
/// position::find(text, "", &mut findings);
/// // What is amiss with the contact is told at its brace.
/// assert!(findings.iter().any(|f| f.position == Some((2, 15))), "{findings:?}");
/// ```
pub fn find(text: &[u8], root: &str, findings: &mut [Finding]) {
    if findings.iter().all(|f| f.position.is_some()) {
        return;
    }
    let mut tree = Tree::default();
    let places: Vec<usize> = findings
        .iter()
        .map(|finding| {
            let below = finding.expression.split_once('.').map_or("", |(_, below)| below);
            let root = root.split_once('.').map_or("", |(_, below)| below);
            tree.add(&steps(&[root, below]))
        })
        .collect();
    let is_xml = text.iter().find(|b| !b.is_ascii_whitespace() && **b < 0x80) == Some(&b'<');
    match is_xml {
        true => xml::scan(text, &mut tree),
        false => json::scan(text, &mut tree),
    }
    let offsets: Vec<Option<usize>> = places.into_iter().map(|place| tree.offset(place)).collect();
    let positions = lines(text, &offsets);
    for (finding, position) in findings.iter_mut().zip(positions) {
        if finding.position.is_none() {
            finding.position = position;
        }
    }
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    name: String,
    /// Where the element repeats.
    index: Option<usize>,
    /// The type of a choice, as it stands in the name: `Quantity`, `DateTime`.
    suffix: Option<String>,
}

/// The steps of paths that follow each other.
fn steps(paths: &[&str]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for part in paths.iter().flat_map(|p| p.split('.')).filter(|p| !p.is_empty()) {
        if let Some(kind) = part.strip_prefix("ofType(").and_then(|p| p.strip_suffix(')')) {
            if let Some(last) = steps.last_mut() {
                last.suffix = Some(capitalised(kind));
            }
            continue;
        }
        let (name, index) = match part.split_once('[') {
            Some((name, rest)) => (name, rest.strip_suffix(']').and_then(|i| i.parse().ok())),
            None => (part, None),
        };
        steps.push(Step {
            name: name.to_owned(),
            index,
            suffix: None,
        });
    }
    steps
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters
        .next()
        .map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
        .unwrap_or_default()
}

impl Step {
    /// Whether a member or element of the text is the one, whatever its index.
    fn is_named(&self, name: &str) -> bool {
        let Some(rest) = name.strip_prefix(self.name.as_str()) else {
            return false;
        };
        match &self.suffix {
            Some(suffix) => rest == suffix,
            None => rest.is_empty(),
        }
    }
}

/// The places that are looked for, each below the one around it.
#[derive(Debug)]
struct Tree {
    nodes: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    step: Step,
    parent: usize,
    children: Vec<usize>,
    offset: Option<usize>,
}

/// The resource itself.
const ROOT: usize = 0;

impl Default for Tree {
    fn default() -> Self {
        let root = Place {
            step: Step {
                name: String::new(),
                index: None,
                suffix: None,
            },
            parent: ROOT,
            children: Vec::new(),
            offset: None,
        };
        Tree { nodes: vec![root] }
    }
}

impl Tree {
    fn add(&mut self, steps: &[Step]) -> usize {
        let mut at = ROOT;
        for step in steps {
            let known = self
                .children(at)
                .find(|(_, known)| *known == step)
                .map(|(id, _)| id);
            at = known.unwrap_or_else(|| self.push(at, step));
        }
        at
    }

    fn push(&mut self, parent: usize, step: &Step) -> usize {
        let new = self.nodes.len();
        self.nodes.push(Place {
            step: step.clone(),
            parent,
            children: Vec::new(),
            offset: None,
        });
        if let Some(place) = self.nodes.get_mut(parent) {
            place.children.push(new);
        }
        new
    }

    fn children(&self, of: usize) -> impl Iterator<Item = (usize, &Step)> {
        let ids = self.nodes.get(of).map_or(&[][..], |place| &place.children);
        ids.iter()
            .filter_map(|id| Some((*id, &self.nodes.get(*id)?.step)))
    }

    /// The place below with that name and index. One that repeats is also found by its first where no index is asked for.
    fn child(&self, of: usize, name: &str, index: usize) -> Option<usize> {
        let mut children = self.children(of);
        let fits = |step: &Step| step.is_named(name) && step.index.unwrap_or(0) == index;
        children.find(|(_, step)| fits(step)).map(|(id, _)| id)
    }

    /// Whether any place below has that name.
    fn looks_for(&self, of: usize, name: &str) -> bool {
        self.children(of).any(|(_, step)| step.is_named(name))
    }

    /// Notes where a place begins; the first time counts.
    fn found(&mut self, place: usize, offset: usize) {
        if let Some(place) = self.nodes.get_mut(place) {
            place.offset.get_or_insert(offset);
        }
    }

    /// Where a place begins, or the innermost around it.
    fn offset(&self, mut place: usize) -> Option<usize> {
        loop {
            let node = self.nodes.get(place)?;
            if node.offset.is_some() || place == ROOT {
                return node.offset;
            }
            place = node.parent;
        }
    }
}

/// Lines and columns of offsets, both from 1, the column in characters.
fn lines(text: &[u8], offsets: &[Option<usize>]) -> Vec<Option<(u32, u32)>> {
    let mut order: Vec<usize> = offsets.iter().flatten().copied().collect();
    order.sort_unstable();
    order.dedup();
    let (mut line, mut column, mut at) = (1u32, 1u32, 0usize);
    let mut known = Vec::with_capacity(order.len());
    for offset in order {
        for byte in text.get(at..offset).unwrap_or_default() {
            if *byte == b'\n' {
                line = line.saturating_add(1);
                column = 1;
            } else if *byte & 0xC0 != 0x80 {
                column = column.saturating_add(1);
            }
        }
        at = offset;
        known.push((offset, (line, column)));
    }
    let position = |offset: &Option<usize>| {
        let place = known
            .binary_search_by_key(&(*offset)?, |(offset, _)| *offset)
            .ok()?;
        known.get(place).map(|(_, position)| *position)
    };
    offsets.iter().map(position).collect()
}

#[cfg(test)]
mod tests;
