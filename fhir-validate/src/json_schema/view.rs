//! [`Reflected`]: a resource as the `jsonschema` crate sees JSON, without JSON: what [`fhir_model::json`] would write of a
//! value, read from the value itself (<https://hl7.org/fhir/R4/json.html>).
//!
//! Invariant: nothing is copied but the names of the `_name` members, and values where an error tells them.

use std::borrow::Cow;

use fhir_model::primitive::Scalar;
use fhir_model::reflect::{
    ChoiceNode, Complex, ComplexList, Field, JsonToken, PrimitiveList, PrimitiveNode, PrimitiveType, Shape,
    Slot, TypeInfo, TypeKind,
};
use jsonschema::JsonType;
use jsonschema::json::{Array, Json, JsonNumber, Node, NodeIdentity, Object};
use serde_json::{Number, Value};

/// The representation of JSON by reflection.
pub(super) struct Reflected;

/// One JSON value of a resource.
#[derive(Clone, Copy)]
pub(super) enum View<'a> {
    /// The object of a resource, datatype, component, or of what stands beside a primitive.
    Complex(&'a dyn Complex),
    /// The same, and what is known of its members: many rules ask which of them are there.
    Known(&'a dyn Complex, Present),
    /// An array of these.
    Complexes(&'a dyn ComplexList),
    /// One of the two arrays of a list of primitives.
    Primitives(PrimitiveType, &'a dyn PrimitiveList, Part),
    /// The value of a primitive.
    Scalar(PrimitiveType, &'a dyn PrimitiveNode),
    /// The null of an item that has no such part.
    Gap(&'a dyn PrimitiveNode, Part),
    /// The `resourceType` of a resource.
    TypeName(&'a dyn Complex),
    /// A string that is not of the resource.
    Text(&'a str),
}

/// Which members an object has.
#[derive(Clone, Copy, Default)]
pub(super) struct Present {
    count: usize,
    /// A bit for each, which others may share ([`bit`]).
    bits: u64,
}

/// Where a primitive has what it has: under its name, or under `_name`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Its value.
    Value,
    /// Its id and extensions.
    Extras,
}

/// The name of a member, without its underscore.
pub(super) struct Key {
    name: Box<str>,
    part: Part,
    bit: u64,
}

/// One of 64 bits for a member: where it is not set, the member is not there.
fn bit(name: &str, part: Part) -> u64 {
    let hash = name.bytes().fold(part as u32 + 1, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    1 << (hash >> 26)
}

impl Key {
    pub(super) fn new(name: &str) -> Key {
        let (name, part) = match name.strip_prefix('_') {
            Some(name) => (name, Part::Extras),
            None => (name, Part::Value),
        };
        Key {
            name: name.into(),
            part,
            bit: bit(name, part),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

/// The element that a member of a type's objects is of, by the member's name.
pub(super) fn field(info: &'static TypeInfo, name: &str) -> Option<&'static Field> {
    info.fields.iter().find(|field| match &field.shape {
        Shape::Choice(variants) => variants.iter().any(|variant| variant.name == name),
        _ => field.name == name,
    })
}

/// What the element has under its name and in that part: the name, and the value.
fn member<'a>(field: &'static Field, slot: Slot<'a>, part: Part) -> Option<(&'static str, View<'a>)> {
    let (name, shape) = match (&field.shape, slot) {
        (Shape::Choice(variants), Slot::Choice(variant, _)) => {
            let variant = variants.get(variant)?;
            (variant.name, &variant.shape)
        }
        (shape, _) => (field.name, shape),
    };
    let view = match (slot, shape) {
        (
            Slot::Primitive(primitive) | Slot::Choice(_, ChoiceNode::Primitive(primitive)),
            Shape::Primitive(kind),
        ) => of_primitive(*kind, primitive, part)?,
        (Slot::Primitives(list), Shape::Primitive(kind)) => {
            let mut items = (0..list.len()).filter_map(|index| list.at(index));
            items
                .any(|item| of_primitive(*kind, item, part).is_some())
                .then_some(View::Primitives(*kind, list, part))?
        }
        (Slot::Complex(value) | Slot::Choice(_, ChoiceNode::Complex(value)), _) if part == Part::Value => {
            View::Complex(value)
        }
        (Slot::Complexes(list), _) if part == Part::Value => View::Complexes(list),
        _ => return None,
    };
    Some((name, view))
}

fn of_primitive(kind: PrimitiveType, primitive: &dyn PrimitiveNode, part: Part) -> Option<View<'_>> {
    match part {
        Part::Value => primitive.scalar().map(|_| View::Scalar(kind, primitive)),
        Part::Extras => primitive.extras().map(|extras| View::Complex(extras)),
    }
}

impl<'a> View<'a> {
    /// The object that is held against a schema.
    pub(super) fn known(value: &'a dyn Complex) -> View<'a> {
        let mut present = Present::default();
        let mut members = Fields { value, present: None }.members();
        while let Some((name, part, _)) = members.step() {
            present.count += 1;
            present.bits |= bit(name, part);
        }
        View::Known(value, present)
    }

    /// The value as JSON.
    pub(super) fn copied(self) -> Value {
        match self {
            View::Complex(value) | View::Known(value, _) => Value::Object(
                Fields { value, present: None }
                    .members()
                    .map(|(name, member)| (name.into_owned(), member.copied()))
                    .collect(),
            ),
            View::Gap(..) => Value::Null,
            View::Complexes(_) | View::Primitives(..) => {
                self.as_array().into_iter().flatten().map(View::copied).collect()
            }
            _ => match (self.as_string(), self.as_boolean(), self.as_number()) {
                (Some(text), ..) => Value::String(text.into_owned()),
                (_, Some(value), _) => Value::Bool(value),
                (.., Some(number)) => Value::Number(number.to_number().into_owned()),
                _ => Value::Null,
            },
        }
    }
}

impl Json for Reflected {
    type Node<'a> = View<'a>;
    type PreparedKey = Key;
    type StringBuffer = ();

    fn prepare_key(key: &str) -> Key {
        Key::new(key)
    }

    fn with_string_node<T>((): &mut (), string: &str, f: impl FnOnce(View<'_>) -> T) -> T {
        f(View::Text(string))
    }
}

impl<'a> Node<'a, Reflected> for View<'a> {
    type Object = Fields<'a>;
    type Array = Items<'a>;
    type Number = Figure<'a>;

    fn as_object(&self) -> Option<Fields<'a>> {
        match *self {
            View::Complex(value) => Some(Fields { value, present: None }),
            View::Known(value, present) => Some(Fields {
                value,
                present: Some(present),
            }),
            _ => None,
        }
    }

    fn as_array(&self) -> Option<Items<'a>> {
        (self.json_type() == JsonType::Array).then_some(Items { list: *self, next: 0 })
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        match self {
            View::TypeName(value) => Some(Cow::Borrowed(value.type_info().name)),
            View::Text(text) => Some(Cow::Borrowed(text)),
            View::Scalar(kind, primitive) if kind.json_token() == JsonToken::String => {
                primitive.scalar().map(Scalar::text)
            }
            _ => None,
        }
    }

    fn as_number(&self) -> Option<Figure<'a>> {
        match self {
            View::Scalar(kind, primitive) if kind.json_token() == JsonToken::Number => {
                primitive.scalar().map(Figure)
            }
            _ => None,
        }
    }

    fn as_boolean(&self) -> Option<bool> {
        match self {
            View::Scalar(_, primitive) => match primitive.scalar()? {
                Scalar::Boolean(value) => Some(value),
                _ => None,
            },
            _ => None,
        }
    }

    fn is_null(&self) -> bool {
        matches!(self, View::Gap(..))
    }

    fn is_number(&self) -> bool {
        self.json_type() == JsonType::Number
    }

    fn json_type(&self) -> JsonType {
        match self {
            View::Complex(_) | View::Known(..) => JsonType::Object,
            View::Complexes(_) | View::Primitives(..) => JsonType::Array,
            View::Gap(..) => JsonType::Null,
            View::TypeName(_) | View::Text(_) => JsonType::String,
            View::Scalar(kind, _) => match kind.json_token() {
                JsonToken::String => JsonType::String,
                JsonToken::Number => JsonType::Number,
                JsonToken::Boolean => JsonType::Boolean,
            },
        }
    }

    fn equals_value(&self, expected: &Value) -> bool {
        match (self, expected) {
            (View::Scalar(..) | View::TypeName(_) | View::Text(_), Value::String(text)) => {
                self.as_string().is_some_and(|own| own == text.as_str())
            }
            _ => self.copied() == *expected,
        }
    }

    /// What an error keeps of the value: a copy of each element around each error would cost without bound, so that of objects
    /// and arrays it is nothing. Who wants more looks at the place.
    fn to_value(&self) -> Cow<'a, Value> {
        Cow::Owned(match self.json_type() {
            JsonType::Object | JsonType::Array | JsonType::String => Value::Null,
            _ => self.copied(),
        })
    }

    /// The address of what holds it, and which of the values there it is.
    fn identity(&self) -> Option<NodeIdentity> {
        fn address<T: ?Sized>(value: &T) -> usize {
            std::ptr::from_ref(value).cast::<()>().addr()
        }
        let (address, tag) = match self {
            View::Complex(value) | View::Known(value, _) => (address(*value), 0),
            View::Complexes(list) => (address(*list), 1),
            View::Primitives(_, list, part) => (address(*list), 2 + *part as u32),
            View::Scalar(_, primitive) => (address(*primitive), 4),
            View::Gap(primitive, part) => (address(*primitive), 5 + *part as u32),
            View::TypeName(value) => (address(*value), 7),
            View::Text(_) => return None,
        };
        Some(NodeIdentity::tagged(address, tag))
    }
}

/// The members of an object.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    value: &'a dyn Complex,
    /// What is known of them.
    present: Option<Present>,
}

impl<'a> Object<'a, Reflected> for Fields<'a> {
    type Node = View<'a>;
    type MemberName = Cow<'a, str>;
    type MembersIter = Members<'a>;

    fn len(&self) -> usize {
        let count = || self.members().count();
        self.present.map_or_else(count, |present| present.count)
    }

    fn get(&self, key: &Key) -> Option<View<'a>> {
        if self.present.is_some_and(|present| present.bits & key.bit == 0) {
            return None;
        }
        let info = self.value.type_info();
        if info.kind == TypeKind::Resource && key.part == Part::Value && *key.name == *"resourceType" {
            return Some(View::TypeName(self.value));
        }
        let mut fields = info.fields.iter().enumerate();
        fields.find_map(|(index, field)| match &field.shape {
            Shape::Choice(_) if !key.name.starts_with(field.name) => None,
            Shape::Choice(_) => {
                let (name, view) = member(field, self.value.slot(index), key.part)?;
                (*key.name == *name).then_some(view)
            }
            _ if *key.name == *field.name => Some(member(field, self.value.slot(index), key.part)?.1),
            _ => None,
        })
    }

    fn members(&self) -> Members<'a> {
        Members {
            value: self.value,
            fields: self.value.type_info().fields,
            next: 0,
            named: self.value.type_info().kind != TypeKind::Resource,
            extras: None,
        }
    }
}

/// The members of an object, in the order of the definition.
pub(super) struct Members<'a> {
    value: &'a dyn Complex,
    fields: &'static [Field],
    next: usize,
    /// Whether its `resourceType` is behind.
    named: bool,
    /// The `_name` of the member before.
    extras: Option<(&'static str, View<'a>)>,
}

impl<'a> Members<'a> {
    /// The next member: its name without underscore, where it stands, and its value.
    fn step(&mut self) -> Option<(&'static str, Part, View<'a>)> {
        if !std::mem::replace(&mut self.named, true) {
            return Some(("resourceType", Part::Value, View::TypeName(self.value)));
        }
        loop {
            if let Some((name, view)) = self.extras.take() {
                return Some((name, Part::Extras, view));
            }
            let field = self.fields.get(self.next)?;
            let slot = self.value.slot(self.next);
            self.next += 1;
            if matches!(slot, Slot::Absent) {
                continue;
            }
            self.extras = member(field, slot, Part::Extras);
            if let Some((name, view)) = member(field, slot, Part::Value) {
                return Some((name, Part::Value, view));
            }
        }
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (Cow<'a, str>, View<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, part, view) = self.step()?;
        let name = match part {
            Part::Value => Cow::Borrowed(name),
            Part::Extras => Cow::Owned(format!("_{name}")),
        };
        Some((name, view))
    }
}

/// The items of an array.
pub(super) struct Items<'a> {
    list: View<'a>,
    next: usize,
}

impl<'a> Items<'a> {
    /// The item at that index.
    pub(super) fn at(&self, index: usize) -> Option<View<'a>> {
        match self.list {
            View::Complexes(list) => list.at(index).map(View::Complex),
            View::Primitives(kind, list, part) => {
                let item = list.at(index)?;
                Some(of_primitive(kind, item, part).unwrap_or(View::Gap(item, part)))
            }
            _ => None,
        }
    }
}

