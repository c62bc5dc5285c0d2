//! [`Operator`]: how `_filter` compares (<https://hl7.org/fhir/R4/search_filter.html#ops>).

use crate::store::Compare;

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Operator {
    /// equal
    Eq,
    /// not equal
    Ne,
    /// holds the value anywhere
    Co,
    /// begins with the value
    Sw,
    /// ends with the value
    Ew,
    Gt,
    Lt,
    Ge,
    Le,
    Ap,
    Sa,
    Eb,
    /// there is a value, or there is none
    Pr,
    /// overlaps with the period
    Po,
    /// the value subsumes the concept
    Ss,
    /// the value is subsumed by the concept
    Sb,
    /// the concept is in the value set
    In,
    /// the concept is not in the value set
    Ni,
    /// the reference points at the URL
    Re,
}

/// Every operator by name.
const NAMES: [(&str, Operator); 19] = [
    ("eq", Operator::Eq),
    ("ne", Operator::Ne),
    ("co", Operator::Co),
    ("sw", Operator::Sw),
    ("ew", Operator::Ew),
    ("gt", Operator::Gt),
    ("lt", Operator::Lt),
    ("ge", Operator::Ge),
    ("le", Operator::Le),
    ("ap", Operator::Ap),
    ("sa", Operator::Sa),
    ("eb", Operator::Eb),
    ("pr", Operator::Pr),
    ("po", Operator::Po),
    ("ss", Operator::Ss),
    ("sb", Operator::Sb),
    ("in", Operator::In),
    ("ni", Operator::Ni),
    ("re", Operator::Re),
];

impl Operator {
    /// The operator of that name.
    pub(super) fn named(name: &str) -> Option<Operator> {
        NAMES
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, operator)| *operator)
    }

    /// Its name.
    pub(in super::super) fn name(self) -> &'static str {
        NAMES
            .iter()
            .find(|(_, operator)| *operator == self)
            .map_or("", |(name, _)| name)
    }

    /// The comparison of numbers and dates that it is.
    pub(in super::super) fn compare(self) -> Option<Compare> {
        Some(match self {
            Self::Eq => Compare::Eq,
            Self::Ne => Compare::Ne,
            Self::Gt => Compare::Gt,
            Self::Lt => Compare::Lt,
            Self::Ge => Compare::Ge,
            Self::Le => Compare::Le,
            Self::Ap => Compare::Ap,
            Self::Sa => Compare::Sa,
            Self::Eb => Compare::Eb,
            _ => return None,
        })
    }
}
