//! [`Place`]: where a walk is in a resource.

use fhir_model::reflect::{Complex, Field, Nodes, Shape, TypeInfo};

/// One step of a path: the element's name as FHIRPath has it, its index where the element repeats, and its type where
/// it is a choice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    name: &'static str,
    index: Option<usize>,
    of_type: Option<&'static str>,
}

impl Step {
    /// The step to one value of a field.
    pub(crate) fn to(value: &dyn Complex, index: usize, field: &'static Field, position: usize) -> Step {
        let of_type = match (&field.shape, value.slot(index)) {
            (Shape::Choice(variants), fhir_model::reflect::Slot::Choice(variant, _)) => {
                variants.get(variant).map(|v| v.type_name)
            }
            _ => None,
        };
        Step {
            name: field.name,
            index: field.is_list().then_some(position),
            of_type,
        }
    }

    /// The step to an extension of a primitive, or to one field by its name.
    pub(crate) fn named(name: &'static str, index: Option<usize>) -> Step {
        Step {
            name,
            index,
            of_type: None,
        }
    }
}

/// A place in a resource: the type of the root, and the steps from it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    root: &'static str,
    steps: Vec<Step>,
}

impl Place {
    pub(crate) fn new(root: &'static TypeInfo) -> Place {
        Place {
            root: root.name,
            steps: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, step: Step) {
        self.steps.push(step);
    }

    pub(crate) fn pop(&mut self) -> Option<Step> {
        self.steps.pop()
    }

    pub(crate) fn depth(&self) -> usize {
        self.steps.len()
    }

    /// The place as a FHIRPath.
    pub(crate) fn expression(&self) -> String {
        let mut text = self.root.to_owned();
        for step in &self.steps {
            text.push('.');
            text.push_str(step.name);
            if let Some(index) = step.index {
                text.push_str(&format!("[{index}]"));
            }
            if let Some(kind) = step.of_type {
                text.push_str(&format!(".ofType({kind})"));
            }
        }
        text
    }
}

/// The values of the field of that name.
pub(crate) fn nodes_of<'a>(value: &'a dyn Complex, name: &str) -> Option<Nodes<'a>> {
    let (index, _) = value.type_info().field(name)?;
    Some(Nodes::of(value, index))
}

/// The complex values of the field of that name.
pub(crate) fn complexes<'a>(value: &'a dyn Complex, name: &str) -> impl Iterator<Item = &'a dyn Complex> {
    nodes_of(value, name)
        .into_iter()
        .flatten()
        .filter_map(|node| match node {
            fhir_model::reflect::Node::Complex(complex) => Some(complex),
            fhir_model::reflect::Node::Primitive(..) => None,
        })
}

/// The text of the one primitive of that name.
pub(crate) fn text_of<'a>(value: &'a dyn Complex, name: &str) -> Option<&'a str> {
    match nodes_of(value, name)?.next()? {
        fhir_model::reflect::Node::Primitive(_, primitive) => match primitive.scalar()? {
            fhir_model::primitive::Scalar::String(text) => Some(text),
            _ => None,
        },
        fhir_model::reflect::Node::Complex(_) => None,
    }
}
