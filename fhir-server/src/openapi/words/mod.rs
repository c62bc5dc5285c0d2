//! What the document says in words of types and elements, for people who write clients.
//!
//! Facts (types, cardinality, codes, reference targets) come from the definitions; here stands only what they do not tell.
//!
//! Invariant: every path named here exists in R4.

mod consent;
mod datatype;
mod encounter;
mod medication_request;
mod patient;

/// A path such as `Patient.gender` or `Patient.deceased[x]`, or a type's name, and the words on it.
type Words = (&'static str, &'static str);

/// All of them.
const LISTS: [&[Words]; 5] = [
    patient::WORDS,
    encounter::WORDS,
    medication_request::WORDS,
    consent::WORDS,
    datatype::WORDS,
];

/// Elements that every resource or datatype has, by their last name.
const COMMON: &[Words] = &[
    (
        "meta",
        "Version, time of the last change, profiles, labels and tags.",
    ),
    (
        "implicitRules",
        "Rules that a reader must know to read this safely. Avoid it.",
    ),
    (
        "contained",
        "Resources that have no life of their own, referred to as `#id`.",
    ),
    ("extension", "Further information, each item named by its `url`."),
    (
        "modifierExtension",
        "Further information that changes the meaning: refuse what you do not know.",
    ),
];

/// The words on that path, if there are any.
pub(super) fn on(path: &str) -> Option<&'static str> {
    let exact = LISTS.into_iter().flatten().find(|(known, _)| *known == path);
    let (_, words) = exact.or_else(|| {
        let (_, name) = path.rsplit_once('.')?;
        COMMON.iter().find(|(known, _)| *known == name)
    })?;
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir_model::reflect::Shape;

    #[test]
    fn every_path_is_one_of_r4_and_has_words_once() {
        for (path, words) in LISTS.into_iter().flatten() {
            let known = fhir_model::type_info(path).is_some()
                || path.rsplit_once('.').is_some_and(|(parent, name)| {
                    let stem = name.strip_suffix("[x]").unwrap_or(name);
                    let field = fhir_model::type_info(parent).and_then(|info| info.field(stem));
                    field.is_some_and(|(_, f)| matches!(f.shape, Shape::Choice(_)) == name.ends_with("[x]"))
                });
            assert!(known, "{path}");
            assert!(words.ends_with('.'), "{path}: {words}");
            assert_eq!(
                LISTS.into_iter().flatten().filter(|(p, _)| p == path).count(),
                1,
                "{path}"
            );
        }
    }

    #[test]
    fn every_element_of_the_four_types_has_words() {
        for name in ["Patient", "Encounter", "MedicationRequest", "Consent"] {
            let info = fhir_model::type_info(name).unwrap();
            assert!(on(name).is_some(), "{name}");
            for field in info.fields {
                let choice = if matches!(field.shape, Shape::Choice(_)) {
                    "[x]"
                } else {
                    ""
                };
                let path = format!("{name}.{}{choice}", field.name);
                assert!(on(&path).is_some(), "{path}");
            }
        }
    }
}
