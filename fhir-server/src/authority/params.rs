//! [`Params`]: the parameters of a request to the authority, none of them twice (RFC 6749, section 3.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Refused;

/// Parameters of a query or form.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>, Basic);

/// What a client says of itself in the header `Authorization`.
#[derive(Clone, Default)]
enum Basic {
    #[default]
    Nothing,
    /// It cannot be read.
    Malformed,
    /// Its id and its secret.
    Client(String, String),
}

impl std::fmt::Debug for Basic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Basic")
    }
}

impl Params {
    /// Those parameters.
    pub(crate) fn new(all: Vec<(String, String)>) -> Self {
        Params(all, Basic::Nothing)
    }

    /// The same, with the header `Authorization`: id and secret of a client stand in it as RFC 6749, section 2.3.1, has them.
    pub(crate) fn with_authorization(mut self, header: Option<&str>) -> Self {
        let Some((scheme, text)) = header.and_then(|header| header.split_once(' ')) else {
            return self;
        };
        if scheme.eq_ignore_ascii_case("basic") {
            self.1 =
                credentials(text.trim()).map_or(Basic::Malformed, |(id, secret)| Basic::Client(id, secret));
        }
        self
    }

    /// Id and secret of a client, where it sent them.
    pub(super) fn basic(&self) -> Result<Option<(&str, &str)>, Refused> {
        match &self.1 {
            Basic::Nothing => Ok(None),
            Basic::Client(id, secret) => Ok(Some((id, secret))),
            Basic::Malformed => Err(Refused::client(
                "Authorization must be Basic with id and secret, each percent-encoded, in Base64.",
            )),
        }
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

/// Id and secret in Base64, each percent-encoded within it.
fn credentials(text: &str) -> Option<(String, String)> {
    let decoded = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((plain(id)?, plain(secret)?))
}

fn plain(encoded: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}
