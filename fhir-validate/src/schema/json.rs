//! [`Json`]: a JSON value whose objects keep their order, and its text, compact where it fits on a line.
//!
//! Invariant: the same value gives the same bytes.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// The widest line that [`Json::text`] writes an object or array on.
const WIDTH: usize = 120;

/// A JSON value whose objects keep their order.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number.
    Number(serde_json::Number),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// An object of these members.
    pub fn object<K: Into<String>>(members: impl IntoIterator<Item = (K, Json)>) -> Json {
        Json::Object(
            members
                .into_iter()
                .map(|(name, value)| (name.into(), value))
                .collect(),
        )
    }

    /// An array of these items.
    pub fn array<T: Into<Json>>(items: impl IntoIterator<Item = T>) -> Json {
        Json::Array(items.into_iter().map(Into::into).collect())
    }

    /// The member of that name, if this is an object that has it.
    pub fn get(&self, name: &str) -> Option<&Json> {
        let Json::Object(members) = self else { return None };
        members.iter().find(|(n, _)| n == name).map(|(_, value)| value)
    }

    /// The member of that name, to change.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Json> {
        let Json::Object(members) = self else { return None };
        members
            .iter_mut()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value)
    }

    /// Sets the member of that name, at its place or at the end; a value that is no object becomes one.
    pub fn set(&mut self, name: &str, value: impl Into<Json>) {
        if let Some(present) = self.get_mut(name) {
            *present = value.into();
            return;
        }
        if !matches!(self, Json::Object(_)) {
            *self = Json::Object(Vec::new());
        }
        if let Json::Object(members) = self {
            members.push((name.to_owned(), value.into()));
        }
    }

    /// The content of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    /// The items of an array; of anything else none.
    pub fn items(&self) -> &[Json] {
        match self {
            Json::Array(items) => items,
            _ => &[],
        }
    }

    /// The members of an object; of anything else none.
    pub fn members(&self) -> &[(String, Json)] {
        match self {
            Json::Object(members) => members,
            _ => &[],
        }
    }

    /// The value as text for people and for diffs: whatever fits stands on one line, the rest is indented by two spaces.
    /// Ends with a line feed.
    pub fn text(&self) -> String {
        let mut text = String::new();
        write_value(self, 0, 0, &mut text);
        text.push('\n');
        text
    }
}

/// Writes without insignificant white space.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

/// The value on one line, with a space after each colon and comma.
fn inline(value: &Json) -> String {
    let joined = |parts: Vec<String>| parts.join(", ");
    match value {
        Json::Array(items) => format!("[{}]", joined(items.iter().map(inline).collect())),
        Json::Object(members) => {
            let member =
                |(name, value): &(String, Json)| format!("{}: {}", Json::from(name.as_str()), inline(value));
            format!("{{{}}}", joined(members.iter().map(member).collect()))
        }
        scalar => scalar.to_string(),
    }
}

/// `indent` is the depth, `before` the width of what stands on the line already.
fn write_value(value: &Json, indent: usize, before: usize, out: &mut String) {
    let compact = inline(value);
    let (open, close) = match value {
        Json::Array(items) if !items.is_empty() => ('[', ']'),
        Json::Object(members) if !members.is_empty() => ('{', '}'),
        _ => return out.push_str(&compact),
    };
    if 2 * indent + before + compact.len() <= WIDTH {
        return out.push_str(&compact);
    }
    out.push(open);
    let mut separator = "";
    let mut next = |out: &mut String| {
        out.push_str(separator);
        separator = ",";
        out.push('\n');
        out.push_str(&"  ".repeat(indent + 1));
    };
    for item in value.items() {
        next(out);
        write_value(item, indent + 1, 0, out);
    }
    for (name, member) in value.members() {
        next(out);
        let name = format!("{}: ", Json::from(name.as_str()));
        out.push_str(&name);
        write_value(member, indent + 1, name.len(), out);
    }
    out.push('\n');
    out.push_str(&"  ".repeat(indent));
    out.push(close);
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Json::String(text.to_owned())
    }
}
impl From<String> for Json {
    fn from(text: String) -> Self {
        Json::String(text)
    }
}
impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Json::Bool(value)
    }
}
impl From<i64> for Json {
    fn from(value: i64) -> Self {
        Json::Number(value.into())
    }
}
impl From<Vec<Json>> for Json {
    fn from(items: Vec<Json>) -> Self {
        Json::Array(items)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Null => serializer.serialize_unit(),
            Json::Bool(value) => value.serialize(serializer),
            Json::Number(value) => value.serialize(serializer),
            Json::String(value) => value.serialize(serializer),
            Json::Array(items) => items.serialize(serializer),
            Json::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E: de::Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }
    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Json, E> {
        let number = serde_json::Number::from_f64(value);
        number
            .map(Json::Number)
            .ok_or_else(|| E::custom("a number that JSON cannot write"))
    }
    fn visit_str<E: de::Error>(self, value: &str) -> Result<Json, E> {
        Ok(Json::from(value))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_survives_reading_and_writing() {
        let text = r#"{"b":1,"a":[true,null,"x",-2,1.5],"c":{"z":{},"y":[]}}"#;
        let json: Json = serde_json::from_str(text).unwrap();
        assert_eq!(json.to_string(), text);
    }

    #[test]
    fn what_fits_stands_on_one_line() {
        let long = "x".repeat(WIDTH);
        let json = Json::object([
            ("short", Json::array(["a", "b"])),
            ("long", Json::array([long.as_str()])),
        ]);
        let text = json.text();
        assert_eq!(
            text,
            format!("{{\n  \"short\": [\"a\", \"b\"],\n  \"long\": [\n    \"{long}\"\n  ]\n}}\n")
        );
        assert_eq!(serde_json::from_str::<Json>(&text).unwrap(), json);
    }

    #[test]
    fn set_replaces_in_place_or_appends() {
        let mut json = Json::object([("a", Json::from(1)), ("b", Json::from(2))]);
        json.set("a", 3);
        json.set("c", 4);
        assert_eq!(json.to_string(), r#"{"a":3,"b":2,"c":4}"#);
    }
}
