//! Canonical URLs with versions, `url|version` (<https://hl7.org/fhir/R4/references.html#canonical>).

use std::cmp::Ordering;

/// The URL, and the version after `|` where there is one. A fragment (`#id`) stays with the URL.
pub(super) fn split(canonical: &str) -> (&str, Option<&str>) {
    match canonical.split_once('|') {
        Some((url, "")) => (url, None),
        Some((url, version)) => (url, Some(version)),
        None => (canonical, None),
    }
}

/// `url|version`, or the URL alone.
pub(super) fn join(url: &str, version: Option<&str>) -> String {
    match version {
        Some(version) => format!("{url}|{version}"),
        None => url.to_owned(),
    }
}

/// Whether a held version is the one asked for. A part `x` or `*` of what is asked for stands for any, at its end for
/// all that follow: `1.x` takes `1.4.2`. An edition of SNOMED CT takes its versions
/// (<https://hl7.org/fhir/R4/snomedct.html#versions>).
pub(super) fn matches(asked: &str, held: &str) -> bool {
    let after = held.strip_prefix(asked);
    if after.is_some_and(|rest| rest.is_empty() || rest.starts_with("/version/")) {
        return true;
    }
    if !asked.split('.').any(is_wild) {
        return false;
    }
    let (mut asked, mut held) = (asked.split('.').peekable(), held.split('.'));
    while let Some(part) = asked.next() {
        let Some(found) = held.next() else { return false };
        let last = asked.peek().is_none();
        match is_wild(part) {
            true if last => return true,
            true => {}
            false if part != found => return false,
            false => {}
        }
    }
    held.next().is_none()
}

fn is_wild(part: &str) -> bool {
    matches!(part, "x" | "X" | "*")
}

/// Orders versions, the newest greatest: part by part, numbers as numbers. None at all is the oldest.
pub(super) fn compare(a: Option<&str>, b: Option<&str>) -> Ordering {
    let (Some(a), Some(b)) = (a, b) else {
        return a.is_some().cmp(&b.is_some());
    };
    let (mut left, mut right) = (a.split(['.', '-']), b.split(['.', '-']));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return a.cmp(b),
            (x, y) => part_order(x, y),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

fn part_order(a: Option<&str>, b: Option<&str>) -> Ordering {
    let number = |part: Option<&str>| part.and_then(|p| p.parse::<u64>().ok());
    match (number(a), number(b)) {
        (Some(x), Some(y)) => x.cmp(&y),
        _ => a.cmp(&b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canonical_is_cut_at_its_version() {
        assert_eq!(split("http://a.org/b|1.0"), ("http://a.org/b", Some("1.0")));
        assert_eq!(split("http://a.org/b|"), ("http://a.org/b", None));
        assert_eq!(split("http://a.org/b"), ("http://a.org/b", None));
        assert_eq!(join("u", Some("1")), "u|1");
    }

    #[test]
    fn versions_are_ordered_as_numbers_are() {
        assert_eq!(compare(Some("10.0.0"), Some("9.1")), Ordering::Greater);
        assert_eq!(compare(Some("1.0"), Some("1.0.0")), Ordering::Less);
        assert_eq!(compare(Some("2018-08-12"), Some("2017-12-31")), Ordering::Greater);
        assert_eq!(compare(None, Some("0.1")), Ordering::Less);
        assert_eq!(compare(Some("3"), Some("3")), Ordering::Equal);
    }

    #[test]
    fn a_wild_part_takes_any_version() {
        assert!(matches("1.x", "1.4.2") && matches("1.*.0", "1.4.0") && matches("1.0", "1.0"));
        let uk = "http://snomed.info/sct/83821000000107";
        assert!(matches(uk, &format!("{uk}/version/20260101")) && !matches("1", "10"));
        assert!(!matches("1.x", "2.0") && !matches("1.*.0", "1.4.1") && !matches("1.0", "1.0.0"));
    }
}
