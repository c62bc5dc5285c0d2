//! [`Refused`]: an error as OAuth 2.0 tells it (RFC 6749, section 5.2).

/// An error as OAuth 2.0 tells it.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The HTTP status.
    pub(crate) status: u16,
    /// `error`
    pub(crate) code: &'static str,
    /// `error_description`
    pub(crate) text: &'static str,
}

impl Refused {
    pub(super) const fn new(status: u16, code: &'static str, text: &'static str) -> Self {
        Refused { status, code, text }
    }
    pub(super) const fn request(text: &'static str) -> Self {
        Refused::new(400, "invalid_request", text)
    }
    pub(super) const fn grant(text: &'static str) -> Self {
        Refused::new(400, "invalid_grant", text)
    }
    pub(super) const fn client(text: &'static str) -> Self {
        Refused::new(401, "invalid_client", text)
    }
    pub(super) const fn scope(text: &'static str) -> Self {
        Refused::new(400, "invalid_scope", text)
    }
}
