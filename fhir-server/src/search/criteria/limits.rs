//! [`Limits`]: how much one query may ask for.

use serde::Deserialize;

/// How much one query may ask for. What goes beyond is refused with 422 and the code `too-costly`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Limits {
    /// Parameters in a query. Default: 100.
    pub parameters: usize,
    /// Values with commas between in a parameter. Default: 500.
    pub values: usize,
    /// Links in a chain, such as the one in `subject.name`. Default: 3.
    pub chain: usize,
    /// `_has` within each other. Default: 3.
    pub has: usize,
    /// Comparisons in `_filter`. Default: 100.
    pub filter_comparisons: usize,
    /// Parentheses and brackets within each other in `_filter`. Default: 20.
    pub filter_depth: usize,
    /// Comparisons in all, counted once for each resource type that a chain leads to. Default: 5,000.
    pub comparisons: usize,
    /// Codes that `:in`, `:not-in`, `:above` and `:below` may stand for. Default: 5,000.
    pub codes: usize,
    /// Keys of `_sort`. Default: 5.
    pub sort: usize,
    /// `_include` and `_revinclude` in a query. Default: 20.
    pub includes: usize,
    /// Resources that they add to a page. Default: 1,000.
    pub included: usize,
    /// Rounds of `:iterate`. Default: 3.
    pub iterations: usize,
    /// Whether the words of all text are indexed, and `_text` and `_content` answered. Where it is switched on later, the next start indexes
    /// what is there before it answers; all servers of one database must be told the same. Default: no.
    pub full_text: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            parameters: 100,
            values: 500,
            chain: 3,
            has: 3,
            filter_comparisons: 100,
            filter_depth: 20,
            comparisons: 5000,
            codes: 5000,
            sort: 5,
            includes: 20,
            included: 1000,
            iterations: 3,
            full_text: false,
        }
    }
}
