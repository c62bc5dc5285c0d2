//! `href` and `src` in narrative (<https://hl7.org/fhir/R4/narrative.html>).

/// The XHTML with those links replaced that `replace` gives something for; `None` where it gives nothing.
///
/// Only attribute values within tags are looked at, and each is replaced whole. XHTML escapes in a value are not
/// resolved: no form of a `fullUrl` needs any.
pub(super) fn rewrite(xhtml: &str, replace: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut out = String::new();
    let mut copied = 0;
    let mut in_tag = false;
    let mut rest = xhtml;
    while let Some(at) = rest.find(if in_tag { ['"', '\'', '>'] } else { ['<', '<', '<'] }) {
        let (before, after) = rest.split_at(at);
        let mark = after.chars().next()?;
        rest = after.get(1..)?;
        match mark {
            '<' => in_tag = true,
            '>' => in_tag = false,
            quote => {
                let end = rest.find(quote)?;
                let (value, from_quote) = rest.split_at(end);
                if is_link(before)
                    && let Some(new) = replace(value)
                {
                    let start = xhtml.len() - rest.len();
                    out.push_str(xhtml.get(copied..start)?);
                    out.push_str(&new);
                    copied = start + end;
                }
                rest = from_quote.get(1..)?;
            }
        }
    }
    if copied == 0 {
        return None;
    }
    out.push_str(xhtml.get(copied..)?);
    Some(out)
}

/// Whether the text before a quote ends with `href=` or `src=`.
fn is_link(before: &str) -> bool {
    let Some(name) = before.trim_end().strip_suffix('=').map(str::trim_end) else {
        return false;
    };
    let from = name.rfind(char::is_whitespace).map_or(0, |i| i + 1);
    matches!(name.get(from..), Some("href" | "src"))
}
