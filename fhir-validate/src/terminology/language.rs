//! Languages asked for, and whether a language tag is among them (RFC 4647, as `displayLanguage` and `Accept-Language`
//! state them).

/// The languages that displays are asked for in, the most wanted first. Empty: any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Languages {
    ranges: Vec<String>,
    /// As stated.
    text: String,
}

/// What is stated is not a list of language ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotLanguages;

impl Languages {
    /// Reads a list such as `en-GB, en; q=0.4`; ranges of weight zero and `*` ask for nothing.
    pub(super) fn parse(text: &str) -> Result<Self, NotLanguages> {
        let mut ranges = Vec::new();
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            let mut parts = item.split(';').map(str::trim);
            let range = parts.next().unwrap_or("");
            let weight = match parts.find_map(|p| p.strip_prefix("q=")) {
                Some(q) => q.trim().parse::<f32>().map_err(|_| NotLanguages)?,
                None => 1.0,
            };
            if range != "*" {
                if !is_tag(range) {
                    return Err(NotLanguages);
                }
                if weight > 0.0 {
                    ranges.push((range.to_owned(), weight));
                }
            }
        }
        ranges.sort_by(|a, b| b.1.total_cmp(&a.1));
        Ok(Languages {
            ranges: ranges.into_iter().map(|(range, _)| range).collect(),
            text: text.trim().to_owned(),
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// As they were stated; `--` for none.
    pub(super) fn text(&self) -> &str {
        if self.is_empty() { "--" } else { &self.text }
    }

    /// How well a language fits, smallest best; `None` where it does not.
    pub(super) fn rank(&self, language: &str) -> Option<usize> {
        // An exact fit of any range is better than one of the language alone.
        let exact = self.ranges.iter().position(|r| r.eq_ignore_ascii_case(language));
        let near = || {
            self.ranges
                .iter()
                .position(|r| extends(language, r) || extends(r, language))
        };
        exact.or_else(|| near().map(|at| at + self.ranges.len()))
    }
}

/// Whether one tag is the other with subtags after it.
fn extends(longer: &str, shorter: &str) -> bool {
    let start = longer.get(..shorter.len());
    start.is_some_and(|s| s.eq_ignore_ascii_case(shorter))
        && longer
            .get(shorter.len()..)
            .is_some_and(|rest| rest.starts_with('-'))
}

/// Whether a text has the form of a language tag (BCP 47): subtags of 1 to 8 letters and digits, the first of letters.
pub(super) fn is_tag(text: &str) -> bool {
    let mut subtags = text.split('-');
    let first = subtags.next().unwrap_or("");
    let alphabetic = first.bytes().all(|b| b.is_ascii_alphabetic());
    let sized = (2..=8).contains(&first.len()) || matches!(first, "x" | "i" | "X" | "I");
    alphabetic
        && sized
        && subtags.all(|s| (1..=8).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_ordered_by_weight() {
        let languages = Languages::parse("de;q=0.2, en-GB, fr; q=0, *;q=0.1").unwrap();
        assert_eq!(languages.ranges, ["en-GB", "de"]);
        assert_eq!(languages.rank("en-gb"), Some(0));
        assert_eq!(languages.rank("en"), Some(2));
        assert_eq!(languages.rank("de-CH"), Some(3));
        assert_eq!(languages.rank("den"), None);
        assert_eq!(languages.rank("fr"), None);
    }

    #[test]
    fn what_is_not_a_language_is_refused() {
        assert_eq!(Languages::parse("-"), Err(NotLanguages));
        assert_eq!(Languages::parse("en;q=x"), Err(NotLanguages));
        assert!(Languages::parse("").unwrap().is_empty());
        assert_eq!(Languages::parse("").unwrap().text(), "--");
        assert!(is_tag("sl-rozaj-biske-1994") && is_tag("x-klingon"));
        assert!(!is_tag("") && !is_tag("e") && !is_tag("en_GB") && !is_tag("123"));
    }
}
