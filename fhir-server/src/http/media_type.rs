//! A media type with its parameters (RFC 9110, section 8.3.1), as in `Content-Type` and `Accept`.

/// `type/subtype` in lower case, and its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MediaType {
    /// `type/subtype` in lower case
    pub(crate) essence: String,
    parameters: Vec<(String, String)>,
}

impl MediaType {
    /// Reads one media type or range; `None` where it is not of that form.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';');
        let essence = parts.next()?.trim().to_ascii_lowercase();
        let (top, sub) = essence.split_once('/')?;
        if !is_token(top) || !is_token(sub) {
            return None;
        }
        let mut parameters = Vec::new();
        for part in parts.map(str::trim).filter(|p| !p.is_empty()) {
            let (name, value) = part.split_once('=')?;
            let value = value.trim();
            let value = value
                .strip_prefix('"')
                .and_then(|v| v.strip_suffix('"'))
                .unwrap_or(value);
            parameters.push((name.trim().to_ascii_lowercase(), value.to_owned()));
        }
        Some(MediaType { essence, parameters })
    }

    /// The value of a parameter; its name in lower case.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }

    /// Whether `fhirVersion` is absent or R4 (<https://hl7.org/fhir/R4/http.html#version-parameter>).
    pub(crate) fn is_version_4_0(&self) -> bool {
        self.parameter("fhirversion")
            .is_none_or(|v| matches!(v, "4.0" | "4.0.1"))
    }

    /// Whether `charset` is absent or UTF-8.
    pub(crate) fn is_utf_8(&self) -> bool {
        self.parameter("charset")
            .is_none_or(|v| v.eq_ignore_ascii_case("utf-8") || v.eq_ignore_ascii_case("utf8"))
    }
}

fn is_token(text: &str) -> bool {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_type_and_parameters() {
        let read = MediaType::parse(" Application/FHIR+json ; charset=\"UTF-8\"; FHIRVersion=4.0;").unwrap();
        assert_eq!(read.essence, "application/fhir+json");
        assert!(read.is_utf_8() && read.is_version_4_0());
        assert!(!MediaType::parse("a/b;charset=utf-7").unwrap().is_utf_8());
        assert!(!MediaType::parse("a/b;fhirVersion=5.0").unwrap().is_version_4_0());
    }

    #[test]
    fn refuses_what_is_not_one() {
        for text in ["", "json", "/", "a/", "/b", "a b/c", "a/b;x", "a/b\r\nc", "a/b/c"] {
            assert_eq!(MediaType::parse(text), None, "{text}");
        }
    }
}
