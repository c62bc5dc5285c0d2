//! Schemas of the primitive types (<https://hl7.org/fhir/R4/datatypes.html#primitive>).
//!
//! The forms are the specification's regular expressions, anchored. Three kinds differ, and say why below: each in the
//! direction of the specification's own text.

use fhir_model::reflect::{JsonToken, PrimitiveType};

use super::definition::Definitions;
use super::json::Json;

/// "Strings SHALL NOT exceed 1MB": 1024 × 1024 characters.
const MAX_STRING: i64 = 1024 * 1024;

/// The schema of a value of that type.
pub(super) fn schema(definitions: &Definitions, kind: PrimitiveType) -> Json {
    match kind.json_token() {
        JsonToken::Boolean => Json::object([("type", Json::from("boolean"))]),
        JsonToken::Number => number(kind),
        JsonToken::String => string(definitions, kind),
    }
}

fn number(kind: PrimitiveType) -> Json {
    let least = match kind {
        PrimitiveType::Decimal => return Json::object([("type", Json::from("number"))]),
        PrimitiveType::PositiveInt => 1,
        PrimitiveType::UnsignedInt => 0,
        _ => i64::from(i32::MIN),
    };
    Json::object([
        ("type", Json::from("integer")),
        ("minimum", Json::from(least)),
        ("maximum", Json::from(i64::from(i32::MAX))),
    ])
}

fn string(definitions: &Definitions, kind: PrimitiveType) -> Json {
    let mut schema = Json::object([("type", Json::from("string"))]);
    if let Some(pattern) = pattern(definitions, kind) {
        schema.set("pattern", pattern);
    }
    if matches!(kind, PrimitiveType::String | PrimitiveType::Markdown) {
        schema.set("maxLength", MAX_STRING);
    }
    schema
}

fn pattern(definitions: &Definitions, kind: PrimitiveType) -> Option<String> {
    use PrimitiveType as P;
    Some(match kind {
        // Markup: no form to state. Whether it is allowed XHTML is for another layer.
        P::Xhtml => return None,
        // The specification's `[ \r\n\t\S]+` is meant to shut out control characters, and in most engines shuts out
        // the no-break space and others too, which are common in typed text.
        P::String | P::Markdown => r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f]+$".to_owned(),
        // The same language as the specification's, without two adjacent `\s*`, over which a backtracking engine
        // takes exponential time.
        P::Base64Binary => r"^\s*([0-9a-zA-Z+/=]{4}\s*)+$".to_owned(),
        // `\S*`, but no value in JSON is ever empty.
        P::Uri | P::Url | P::Canonical => r"^\S+$".to_owned(),
        _ => format!("^(?:{})$", definitions.regex(kind.name())?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_string_type_but_xhtml_has_a_pattern() {
        let r4 = Definitions::r4().unwrap();
        for kind in PrimitiveType::ALL {
            let has = schema(&r4, kind).get("pattern").is_some();
            assert_eq!(
                has,
                kind.json_token() == JsonToken::String && kind != PrimitiveType::Xhtml,
                "{kind:?}"
            );
        }
    }

    #[test]
    fn numbers_have_their_ranges() {
        let r4 = Definitions::r4().unwrap();
        let text = |kind| schema(&r4, kind).to_string();
        assert_eq!(
            text(PrimitiveType::PositiveInt),
            r#"{"type":"integer","minimum":1,"maximum":2147483647}"#
        );
        assert_eq!(
            text(PrimitiveType::Integer),
            r#"{"type":"integer","minimum":-2147483648,"maximum":2147483647}"#
        );
        assert_eq!(text(PrimitiveType::Decimal), r#"{"type":"number"}"#);
    }
}
