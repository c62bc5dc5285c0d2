//! How slices are told apart: discriminators, worked out for each slice
//! (<https://hl7.org/fhir/R4/profiling.html#discriminator>).

use serde_json::Value;

use super::facts;
use super::{Strength, TypeRule};
use crate::definition::{Facts, Store, choice, list, short_type};
use crate::snapshot::Node;

/// One step of a discriminator's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Child(String),
    Extension(String),
    Resolve,
    OfType(String),
}

/// One thing that a value of a slice must show.
#[derive(Clone, Debug)]
pub(crate) struct Matcher {
    pub(crate) path: Vec<Step>,
    pub(crate) test: Test,
}

/// What the values at a discriminator's path must be.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    /// One equals it.
    Fixed(Value),
    /// One contains it.
    Pattern(Value),
    /// One is in the value set.
    InValueSet(String),
    /// One is of one of the types.
    Types(Vec<String>),
    /// One conforms to one of the profiles.
    Profiles(Vec<String>),
    /// There is one, or there is none.
    Exists(bool),
}

/// How values of a slice are told: all must hold. Empty where the definition does not say.
pub(super) fn matchers(slice: &Node, slicing: &Facts, store: &Store) -> Vec<Matcher> {
    let mut all = Vec::new();
    for discriminator in list(slicing.get("slicing").and_then(|s| s.get("discriminator"))) {
        let text = |name: &str| {
            discriminator
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let path = steps(text("path"));
        let found = Spot::of(slice).follow(&path, store);
        match text("type") {
            "value" | "pattern" => all.extend(values(&path, &found)),
            "type" => all.extend(found.types(&path)),
            "profile" => all.extend(found.profiles(&path)),
            "exists" => all.extend(found.exists(&path)),
            _ => {}
        }
    }
    all
}

/// The steps of a path of the restricted language that discriminators use.
fn steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = path.trim();
    while !rest.is_empty() {
        let end = end_of_step(rest);
        let (step, after) = rest.split_at(end);
        rest = after.trim_start_matches('.');
        let argument = |name: &str| {
            let inner = step.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')')?;
            Some(inner.trim_matches(|c| c == '\'' || c == '"').to_owned())
        };
        if step == "$this" || step.is_empty() {
            continue;
        } else if let Some(url) = argument("extension") {
            steps.push(Step::Extension(url));
        } else if step == "resolve()" {
            steps.push(Step::Resolve);
        } else if let Some(kind) = argument("ofType").or_else(|| argument("as")) {
            steps.push(Step::OfType(
                short_type(kind.strip_prefix("FHIR.").unwrap_or(&kind)).to_owned(),
            ));
        } else {
            steps.push(Step::Child(step.trim_end_matches("[x]").to_owned()));
        }
    }
    steps
}

/// Up to the next dot outside parentheses.
fn end_of_step(path: &str) -> usize {
    let mut depth = 0usize;
    for (index, character) in path.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '.' if depth == 0 => return index,
            _ => {}
        }
    }
    path.len()
}

/// The places in definitions that a path leads to: the element itself, or slices of it.
struct Spot {
    nodes: Vec<Node>,
    /// Types that a step through `resolve()` allows.
    targets: Option<Vec<String>>,
}

impl Spot {
    fn of(node: &Node) -> Spot {
        Spot {
            nodes: vec![node.clone()],
            targets: None,
        }
    }

    fn follow(mut self, path: &[Step], store: &Store) -> Spot {
        for step in path {
            match step {
                Step::Resolve => {
                    let targets = self
                        .nodes
                        .iter()
                        .flat_map(|n| facts::types(&n.facts))
                        .flat_map(|t| t.targets);
                    self.targets = Some(targets.collect());
                    self.nodes.clear();
                }
                Step::OfType(_) => {}
                Step::Child(name) => self.step(store, |child| child.name.trim_end_matches("[x]") == name),
                Step::Extension(url) => {
                    let is_it = |child: &Node| {
                        child.name == "extension"
                            && facts::types(&child.facts)
                                .iter()
                                .any(|t| t.profiles.iter().any(|p| p.split('|').next() == Some(url)))
                    };
                    self.step(store, is_it);
                }
            }
        }
        self
    }

    fn step(&mut self, store: &Store, is_meant: impl Fn(&Node) -> bool) {
        let from = match self.targets.take() {
            // What a reference points to is described by the profiles that it may point to.
            Some(targets) => targets.iter().filter_map(|t| tree_of(t, store)).collect(),
            None => std::mem::take(&mut self.nodes),
        };
        for node in from {
            let mut children = below(&node, &is_meant);
            // What the element's own profile says of it counts as well.
            for profile in facts::types(&node.facts).iter().flat_map(|t| &t.profiles) {
                children.extend(tree_of(profile, store).iter().flat_map(|t| below(t, &is_meant)));
            }
            self.nodes.extend(children);
        }
    }

