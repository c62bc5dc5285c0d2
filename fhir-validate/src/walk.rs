//! The one walk over a resource that all layers share.
//!
//! Invariant: the walk ends after as many findings as are asked for, and its memory grows with the depth only.

use fhir_model::reflect::{Complex, Node, Nodes};

use crate::finding::Finding;
use crate::{LAYERS, Layer};

/// Where the walk is, and what was found so far.
pub(crate) struct Place<'w> {
    layer: &'static Layer,
    path: &'w [Step],
    root: &'static str,
    findings: &'w mut Vec<Finding>,
    max: usize,
}

impl Place<'_> {
    /// Something is wrong with the value that is looked at.
    pub(crate) fn find(&mut self, message: impl Into<String>) {
        let expression = self.expression();
        self.push(expression, message.into());
    }

    /// Something is wrong with an element of the value that is looked at.
    pub(crate) fn find_in(&mut self, element: &str, message: impl Into<String>) {
        let expression = format!("{}.{element}", self.expression());
        self.push(expression, message.into());
    }

    fn push(&mut self, expression: String, message: String) {
        if self.findings.len() < self.max {
            let Layer { name, breach, .. } = *self.layer;
            self.findings.push(Finding {
                layer: name,
                breach,
                expression,
                message,
            });
        }
    }

    fn expression(&self) -> String {
        let mut text = self.root.to_owned();
        for step in self.path {
            text.push('.');
            text.push_str(step.name);
            if let Some(index) = step.index {
                text.push_str(&format!("[{index}]"));
            }
        }
        text
    }
}

/// One step of a path: the element's name as FHIRPath has it, and its index where the element repeats.
struct Step {
    name: &'static str,
    index: Option<usize>,
}

struct Walk {
    root: &'static str,
    path: Vec<Step>,
    findings: Vec<Finding>,
    max: usize,
}

/// Asks every layer about every value of the resource.
pub(crate) fn resource(resource: &dyn Complex, max: usize) -> Vec<Finding> {
    let mut walk = Walk {
        root: resource.type_info().name,
        path: Vec::new(),
        findings: Vec::new(),
        max,
    };
    walk.complex(resource);
    walk.findings
}

impl Walk {
    fn ask(&mut self, mut ask: impl FnMut(&'static Layer, &mut Place<'_>)) {
        for layer in LAYERS {
            let Walk {
                root,
                path,
                findings,
                max,
            } = self;
            ask(
                layer,
                &mut Place {
                    layer,
                    path,
                    root,
                    findings,
                    max: *max,
                },
            );
        }
    }

    fn complex(&mut self, value: &dyn Complex) {
        self.ask(|layer, place| (layer.complex)(value, place));
        for (index, field) in value.type_info().fields.iter().enumerate() {
            if self.findings.len() >= self.max {
                return;
            }
            for (position, node) in Nodes::of(value, index).enumerate() {
                self.path.push(Step {
                    name: field.name,
                    index: field.is_list().then_some(position),
                });
                self.node(node);
                self.path.pop();
            }
        }
    }

    fn node(&mut self, node: Node<'_>) {
        match node {
            Node::Complex(value) => self.complex(value),
            Node::Primitive(kind, primitive) => {
                self.ask(|layer, place| (layer.primitive)(kind, primitive, place));
                if let Some(extras) = primitive.extras() {
                    self.complex(extras);
                }
            }
        }
    }
}
