//! Names: from the specification's to Rust's.

/// Words that no field can be named.
const KEYWORDS: [&str; 51] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static",
    "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual",
    "where", "while", "yield",
];

/// `multipleBirth` becomes `multiple_birth`, `ImagingStudy` becomes `imaging_study`, `valueURI` `value_uri`.
pub(super) fn snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (i, c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|i| chars.get(i));
        let starts_word = before.is_some_and(|b| !b.is_uppercase())
            || chars.get(i + 1).is_some_and(|next| next.is_lowercase()) && before.is_some();
        if c.is_uppercase() && starts_word {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

/// The field's name: snake case, a keyword with an underscore behind it.
pub(super) fn field(name: &str) -> String {
    let mut field = snake(name);
    if KEYWORDS.contains(&field.as_str()) {
        field.push('_');
    }
    field
}

/// `dateTime` becomes `DateTime`.
pub(super) fn capital(name: &str) -> String {
    let mut chars = name.chars();
    chars
        .next()
        .map(|c| c.to_ascii_uppercase().to_string() + chars.as_str())
        .unwrap_or_default()
}

/// `Patient.contact` becomes `PatientContact`, `Extension.value[x]` becomes `ExtensionValue`.
pub(super) fn camel_path(path: &str) -> String {
    path.trim_end_matches("[x]").split('.').map(capital).collect()
}

/// `PatientContact` becomes `PATIENT_CONTACT`.
pub(super) fn constant(name: &str) -> String {
    snake(name).to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart_by_case() {
        assert_eq!(snake("multipleBirth"), "multiple_birth");
        assert_eq!(snake("ImagingStudy"), "imaging_study");
        assert_eq!(snake("oneURLTwo"), "one_url_two");
        assert_eq!(snake("carrierAIDC"), "carrier_aidc");
        assert_eq!(field("type"), "type_");
        assert_eq!(field("abatement"), "abatement");
        assert_eq!(camel_path("Patient.deceased[x]"), "PatientDeceased");
        assert_eq!(constant("PatientContact"), "PATIENT_CONTACT");
    }
}
