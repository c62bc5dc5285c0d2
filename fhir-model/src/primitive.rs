//! Primitive values: [`Primitive`] with its id and extensions, [`Str`], and the dynamic view [`Scalar`]
//! (<https://hl7.org/fhir/R4/datatypes.html#primitive>).

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use compact_str::CompactString;

use crate::date::{Date, DateTime, Instant, Time};
use crate::decimal::Decimal;
use crate::generated::{Element, Extension};
use crate::reflect::{AsSlot, PrimitiveList, PrimitiveNode, Slot, SlotMut};

/// A string that keeps short content in place (24 bytes without an allocation). Derefs to `str`.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Str(CompactString);

impl Str {
    /// The content.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl Deref for Str {
    type Target = str;
    fn deref(&self) -> &str {
        self.0.as_str()
    }
}
impl AsRef<str> for Str {
    fn as_ref(&self) -> &str {
        self.0.as_str()
    }
}
impl From<&str> for Str {
    fn from(text: &str) -> Self {
        Str(CompactString::from(text))
    }
}
impl From<String> for Str {
    fn from(text: String) -> Self {
        Str(CompactString::from(text))
    }
}
impl From<Str> for String {
    fn from(text: Str) -> Self {
        text.0.into()
    }
}
impl PartialEq<str> for Str {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}
impl PartialEq<&str> for Str {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}
impl fmt::Display for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}
impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// A text that is not of its type's form: says what the form is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueError {
    /// What was expected, in words, such as `a date: YYYY, YYYY-MM or YYYY-MM-DD`.
    pub expected: &'static str,
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.expected)
    }
}
impl std::error::Error for ValueError {}

/// A primitive element: a value, an id and extensions, each optional. The default is an absent element.
///
/// Made from a value with `into()`, from its lexical form with `parse()`; string-like ones compare with `&str`.
///
/// ```
/// use fhir_model::{Date, Patient};
/// let patient = Patient { gender: "female".into(), birth_date: "1988-03".parse()?, ..Patient::default() };
/// assert!(patient.gender == "female");
/// assert_eq!(patient.birth_date.value.as_ref().map(Date::year), Some(1988));
/// # Ok::<(), fhir_model::ValueError>(())
/// ```
#[derive(Clone)]
pub struct Primitive<T> {
    /// The value; absent where there are extensions only.
    pub value: Option<T>,
    /// The id and extensions, boxed because most primitives have none.
    pub extras: Option<Box<Element>>,
}

impl<T> Primitive<T> {
    /// Whether there is no value, no id and no extension.
    pub fn is_absent(&self) -> bool {
        self.value.is_none() && self.extras.as_deref().is_none_or(is_empty)
    }
    /// The extensions.
    pub fn extension(&self) -> &[Extension] {
        self.extras.as_ref().map_or(&[], |e| e.extension.as_slice())
    }
}

fn is_empty(extras: &Element) -> bool {
    extras.id.is_none() && extras.extension.is_empty()
}

impl Primitive<Str> {
    /// The text, if there is a value.
    pub fn as_str(&self) -> Option<&str> {
        self.value.as_deref()
    }
}

impl<T> Default for Primitive<T> {
    fn default() -> Self {
        Primitive {
            value: None,
            extras: None,
        }
    }
}

impl<T> From<T> for Primitive<T> {
    fn from(value: T) -> Self {
        Primitive {
            value: Some(value),
            extras: None,
        }
    }
}
impl From<&str> for Primitive<Str> {
    fn from(value: &str) -> Self {
        Str::from(value).into()
    }
}
impl From<String> for Primitive<Str> {
    fn from(value: String) -> Self {
        Str::from(value).into()
    }
}

/// From the lexical form, as in XML or between the quotes of JSON.
impl<T: FhirPrimitive> FromStr for Primitive<T> {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        T::from_text(text).map(Self::from)
    }
}

/// Whether the value is that text; ids and extensions are not looked at.
impl PartialEq<str> for Primitive<Str> {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == Some(other)
    }
}
/// Whether the value is that text; ids and extensions are not looked at.
impl PartialEq<&str> for Primitive<Str> {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == Some(*other)
    }
}

impl<T: FhirPrimitive> PartialEq for Primitive<T> {
    fn eq(&self, other: &Self) -> bool {
        self.scalar() == other.scalar() && self.extras() == other.extras()
    }
}

impl<T: FhirPrimitive> fmt::Debug for Primitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scalar() {
            Some(s) => write!(f, "{:?}", s.text()),
            None => f.write_str("null"),
        }
    }
}

