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
    pub(crate) fn get(&self, name: &str) -> Result<Option<&str>, Refused> {
        let mut found = self.all(name);
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(Refused::request("A parameter stands twice.")),
            (value, None) => Ok(value.filter(|value| !value.is_empty())),
        }
    }

    /// The id of a resource.
    pub(super) fn id(&self, name: &str) -> Result<Option<String>, Refused> {
        let formed = |id: &str| {
            id.len() <= 64
                && id
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
        };
        match self.get(name)? {
            Some(id) if !formed(id) => Err(Refused::request(
                "An id is 1 to 64 letters, digits, - and full stops.",
            )),
            id => Ok(id.map(str::to_owned)),
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