impl<'a> Array<'a, Reflected> for Items<'a> {
    type Node = View<'a>;
    type ElementsIter = Items<'a>;

    fn len(&self) -> usize {
        match self.list {
            View::Complexes(list) => list.len(),
            View::Primitives(_, list, _) => list.len(),
            _ => 0,
        }
    }

    fn elements(&self) -> Items<'a> {
        Items {
            list: self.list,
            next: 0,
        }
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = View<'a>;

    fn next(&mut self) -> Option<View<'a>> {
        let item = self.at(self.next)?;
        self.next += 1;
        Some(item)
    }
}

/// A number, kept as it is held.
pub(super) struct Figure<'a>(Scalar<'a>);

impl JsonNumber for Figure<'_> {
    fn as_u64(&self) -> Option<u64> {
        match self.0 {
            Scalar::Unsigned(value) => Some(value.into()),
            Scalar::Integer(value) => value.try_into().ok(),
            Scalar::Decimal(value) => value.as_str().parse().ok(),
            _ => None,
        }
    }

    fn as_i64(&self) -> Option<i64> {
        match self.0 {
            Scalar::Unsigned(value) => Some(value.into()),
            Scalar::Integer(value) => Some(value.into()),
            Scalar::Decimal(value) => value.as_str().parse().ok(),
            _ => None,
        }
    }

    fn as_f64(&self) -> Option<f64> {
        match self.0 {
            Scalar::Unsigned(value) => Some(value.into()),
            Scalar::Integer(value) => Some(value.into()),
            Scalar::Decimal(value) => Some(value.to_f64()),
            _ => None,
        }
    }

    fn as_str(&self) -> Cow<'_, str> {
        self.0.text()
    }

    /// The number as `serde_json` holds it: beyond its range the greatest that it has.
    fn to_number(&self) -> Cow<'_, Number> {
        let exact = serde_json::from_str(&self.0.text()).ok();
        let nearest = || Number::from_f64(self.as_f64()?.clamp(f64::MIN, f64::MAX));
        Cow::Owned(exact.or_else(nearest).unwrap_or_else(|| Number::from(0)))
    }

    fn is_integer(&self) -> bool {
        match self.0 {
            Scalar::Decimal(value) => match value.to_rust_decimal() {
                Some(exact) => exact.fract().is_zero(),
                None => value.to_f64().fract() == 0.0,
            },
            _ => true,
        }
    }
}
