//! Which displays a code has, and whether one stated is right
//! (<https://hl7.org/fhir/R4/terminology-service.html#display>).

use super::code_system::CodeSystem;
use fhir_model::Coding;

use super::language::Languages;
use super::set::Hit;

/// A display, in a language where that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Display<'a> {
    pub(super) text: &'a str,
    pub(super) language: Option<&'a str>,
    /// No longer to be used.
    pub(super) withdrawn: bool,
    /// A name for another use than to be shown: right where it is stated, but not one to propose.
    pub(super) other_use: bool,
}

/// Code systems of uses that a name to be shown may have.
const SHOWN_USES: [&str; 3] = [
    "http://snomed.info/sct",
    "http://terminology.hl7.org/CodeSystem/designation-usage",
    "http://terminology.hl7.org/CodeSystem/hl7TermMaintInfra",
];

fn is_other_use(use_: Option<&Coding>) -> bool {
    let system = use_.and_then(|u| u.system.as_str());
    system.is_some_and(|s| !SHOWN_USES.contains(&s))
}

/// How a stated display fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Judgement<'a> {
    /// It is one of the code's.
    Right,
    /// It was one; these are.
    Withdrawn(Vec<&'a str>),
    /// There is none in the languages asked for, but it is right otherwise.
    RightInOther,
    /// There is none in the languages asked for, and it is wrong: the display of the code system.
    WrongInOther(Option<&'a str>),
    /// It is none of these; `spaces` if only white space differs.
    Wrong { right: Vec<Display<'a>>, spaces: bool },
}

/// The displays of a concept: the code system's own, its designations, then those of the value set.
pub(super) fn displays<'a>(
    system: Option<&'a CodeSystem>,
    concept: Option<u32>,
    hit: Option<&Hit<'a>>,
) -> Vec<Display<'a>> {
    let mut found = Vec::new();
    if let Some((system, index)) = system.zip(concept) {
        let language = system.head.language.as_deref();
        found.extend(system.display(index).map(|text| Display {
            text,
            language,
            withdrawn: false,
            other_use: false,
        }));
        found.extend(system.designations(index).map(|d| Display {
            text: d.value,
            language: d.language,
            withdrawn: d.withdrawn,
            other_use: is_other_use(d.use_),
        }));
    }
    let language = system.and_then(|s| s.head.language.as_deref());
    if let Some(listed) = hit.and_then(|h| h.listed) {
        found.extend(listed.display.as_deref().map(|text| Display {
            text,
            language,
            withdrawn: false,
            other_use: false,
        }));
        found.extend(listed.designations.iter().filter_map(|d| {
            Some(Display {
                text: d.value.as_str()?,
                language: d.language.as_str(),
                withdrawn: false,
                other_use: is_other_use(d.use_.as_deref()),
            })
        }));
    }
    found
}

/// The display in the most wanted language, else the first.
pub(super) fn best<'a>(displays: &[Display<'a>], languages: &Languages) -> Option<&'a str> {
    let wanted = displays
        .iter()
        .filter(|d| !d.withdrawn && !d.other_use)
        .filter_map(|d| Some((languages.rank(d.language?)?, d.text)))
        .min_by_key(|(rank, _)| *rank);
    let first = || displays.iter().find(|d| !d.withdrawn).map(|d| d.text);
    wanted.map(|(_, text)| text).or_else(first)
}

/// Judges a stated display.
pub(super) fn judge<'a>(stated: &str, displays: &[Display<'a>], languages: &Languages) -> Judgement<'a> {
    if displays.is_empty() {
        return Judgement::Right;
    }
    let fits =
        |d: &&Display<'_>| languages.is_empty() || d.language.is_none_or(|l| languages.rank(l).is_some());
    let wanted: Vec<Display<'a>> = displays.iter().filter(fits).copied().collect();
    let is_one = |among: &[Display<'_>]| among.iter().any(|d| !d.withdrawn && same(d.text, stated));
    if is_one(&wanted) {
        return Judgement::Right;
    }
    if wanted.iter().any(|d| d.withdrawn && same(d.text, stated)) {
        let right = displays
            .iter()
            .filter(|d| !d.withdrawn && !d.other_use)
            .map(|d| d.text);
        return Judgement::Withdrawn(right.collect());
    }
    if wanted.is_empty() {
        return match is_one(displays) {
            true => Judgement::RightInOther,
            false => Judgement::WrongInOther(displays.first().map(|d| d.text)),
        };
    }
    let right: Vec<_> = wanted
        .into_iter()
        .filter(|d| !d.withdrawn && !d.other_use)
        .collect();
    let spaces = right.iter().any(|d| same(&squeezed(d.text), &squeezed(stated)));
    Judgement::Wrong { right, spaces }
}

/// Displays are not case sensitive.
fn same(a: &str, b: &str) -> bool {
    a == b || a.eq_ignore_ascii_case(b) || (!a.is_ascii() && a.to_lowercase() == b.to_lowercase())
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn display(text: &'static str, language: Option<&'static str>) -> Display<'static> {
        Display {
            text,
            language,
            withdrawn: false,
            other_use: false,
        }
    }

    #[test]
    fn a_display_is_judged_in_the_languages_asked_for() {
        let displays = [display("Fever", Some("en")), display("Fieber", Some("de"))];
        let languages = |text| Languages::parse(text).unwrap();
        assert_eq!(judge("fever", &displays, &languages("")), Judgement::Right);
        assert_eq!(judge("Fieber", &displays, &languages("de-CH")), Judgement::Right);
        assert_eq!(
            judge("Fever", &displays, &languages("fr")),
            Judgement::RightInOther
        );
        assert_eq!(
            judge("Fièvre", &displays, &languages("fr")),
            Judgement::WrongInOther(Some("Fever"))
        );
        let right = vec![display("Fieber", Some("de"))];
        assert_eq!(
            judge("Fever", &displays, &languages("de")),
            Judgement::Wrong { right, spaces: false }
        );
        assert_eq!(best(&displays, &languages("fr, de;q=0.5")), Some("Fieber"));
        assert_eq!(best(&displays, &languages("fr")), Some("Fever"));
        assert_eq!(judge("anything", &[], &languages("")), Judgement::Right);
    }
}
