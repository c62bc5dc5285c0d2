//! [`Params`]: the parameters of a request to the authority, none of them twice (RFC 6749, section 3.1).

use super::Refused;

/// Parameters of a query or form.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Those parameters.
    pub(crate) fn new(all: Vec<(String, String)>) -> Self {
        Params(all)
    }

    /// The value of one that is there at most once; an empty one is not there.
    pub(super) fn get(&self, name: &str) -> Result<Option<&str>, Refused> {
        let mut found = self.all(name);
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(Refused::request("A parameter stands twice.")),
            (value, None) => Ok(value.filter(|value| !value.is_empty())),
        }
    }

    /// Every value of one that may be there more than once.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether it is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }
}
