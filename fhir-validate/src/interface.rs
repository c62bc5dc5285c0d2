//! What R4 defines of its interface: SearchParameters and OperationDefinitions, as facts. No layer asks them; a server tells them
//! (<https://hl7.org/fhir/R4/searchparameter-registry.html>, <https://hl7.org/fhir/R4/operations.html>).

use std::collections::HashMap;
use std::sync::OnceLock;

use fhir_model::definitions::packed;

use crate::definition::base::{unpacked, url_of, version_of};

/// What the URLs of R4's own definitions begin with.
const R4: &str = "http://hl7.org/fhir/";

/// A definition of R4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defined {
    /// `SearchParameter` or `OperationDefinition`.
    pub resource_type: &'static str,
    /// Its URL.
    pub url: &'static str,
    /// Its version.
    pub version: Option<&'static str>,
    /// The resource as JSON: facts, no prose.
    pub text: &'static str,
}

/// All of them. Unpacked when they are first asked for, 0.7 MB of text.
///
/// ```
/// use fhir_validate::interface;
///
/// let parameter = interface::defined("http://hl7.org/fhir/SearchParameter/individual-birthdate").unwrap();
/// assert_eq!((parameter.resource_type, parameter.version), ("SearchParameter", Some("4.0.1")));
/// ```
pub fn all() -> impl Iterator<Item = &'static Defined> {
    by_url().values()
}

/// The one of that URL.
pub fn defined(url: &str) -> Option<&'static Defined> {
    by_url().get(url)
}

fn by_url() -> &'static HashMap<&'static str, Defined> {
    static TEXTS: OnceLock<[(&str, String); 2]> = OnceLock::new();
    static DEFINED: OnceLock<HashMap<&'static str, Defined>> = OnceLock::new();
    DEFINED.get_or_init(|| {
        let texts = TEXTS.get_or_init(|| {
            [
                ("SearchParameter", unpacked(packed::SEARCH_PARAMETERS)),
                ("OperationDefinition", unpacked(packed::OPERATIONS)),
            ]
        });
        let lines = texts
            .iter()
            .flat_map(|(resource_type, text)| text.lines().map(move |line| (*resource_type, line)));
        let defined = lines.filter_map(|(resource_type, text)| {
            let url = url_of(text).filter(|url| url.starts_with(R4))?;
            let version = version_of(text);
            Some((
                url,
                Defined {
                    resource_type,
                    url,
                    version,
                    text,
                },
            ))
        });
        defined.collect()
    })
}

#[cfg(test)]
mod tests {
    use fhir_model::{json, read::ReadOptions};

    use super::*;

    #[test]
    fn each_is_a_resource_of_its_type_with_its_url_and_version() {
        let (mut parameters, mut operations) = (0, 0);
        for one in all() {
            let read = json::read(one.text.as_bytes(), &ReadOptions::lenient()).unwrap();
            assert_eq!(read.value.type_name(), one.resource_type);
            let value: serde_json::Value = serde_json::from_str(one.text).unwrap();
            assert_eq!(
                (value["url"].as_str(), value["version"].as_str()),
                (Some(one.url), one.version)
            );
            *(match one.resource_type {
                "SearchParameter" => &mut parameters,
                _ => &mut operations,
            }) += 1;
        }
        assert!(parameters > 1_300 && operations > 40, "{parameters} {operations}");
    }
}
