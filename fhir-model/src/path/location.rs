//! [`Location`]: where in a resource an element stands that an expression gave, so that it can be changed there.
//!
//! Invariant: an element is known by its address and type alone, so equal elements of a list are told apart.

use std::fmt;

use crate::reflect::{Complex, Node, Nodes, TypeInfo};

/// The steps from a resource, or any complex value, down to an element; none for the value itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Location(Vec<Step>);

/// One step of a [`Location`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The type that has the element.
    pub holder: &'static TypeInfo,
    /// The element's name in a path: a choice has its stem (`value`).
    pub element: &'static str,
    /// The name in JSON and XML: a choice has its type's (`valueQuantity`).
    pub name: &'static str,
    /// The place in the list, where the element repeats.
    pub index: Option<usize>,
    /// Whether the element is a primitive; steps below it go into its id and extensions.
    pub primitive: bool,
}

impl Location {
    /// Where that element stands below `root`; `None` where it is no part of it.
    pub fn of(root: &dyn Complex, element: Node<'_>) -> Option<Location> {
        let mut steps = Vec::new();
        let wanted = Identity::of(element);
        let found = wanted == Identity::of(Node::Complex(root)) || find(root, wanted, &mut steps);
        found.then_some(Location(steps))
    }

    /// The steps, the outermost first.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The location of what holds it, and its last step; `None` for the root itself.
    pub fn split_last(mut self) -> Option<(Location, Step)> {
        let last = self.0.pop()?;
        Some((self, last))
    }

    /// The location as a FHIRPath that starts at a type's name.
    pub fn below(&self, root: &str) -> String {
        format!("{root}{self}")
    }
}

/// As a FHIRPath without its start: `.name[0].given[1]`.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.0 {
            write!(f, ".{}", step.element)?;
            if let Some(index) = step.index {
                write!(f, "[{index}]")?;
            }
        }
        Ok(())
    }
}

/// What tells one element from all others: a struct and its first field share an address, but not a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    address: usize,
    type_name: &'static str,
    primitive: bool,
}

impl Identity {
    fn of(node: Node<'_>) -> Self {
        let (address, primitive) = match node {
            Node::Complex(complex) => (std::ptr::from_ref(complex).addr(), false),
            Node::Primitive(_, primitive) => (std::ptr::from_ref(primitive).addr(), true),
        };
        Identity {
            address,
            type_name: node.type_name(),
            primitive,
        }
    }
}

/// Looks for the element below a value; the steps down to it stay on `steps`.
fn find(within: &dyn Complex, wanted: Identity, steps: &mut Vec<Step>) -> bool {
    let info = within.type_info();
    for (at, field) in info.fields.iter().enumerate() {
        let nodes = Nodes::of(within, at);
        let name = nodes.name;
        for (index, node) in nodes.enumerate() {
            let primitive = matches!(node, Node::Primitive(..));
            steps.push(Step {
                holder: info,
                element: field.name,
                name,
                index: field.is_list().then_some(index),
                primitive,
            });
            let below = match node {
                Node::Complex(complex) => Some(complex),
                Node::Primitive(_, primitive) => primitive.extras().map(|e| e as &dyn Complex),
            };
            if Identity::of(node) == wanted || below.is_some_and(|below| find(below, wanted, steps)) {
                return true;
            }
            steps.pop();
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;
    use crate::path::{Environment, Expression};

    const PATIENT: &str = r#"{"resourceType":"Patient","id":"p","contained":[{"resourceType":"Basic","id":"b"}],
        "extension":[{"url":"a:b","valueQuantity":{"value":1.50}}],"name":[{"given":["Amy","Amy"]},{"given":["Amy"],
        "_given":[{"extension":[{"url":"a:c","valueString":"x"}]}]}],"birthDate":"1990-01-01",
        "_birthDate":{"id":"d"},"deceasedBoolean":false}"#;

    fn located(path: &str) -> Vec<String> {
        let patient = json::from_str(PATIENT).unwrap();
        let environment = Environment::new();
        let expression = Expression::compile(path).unwrap();
        let found = expression.evaluate(&patient, &environment).unwrap();
        let location = |value: &crate::path::Value<'_>| {
            let place = value
                .node()
                .and_then(|node| Location::of(patient.as_complex(), node));
            place.map_or_else(|| "nowhere".to_owned(), |place| place.below("Patient"))
        };
        found.iter().map(location).collect()
    }

    #[test]
    fn each_element_is_found_where_it_stands() {
        for (path, expected) in [
            ("Patient", &["Patient"][..]),
            ("Patient.id", &["Patient.id"]),
            ("contained.id", &["Patient.contained[0].id"]),
            (
                "name.given",
                &[
                    "Patient.name[0].given[0]",
                    "Patient.name[0].given[1]",
                    "Patient.name[1].given[0]",
                ],
            ),
            (
                "name.last().given.extension.value",
                &["Patient.name[1].given[0].extension[0].value"],
            ),
            (
                "extension.where(url = 'a:b').value.value",
                &["Patient.extension[0].value.value"],
            ),
            ("birthDate.id", &["Patient.birthDate.id"]),
            ("deceased", &["Patient.deceased"]),
            ("name.given.count()", &["nowhere"]),
        ] {
            assert_eq!(located(path), expected, "{path}");
        }
    }

    #[test]
    fn steps_have_the_names_of_json() {
        let patient = json::from_str(PATIENT).unwrap();
        let environment = Environment::new();
        let expression = Expression::compile("deceased").unwrap();
        let found = expression.evaluate(&patient, &environment).unwrap();
        let node = found.first().and_then(|v| v.node()).unwrap();
        let (parent, last) = Location::of(patient.as_complex(), node)
            .and_then(Location::split_last)
            .unwrap();
        assert_eq!(parent, Location::default());
        assert_eq!(
            (last.element, last.name, last.index),
            ("deceased", "deceasedBoolean", None)
        );
    }
}