    fn types(&self, path: &[Step]) -> Option<Matcher> {
        let types = match &self.targets {
            Some(targets) => targets.clone(),
            None => self
                .nodes
                .iter()
                .flat_map(|n| facts::types(&n.facts))
                .map(|t| t.code)
                .collect(),
        };
        (!types.is_empty()).then(|| Matcher {
            path: path.to_vec(),
            test: Test::Types(types),
        })
    }

    fn profiles(&self, path: &[Step]) -> Option<Matcher> {
        let profiles = match &self.targets {
            Some(targets) => targets.clone(),
            None => self
                .nodes
                .iter()
                .flat_map(|n| facts::types(&n.facts))
                .flat_map(|t| t.profiles)
                .collect::<Vec<_>>(),
        };
        (!profiles.is_empty()).then(|| Matcher {
            path: path.to_vec(),
            test: Test::Profiles(profiles),
        })
    }

    fn exists(&self, path: &[Step]) -> Option<Matcher> {
        let (min, max) = self.nodes.first().map(|n| facts::cardinality(&n.facts))?;
        let exists = match (min, max) {
            (_, 0) => false,
            (1.., _) => true,
            _ => return None,
        };
        Some(Matcher {
            path: path.to_vec(),
            test: Test::Exists(exists),
        })
    }
}

fn below(node: &Node, is_meant: impl Fn(&Node) -> bool) -> Vec<Node> {
    let children = node
        .children
        .iter()
        .filter(|c| c.name.trim_end_matches("[x]") == "extension" || is_meant(c));
    children
        .flat_map(|c| std::iter::once(c).chain(&c.slices))
        .filter(|c| is_meant(c))
        .cloned()
        .collect()
}

fn tree_of(profile: &str, store: &Store) -> Option<Node> {
    let (url, part) = profile
        .split_once('#')
        .map_or((profile, None), |(u, p)| (u, Some(p)));
    let held = store.get_any_version(url)?;
    let tree = Node::build(held.snapshot(&mut Vec::new()).ok()?)?;
    match part {
        Some(id) => tree.find_id(id).cloned(),
        None => Some(tree),
    }
}

/// What is said about the values at a path: on the element itself, on its slices, or on its parts.
fn values(path: &[Step], spot: &Spot) -> Vec<Matcher> {
    let mut all = Vec::new();
    // An element that must be absent tells slices apart too.
    if let Some(exists) = spot
        .exists(path)
        .filter(|m| matches!(m.test, Test::Exists(false)))
    {
        return vec![exists];
    }
    for node in &spot.nodes {
        own_values(path, node, &mut all, 0);
    }
    if all.is_empty() && spot.targets.is_some() {
        all.extend(spot.types(path));
    }
    all
}

fn own_values(path: &[Step], node: &Node, all: &mut Vec<Matcher>, depth: usize) {
    let mut push = |test| {
        all.push(Matcher {
            path: path.to_vec(),
            test,
        })
    };
    if let Some((_, value)) = choice(&node.facts, "fixed") {
        return push(Test::Fixed(value.clone()));
    }
    if let Some((_, value)) = choice(&node.facts, "pattern") {
        return push(Test::Pattern(value.clone()));
    }
    let before = all.len();
    if depth < 6 {
        for child in node
            .children
            .iter()
            .flat_map(|c| std::iter::once(c).chain(&c.slices))
        {
            let (min, _) = facts::cardinality(&child.facts);
            if min == 0 && child.slice.is_some() {
                continue;
            }
            let mut deeper = path.to_vec();
            deeper.push(Step::Child(child.name.trim_end_matches("[x]").to_owned()));
            own_values(&deeper, child, all, depth + 1);
        }
    }
    if all.len() > before {
        return;
    }
    let required = facts::bindings(&node.facts)
        .into_iter()
        .find(|b| b.strength == Strength::Required);
    if let Some(binding) = required
        && depth == 0
    {
        all.push(Matcher {
            path: path.to_vec(),
            test: Test::InValueSet(binding.value_set),
        });
    }
}

/// Whether two lists of types are the same.
pub(super) fn same_types(a: &[TypeRule], b: &[TypeRule]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| x == y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cut_into_steps() {
        let child = |name: &str| Step::Child(name.into());
        assert_eq!(steps("$this"), []);
        assert_eq!(steps("code.coding"), [child("code"), child("coding")]);
        assert_eq!(steps("$this.resolve()"), [Step::Resolve]);
        assert_eq!(
            steps("extension('http://a.b/c').value.ofType(Coding).code"),
            [
                Step::Extension("http://a.b/c".into()),
                child("value"),
                Step::OfType("Coding".into()),
                child("code")
            ]
        );
    }
}
