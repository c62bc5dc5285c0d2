//! [`Leaf`]: the element that the path of a search parameter ends at, told from the definitions alone.
//!
//! What a value is compared with may depend on the element that holds it: a `code` implies the system of its binding
//! (<https://hl7.org/fhir/R4/search.html#token>), a `canonical` is followed by URL, `:of-type` is for identifiers.

use fhir_model::definitions::implied_system;
use fhir_model::reflect::{Field, PrimitiveType, Shape, TypeInfo};

/// An element, and which of its types is meant where it is a choice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaf {
    root: &'static TypeInfo,
    owner: &'static TypeInfo,
    field: &'static Field,
    chosen: Option<&'static Shape>,
}

impl Leaf {
    /// The element at the end of a path that begins with the name of a type; `None` where the expression is no plain path.
    pub(crate) fn of(path: &str) -> Option<Leaf> {
        let (path, cast) = uncast(path);
        let mut steps = steps(path);
        let root = fhir_model::type_info(steps.next()?)?;
        walk(root, steps, cast)
    }

    /// The element at the end of a path from a value of that type.
    pub(crate) fn below(context: &'static TypeInfo, path: &str) -> Option<Leaf> {
        let (path, cast) = uncast(path);
        walk(context, steps(path), cast)
    }

    /// The elements of all the branches of a parameter's expression that are plain paths.
    pub(crate) fn all(expression: &str) -> impl Iterator<Item = Leaf> {
        expression.split(" | ").filter_map(Leaf::of)
    }

    /// Whether the path begins with that type.
    pub(crate) fn is_of(&self, type_name: &str) -> bool {
        self.root.name == type_name
    }

    /// Whether it is that element of that type.
    pub(crate) fn is_element(&self, owner: &TypeInfo, name: &str) -> bool {
        self.owner == owner && self.field.name == name
    }

    /// The datatype or backbone element that it holds.
    pub(crate) fn complex(&self) -> Option<&'static TypeInfo> {
        match self.shape() {
            Shape::Complex(info) => Some(info),
            _ => None,
        }
    }

    /// The primitive that it holds.
    pub(crate) fn primitive(&self) -> Option<PrimitiveType> {
        match self.shape() {
            Shape::Primitive(primitive) => Some(*primitive),
            _ => None,
        }
    }

    /// The system that its codes are from, where it is a `code` that implies one.
    pub(crate) fn system(&self) -> Option<&'static str> {
        match self.primitive()? {
            PrimitiveType::Code => implied_system(self.owner.name, self.field.name),
            _ => None,
        }
    }

    fn shape(&self) -> &'static Shape {
        self.chosen.unwrap_or(&self.field.shape)
    }

    /// The same element, of its types that one.
    fn cast(self, type_name: &str) -> Option<Leaf> {
        match &self.field.shape {
            Shape::Choice(variants) => {
                let variant = variants.iter().find(|variant| variant.type_name == type_name)?;
                let chosen = Some(&variant.shape);
                Some(Leaf { chosen, ..self })
            }
            _ => Some(self),
        }
    }
}

fn walk<'p>(
    root: &'static TypeInfo,
    steps: impl Iterator<Item = &'p str>,
    cast: Option<&str>,
) -> Option<Leaf> {
    let mut leaf: Option<Leaf> = None;
    for step in steps {
        if let Some((function, argument)) = step.strip_suffix(')').and_then(|step| step.split_once('(')) {
            leaf = match function {
                "where" => leaf,
                "as" | "ofType" => leaf?.cast(argument.trim()),
                _ => return None,
            };
            continue;
        }
        let owner = match leaf {
            Some(leaf) => leaf.complex()?,
            None => root,
        };
        let (_, field) = owner.field(step.trim())?;
        leaf = Some(Leaf {
            root,
            owner,
            field,
            chosen: None,
        });
    }
    match cast {
        Some(type_name) => leaf?.cast(type_name),
        None => leaf,
    }
}

/// A path without the parentheses around it, and the type after its `as`.
fn uncast(path: &str) -> (&str, Option<&str>) {
    let path = path.trim();
    let inner = path
        .strip_prefix('(')
        .and_then(|path| path.strip_suffix(')'))
        .unwrap_or(path);
    match inner.rsplit_once(" as ") {
        Some((path, type_name)) => (path.trim(), Some(type_name.trim())),
        None => (inner.trim(), None),
    }
}

/// What stands between the dots that are in no parentheses.
fn steps(path: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    path.split(move |c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == '.' && depth == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir_model::definitions::{SearchParamType, search_parameters};

    #[test]
    fn a_path_ends_at_an_element() {
        let system = |path: &str| Leaf::of(path).and_then(|leaf| leaf.system());
        assert_eq!(
            system("Patient.gender"),
            Some("http://hl7.org/fhir/administrative-gender")
        );
        assert_eq!(
            system("Patient.contact.where(name.exists()).gender"),
            Some("http://hl7.org/fhir/administrative-gender")
        );
        assert_eq!(system("Patient.name"), None);
        let name = |path: &str| {
            Leaf::of(path)
                .and_then(|leaf| leaf.complex())
                .map(|info| info.name)
        };
        assert_eq!(
            name("(Composition.relatesTo.target as Identifier)"),
            Some("Identifier")
        );
        assert_eq!(
            name("Group.characteristic.value.as(CodeableConcept)"),
            Some("CodeableConcept")
        );
        assert_eq!(name("Patient.identifier"), Some("Identifier"));
        for path in ["Patient.nothing", "Nothing.id", "Patient.name.given.first()", ""] {
            assert!(Leaf::of(path).is_none(), "{path}");
        }
    }

    #[test]
    fn nearly_every_token_of_r4_is_of_an_element() {
        let tokens = search_parameters()
            .iter()
            .filter(|p| p.type_ == SearchParamType::Token);
        let branches = tokens.filter_map(|p| p.expression).flat_map(|e| e.split(" | "));
        let odd: Vec<&str> = branches.filter(|path| Leaf::of(path).is_none()).collect();
        // `Resource` is no type of the tables, and R4 has no `DeviceDefinition.classification`; whether somebody has died is asked of two
        // types of element.
        assert!(
            odd.iter().all(
                |path| ["Resource.", "DeviceDefinition.classification", "Patient.deceased"]
                    .iter()
                    .any(|odd| path.starts_with(odd))
            ),
            "{odd:?}"
        );
    }
}