/// A primitive value, dynamically typed. All string-like types are `String`; the field's table tells them apart.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(
    missing_docs,
    reason = "each variant holds the value of the FHIR type of the same name"
)]
pub enum Scalar<'a> {
    Boolean(bool),
    Integer(i32),
    Unsigned(u32),
    Decimal(&'a Decimal),
    String(&'a str),
    Date(&'a Date),
    DateTime(&'a DateTime),
    Instant(&'a Instant),
    Time(&'a Time),
}

impl<'a> Scalar<'a> {
    /// The lexical form, as in XML.
    pub fn text(self) -> Cow<'a, str> {
        match self {
            Scalar::Boolean(b) => Cow::Borrowed(if b { "true" } else { "false" }),
            Scalar::Integer(i) => Cow::Owned(i.to_string()),
            Scalar::Unsigned(i) => Cow::Owned(i.to_string()),
            Scalar::Decimal(d) => Cow::Borrowed(d.as_str()),
            Scalar::String(s) => Cow::Borrowed(s),
            Scalar::Date(d) => Cow::Borrowed(d.as_str()),
            Scalar::DateTime(d) => Cow::Borrowed(d.as_str()),
            Scalar::Instant(d) => Cow::Borrowed(d.as_str()),
            Scalar::Time(d) => Cow::Borrowed(d.as_str()),
        }
    }
}

/// A Rust type that holds a FHIR primitive value.
pub trait FhirPrimitive: Clone + Send + Sync + 'static {
    /// Reads the lexical form.
    ///
    /// # Errors
    /// The text is not of this type's form.
    fn from_text(text: &str) -> Result<Self, ValueError>;
    /// The dynamic view.
    fn scalar(&self) -> Scalar<'_>;
}

macro_rules! fhir_primitive {
    ($type:ty, $value:ident => $scalar:expr, $text:ident => $parse:expr) => {
        impl FhirPrimitive for $type {
            fn from_text($text: &str) -> Result<Self, ValueError> {
                $parse
            }
            fn scalar(&self) -> Scalar<'_> {
                let $value = self;
                $scalar
            }
        }
    };
}

fhir_primitive!(bool, v => Scalar::Boolean(*v), t => match t {
    "true" => Ok(true),
    "false" => Ok(false),
    _ => Err(ValueError { expected: "true or false" }),
});
fhir_primitive!(i32, v => Scalar::Integer(*v), t => whole_number(t).ok_or(ValueError {
    expected: "a whole number from -2147483648 to 2147483647, without leading zeros",
}));
fhir_primitive!(u32, v => Scalar::Unsigned(*v), t => whole_number(t)
    .and_then(|n: i32| u32::try_from(n).ok())
    .ok_or(ValueError { expected: "a whole number from 0 to 2147483647, without leading zeros" }));
fhir_primitive!(Str, v => Scalar::String(v.as_str()), t => Ok(Str::from(t)));
fhir_primitive!(Decimal, v => Scalar::Decimal(v), t => t.parse());
fhir_primitive!(Date, v => Scalar::Date(v), t => t.parse());
fhir_primitive!(DateTime, v => Scalar::DateTime(v), t => t.parse());
fhir_primitive!(Instant, v => Scalar::Instant(v), t => t.parse());
fhir_primitive!(Time, v => Scalar::Time(v), t => t.parse());

/// `-0` and leading zeros do not come back as written from a number, so they are refused (as the R4 regex does).
fn whole_number(text: &str) -> Option<i32> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let lossless = text == "0" || !digits.starts_with('0');
    if plain && lossless {
        text.parse().ok()
    } else {
        None
    }
}

impl<T: FhirPrimitive> PrimitiveNode for Primitive<T> {
    fn scalar(&self) -> Option<Scalar<'_>> {
        self.value.as_ref().map(FhirPrimitive::scalar)
    }
    fn parse(&mut self, text: &str) -> Result<(), ValueError> {
        self.value = Some(T::from_text(text)?);
        Ok(())
    }
    fn extras(&self) -> Option<&Element> {
        self.extras.as_deref().filter(|e| !is_empty(e))
    }
    fn extras_mut(&mut self) -> Option<&mut Element> {
        Some(self.extras.get_or_insert_default())
    }
}

impl<T: FhirPrimitive> AsSlot for Primitive<T> {
    fn slot(&self) -> Slot<'_> {
        if self.is_absent() {
            Slot::Absent
        } else {
            Slot::Primitive(self)
        }
    }
    fn slot_mut(&mut self) -> SlotMut<'_> {
        SlotMut::Primitive(self)
    }
}

impl<T: FhirPrimitive> AsSlot for Vec<Primitive<T>> {
    fn slot(&self) -> Slot<'_> {
        if self.is_empty() {
            Slot::Absent
        } else {
            Slot::Primitives(self)
        }
    }
    fn slot_mut(&mut self) -> SlotMut<'_> {
        SlotMut::Primitives(self)
    }
}

impl<T: FhirPrimitive> PrimitiveList for Vec<Primitive<T>> {
    fn len(&self) -> usize {
        Vec::len(self)
    }
    fn at(&self, index: usize) -> Option<&dyn PrimitiveNode> {
        self.get(index).map(|p| p as &dyn PrimitiveNode)
    }
    fn at_mut(&mut self, index: usize) -> Option<&mut dyn PrimitiveNode> {
        self.get_mut(index).map(|p| p as &mut dyn PrimitiveNode)
    }
    fn push(&mut self) -> &mut dyn PrimitiveNode {
        let end = Vec::len(self);
        Vec::push(self, Primitive::default());
        // The item pushed above is at `end`.
        #[expect(clippy::indexing_slicing, reason = "the item was pushed on the line above")]
        &mut self[end]
    }
}

/// `Element.id` and `Extension.url`: a bare string without id and extensions.
impl PrimitiveNode for Option<Str> {
    fn scalar(&self) -> Option<Scalar<'_>> {
        self.as_deref().map(Scalar::String)
    }
    fn parse(&mut self, text: &str) -> Result<(), ValueError> {
        *self = Some(Str::from(text));
        Ok(())
    }
    fn extras(&self) -> Option<&Element> {
        None
    }
    fn extras_mut(&mut self) -> Option<&mut Element> {
        None
    }
}

impl AsSlot for Option<Str> {
    fn slot(&self) -> Slot<'_> {
        if self.is_none() {
            Slot::Absent
        } else {
            Slot::Primitive(self)
        }
    }
    fn slot_mut(&mut self) -> SlotMut<'_> {
        SlotMut::Primitive(self)
    }
}
