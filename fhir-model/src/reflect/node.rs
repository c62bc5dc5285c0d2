//! Walking over values: [`Nodes`] gives those of one element, whatever its shape; [`equal`] compares by them.

use std::fmt;

use super::{ChoiceNode, Complex, PrimitiveNode, PrimitiveType, Shape, Slot};

/// One value met while walking: a primitive with its FHIR type, or a complex value.
#[derive(Clone, Copy)]
pub enum Node<'a> {
    /// A primitive.
    Primitive(PrimitiveType, &'a dyn PrimitiveNode),
    /// A resource, datatype or backbone element.
    Complex(&'a dyn Complex),
}

impl<'a> Node<'a> {
    /// The type's name: `dateTime`, `HumanName`, `Patient.contact`, `Patient`.
    pub fn type_name(self) -> &'static str {
        match self {
            Node::Primitive(t, _) => t.name(),
            Node::Complex(c) => c.type_info().name,
        }
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::Primitive(t, p) => write!(f, "{}({:?})", t.name(), p.text()),
            Node::Complex(c) => write!(f, "{}", c.type_info().name),
        }
    }
}

/// The values of one element: none, one or several, each as a [`Node`].
///
/// `name` is the JSON name in use: the field's, or the variant's for a choice.
#[derive(Clone, Copy)]
pub struct Nodes<'a> {
    /// The JSON and XML name in use.
    pub name: &'static str,
    primitive: Option<PrimitiveType>,
    slot: Slot<'a>,
    next: usize,
}

impl<'a> Nodes<'a> {
    /// The values of the element with that index.
    pub fn of(complex: &'a dyn Complex, field: usize) -> Nodes<'a> {
        let slot = complex.slot(field);
        let Some(info) = complex.type_info().fields.get(field) else {
            return Nodes {
                name: "",
                primitive: None,
                slot: Slot::Absent,
                next: 0,
            };
        };
        let (name, primitive) = match (&info.shape, slot) {
            (Shape::Choice(variants), Slot::Choice(i, _)) => match variants.get(i) {
                Some(v) => (v.name, primitive_of(&v.shape)),
                None => (info.name, None),
            },
            (shape, _) => (info.name, primitive_of(shape)),
        };
        Nodes {
            name,
            primitive,
            slot,
            next: 0,
        }
    }

    /// How many values there are in all.
    pub fn count_all(&self) -> usize {
        match self.slot {
            Slot::Absent => 0,
            Slot::Primitives(list) => list.len(),
            Slot::Complexes(list) => list.len(),
            _ => 1,
        }
    }

    fn at(&self, index: usize) -> Option<Node<'a>> {
        let primitive = |p| self.primitive.map(|t| Node::Primitive(t, p));
        match self.slot {
            Slot::Absent => None,
            Slot::Primitives(list) => list.at(index).and_then(primitive),
            Slot::Complexes(list) => list.at(index).map(Node::Complex),
            _ if index > 0 => None,
            Slot::Primitive(p) | Slot::Choice(_, ChoiceNode::Primitive(p)) => primitive(p),
            Slot::Complex(c) | Slot::Choice(_, ChoiceNode::Complex(c)) => Some(Node::Complex(c)),
        }
    }
}

impl<'a> Iterator for Nodes<'a> {
    type Item = Node<'a>;
    fn next(&mut self) -> Option<Node<'a>> {
        let node = self.at(self.next)?;
        self.next += 1;
        Some(node)
    }
}

fn primitive_of(shape: &Shape) -> Option<PrimitiveType> {
    match shape {
        Shape::Primitive(t) => Some(*t),
        _ => None,
    }
}

/// Whether two values have the same type and equal content, decimals compared by their text.
pub fn equal(a: &dyn Complex, b: &dyn Complex) -> bool {
    a.type_info() == b.type_info()
        && (0..a.type_info().fields.len()).all(|i| {
            let (x, y) = (Nodes::of(a, i), Nodes::of(b, i));
            x.name == y.name && x.count_all() == y.count_all() && x.zip(y).all(|(m, n)| equal_nodes(m, n))
        })
}

/// Whether two elements have the same type and equal content, decimals compared by their text.
pub fn equal_nodes(a: Node<'_>, b: Node<'_>) -> bool {
    match (a, b) {
        (Node::Primitive(t, p), Node::Primitive(u, q)) => {
            t == u && p.scalar() == q.scalar() && p.extras() == q.extras()
        }
        (Node::Complex(c), Node::Complex(d)) => equal(c, d),
        _ => false,
    }
}

/// Whether two choices have the same type and equal content.
#[doc(hidden)]
pub fn equal_choices(a: (usize, ChoiceNode<'_>), b: (usize, ChoiceNode<'_>)) -> bool {
    a.0 == b.0
        && match (a.1, b.1) {
            (ChoiceNode::Primitive(p), ChoiceNode::Primitive(q)) => {
                p.scalar() == q.scalar() && p.extras() == q.extras()
            }
            (ChoiceNode::Complex(c), ChoiceNode::Complex(d)) => equal(c, d),
            _ => false,
        }
}

/// Writes what a choice holds as its variant's name and content.
#[doc(hidden)]
pub fn debug_choice(variant: &str, node: ChoiceNode<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{variant}(")?;
    match node {
        ChoiceNode::Primitive(p) => match p.text() {
            Some(text) => write!(f, "{text:?}")?,
            None => f.write_str("null")?,
        },
        ChoiceNode::Complex(c) => crate::json::debug(c, f)?,
    }
    f.write_str(")")
}
