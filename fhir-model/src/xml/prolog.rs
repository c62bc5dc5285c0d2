//! The XML declaration and processing instructions (<https://www.w3.org/TR/xml/#sec-prolog-dtd>).

use super::scan::Fault;
use super::tag::{attributes, split_name};
use crate::read::quoted;

/// Checks `<?xml …?>`, which stands at `at`: at the very start, XML 1.0, and UTF-8 if it says anything of it.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check_declaration(text: &str, at: usize) -> Result<(), Fault> {
    if at != 0 {
        return Err(Fault::new(
            at,
            "An XML declaration may stand only at the very start",
        ));
    }
    let inside = text
        .strip_prefix("<?xml")
        .and_then(|t| t.strip_suffix("?>"))
        .unwrap_or_default();
    let given = attributes(inside, "<?xml".len())?;
    let mut rest = given
        .iter()
        .filter(|a| a.prefix.is_empty())
        .map(|a| (a.local, a.raw))
        .peekable();
    let version = rest.next_if(|(name, _)| *name == "version");
    let encoding = rest.next_if(|(name, _)| *name == "encoding");
    rest.next_if(|(name, value)| *name == "standalone" && matches!(*value, "yes" | "no"));
    if let Some((_, other)) = encoding.filter(|(_, value)| !value.eq_ignore_ascii_case("utf-8")) {
        return Err(Fault::new(
            at,
            format!("The encoding is declared as {}; FHIR XML is UTF-8", quoted(other)),
        ));
    }
    match version {
        Some((_, "1.0")) if rest.peek().is_none() && given.iter().all(|a| a.prefix.is_empty()) => Ok(()),
        _ => Err(Fault::new(
            at,
            "The XML declaration must be <?xml version=\"1.0\" encoding=\"UTF-8\"?>",
        )),
    }
}

/// Checks the name of a processing instruction, which stands at `at`; what it says is passed over.
///
/// # Errors
/// The name is no name, or reserved.
pub(super) fn check_instruction(text: &str, at: usize) -> Result<(), Fault> {
    let inside = text
        .strip_prefix("<?")
        .and_then(|t| t.strip_suffix("?>"))
        .unwrap_or_default();
    let target = inside
        .split(|c: char| c.is_ascii_whitespace())
        .next()
        .unwrap_or_default();
    let (prefix, _) = split_name(target, at + 2)?;
    if prefix.is_empty() && !target.eq_ignore_ascii_case("xml") {
        return Ok(());
    }
    Err(Fault::new(
        at,
        "The name of the processing instruction is reserved",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_xml_1_0_in_utf_8_is_declared() {
        for good in [
            "<?xml version=\"1.0\"?>",
            "<?xml version='1.0' encoding='utf-8' ?>",
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>",
        ] {
            assert!(check_declaration(good, 0).is_ok(), "{good}");
        }
        for bad in [
            "<?xml?>",
            "<?xml encoding=\"UTF-8\"?>",
            "<?xml version=\"1.1\"?>",
            "<?xml version=\"1.0\" encoding=\"UTF-16\"?>",
            "<?xml version=\"1.0\" encoding=\"UTF-7\"?>",
            "<?xml version=\"1.0\" standalone=\"maybe\"?>",
            "<?xml encoding=\"UTF-8\" version=\"1.0\"?>",
            "<?xml version=\"1.0\" a:b=\"c\"?>",
            "<?xml version=\"1.0\"encoding=\"UTF-8\"?>",
        ] {
            assert!(check_declaration(bad, 0).is_err(), "{bad}");
        }
        assert!(check_declaration("<?xml version=\"1.0\"?>", 1).is_err());
    }

    #[test]
    fn instructions_are_passed_over_unless_their_name_is_reserved() {
        assert!(check_instruction("<?xml-stylesheet href=\"a.xsl\"?>", 0).is_ok());
        for bad in ["<?XML version?>", "<? a?>", "<?1?>", "<?a:b?>", "<??>"] {
            assert!(check_instruction(bad, 0).is_err(), "{bad}");
        }
    }
}
