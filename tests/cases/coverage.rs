//! Which parameter types are tested with which prefixes and modifiers
//! (<https://hl7.org/fhir/R4/search.html#prefix>, <https://hl7.org/fhir/R4/search.html#modifiers>).

use std::collections::BTreeMap;
use std::fmt;

use crate::table::Topic;

/// What each type of parameter must be tested with; `plain` is neither a prefix nor a modifier.
const WANTED: [(&str, &str); 9] = [
    ("number", "plain eq ne gt lt ge le sa eb ap :missing"),
    ("date", "plain eq ne gt lt ge le sa eb ap :missing"),
    ("quantity", "plain eq ne gt lt ge le sa eb ap :missing"),
    ("string", "plain :exact :contains :missing"),
    (
        "token",
        "plain :text :not :in :not-in :above :below :of-type :missing",
    ),
    ("reference", "plain :identifier :[type] :missing"),
    ("uri", "plain :above :below :missing"),
    ("composite", "plain eq ne gt lt ge le sa eb ap"),
    ("special", "plain"),
];

/// The number of cases by type and by prefix or modifier.
pub(crate) struct Coverage(BTreeMap<(String, String), usize>);

impl Coverage {
    pub(crate) fn of(topics: &[Topic]) -> Coverage {
        let mut counts = BTreeMap::new();
        let covered = topics
            .iter()
            .flat_map(|topic| &topic.cases)
            .filter_map(|case| case.covers.as_deref());
        for pair in covered {
            let (kind, how) = pair.split_once(' ').expect("a type and a prefix or modifier");
            *counts.entry((kind.to_owned(), how.to_owned())).or_default() += 1;
        }
        Coverage(counts)
    }

    fn count(&self, kind: &str, how: &str) -> usize {
        let key = (kind.to_owned(), how.to_owned());
        self.0.get(&key).copied().unwrap_or(0)
    }

    /// What is wanted and has no case.
    pub(crate) fn gaps(&self) -> Vec<String> {
        let wanted = WANTED
            .iter()
            .flat_map(|(kind, all)| all.split(' ').map(move |how| (*kind, how)));
        let missing = wanted.filter(|(kind, how)| self.count(kind, how) == 0);
        missing.map(|(kind, how)| format!("{kind} {how}")).collect()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, _) in WANTED {
            let of_kind = self.0.iter().filter(|((k, _), _)| k == kind);
            let cells: Vec<String> = of_kind.map(|((_, how), n)| format!("{how} {n}")).collect();
            writeln!(f, "{kind:<10} {}", cells.join("  "))?;
        }
        Ok(())
    }
}
