//! Paths, methods, types and ids that lead nowhere, each with what was probably meant.

use actix_web::http::Method;
use actix_web::http::header::HeaderName;

use super::routes::Place;
use crate::error::{Error, ErrorCode, Result};
use crate::store::{ResourceType, is_id};
use crate::suggest;

/// The header that tells which preferences were honoured (RFC 7240, section 3).
pub(crate) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// A path that is not in the table of routes.
pub(crate) fn unknown_path(segments: &[String]) -> Error {
    if let [_, id, operation] = segments
        && operation.starts_with('$')
        && let Err(error) = unless_id(id)
    {
        return error;
    }
    if let Some(operation) = segments.iter().find(|s| s.starts_with('$')) {
        let text = format!(
            "The server offers no operation `{}` here; `metadata` lists what it offers.",
            shown(operation)
        );
        return Error::new(ErrorCode::NotSupported, text);
    }
    match segments {
        [first, ..] => match unless_resource_type(first) {
            Err(error) => error,
            Ok(_) => Error::new(
                ErrorCode::NotFound,
                format!(
                    "There is nothing at `{}`; below a type come an id, `_search` or `_history`, below an id `_history`.",
                    shown(&segments.join("/"))
                ),
            ),
        },
        [] => Error::new(ErrorCode::NotFound, "There is nothing at this path."),
    }
}

/// A method that the path does not have.
pub(crate) fn method(method: &Method, place: &Place<'_>) -> Error {
    let later = match (method.as_str(), place.path) {
        ("POST", "/{type}/{id}") => " Create with POST to the type; update with PUT to the id.",
        _ => "",
    };
    let text = format!(
        "`{}` is not possible here; possible are {}.{later}",
        shown(method.as_str()),
        place.allow()
    );
    Error::new(ErrorCode::MethodNotAllowed, text)
}

/// The type of that name, else what was probably meant.
pub(crate) fn unless_resource_type(name: &str) -> Result<ResourceType> {
    ResourceType::from_name(name).ok_or_else(|| {
        let hint = match suggest::resource_type(name) {
            Some(meant) => format!("; did you mean `{meant}`?"),
            None => ". Types are written as in the specification, such as `Patient`.".to_owned(),
        };
        Error::new(
            ErrorCode::NotFound,
            format!("FHIR R4 has no resource type `{}`{hint}", shown(name)),
        )
    })
}

/// An id of the form that FHIR demands (<https://hl7.org/fhir/R4/datatypes.html#id>).
pub(crate) fn unless_id(id: &str) -> Result<String> {
    if is_id(id) {
        return Ok(id.to_owned());
    }
    let text = format!(
        "`{}` is no id; ids are 1 to 64 letters, digits, `-` and `.`.",
        shown(id)
    );
    Err(Error::new(ErrorCode::Value, text))
}

/// What the client sent, short enough for a message.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(path: &str) -> Error {
        unknown_path(&path.split('/').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_mistyped_type_is_told_what_was_meant() {
        let error = unless_resource_type("patient").unwrap_err();
        assert_eq!(error.code, ErrorCode::NotFound);
        assert!(error.to_string().contains("did you mean `Patient`?"), "{error}");
        assert!(
            unless_resource_type("Wibblefish")
                .unwrap_err()
                .to_string()
                .contains("such as `Patient`")
        );
        assert_eq!(unless_resource_type("Patient").unwrap().name(), "Patient");
    }

    #[test]
    fn an_operation_is_said_not_to_be_offered() {
        for (sent, word) in [("Patient/1/$everything", "$everything"), ("$export", "$export")] {
            let error = path(sent);
            assert_eq!(error.code, ErrorCode::NotSupported, "{sent}");
            assert!(error.to_string().contains(word), "{error}");
        }
        assert_eq!(path("Patient/__main__/$meta").code, ErrorCode::Value);
        assert_eq!(path("Patient/1/2/3").code, ErrorCode::NotFound);
        assert!(
            path("patients/1/_history/2/3")
                .to_string()
                .contains("did you mean `Patient`?")
        );
    }

    #[test]
    fn an_id_has_its_form() {
        for good in ["1", "a-B.3", &"x".repeat(64)] {
            assert_eq!(unless_id(good).unwrap(), good);
        }
        for bad in ["", "a_b", "a b", "a/b", "é", &"x".repeat(65)] {
            assert_eq!(unless_id(bad).unwrap_err().code, ErrorCode::Value, "{bad}");
        }
    }
}
