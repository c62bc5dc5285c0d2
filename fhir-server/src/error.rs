//! What can go wrong, free of HTTP: one list of codes and one table that gives each its status, its FHIR issue code
//! (<https://hl7.org/fhir/R4/valueset-issue-type.html>) and its NHS error code.
//!
//! Invariant: an [`Issue`] is public text; the `cause` never leaves the server.

use std::error::Error as StdError;
use std::fmt;

/// A failed request: what kind of failure, what the caller is told, and what only the log is told.
#[derive(Debug)]
pub struct Error {
    /// The kind, which decides the HTTP status.
    pub code: ErrorCode,
    /// What the caller is told; never empty.
    pub issues: Vec<Issue>,
    /// What only the log is told.
    pub cause: Option<Box<dyn StdError + Send + Sync>>,
}

/// The result of anything that can fail with an [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// One problem, told to the caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Issue {
    /// Names what is wrong, the value that was sent, and the cure.
    pub diagnostics: String,
    /// The place in the body as a FHIRPath, such as `Patient.name[0].given[1]`; or `http.if-match`, `http._count` for a
    /// header or parameter.
    pub expression: Option<String>,
    /// Line and column in the text sent, both from 1, where known.
    pub position: Option<(u32, u32)>,
    /// `warning` or `information` instead of `error`.
    pub severity: Severity,
    /// The code of `http://hl7.org/fhir/issue-type`, where it is not the one of the failure.
    pub kind: Option<&'static str>,
    /// A more precise statement than the code of the failure is.
    pub detail: Option<Box<Detail>>,
}

/// What a terminology operation says of an issue, in the codes of FHIR's terminology ecosystem.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// A code of `http://hl7.org/fhir/issue-type`, in the place of the table's.
    pub issue: String,
    /// System and code for `details.coding`, before the code of the table.
    pub coding: Option<(String, String)>,
    /// The key of the message.
    pub message_id: Option<String>,
}

/// The severity of an issue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the codes of http://hl7.org/fhir/issue-severity")]
pub enum Severity {
    Fatal,
    #[default]
    Error,
    Warning,
    Information,
}

impl Severity {
    /// The code in `http://hl7.org/fhir/issue-severity`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Fatal => "fatal",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Information => "information",
        }
    }
}

/// One row of the error table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorFacts {
    /// HTTP status
    pub status: u16,
    /// code of `http://hl7.org/fhir/issue-type`
    pub issue: &'static str,
    /// code of `https://fhir.nhs.uk/CodeSystem/Spine-ErrorOrWarningCode` or
    /// `https://fhir.nhs.uk/CodeSystem/NHSD-API-ErrorOrWarningCode`
    pub nhs: &'static str,
}

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $status:literal $issue:literal $nhs:literal;)*) => {
        /// Every kind of failure.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode { $($(#[$doc])* $name,)* }

        impl ErrorCode {
            /// Every code, in the order of the table.
            pub const ALL: &'static [ErrorCode] = &[$(Self::$name,)*];
            /// Its status and codes.
            pub const fn facts(self) -> ErrorFacts {
                match self {
                    $(Self::$name => ErrorFacts { status: $status, issue: $issue, nhs: $nhs },)*
                }
            }
        }
    };
}

error_codes! {
    /// The body is not readable as FHIR: syntax, unknown elements, wrong types.
    Structure = 400 "structure" "INVALID_VALUE";
    /// A value in the URL, a header or a parameter is not of its form.
    Value = 400 "value" "INVALID_VALUE";
    /// Something required was not sent.
    Required = 400 "required" "MISSING_VALUE";
    /// The request contradicts itself, such as an id in the body other than the one in the URL.
    Invalid = 400 "invalid" "INVALID_VALUE";
    /// Who calls is not known.
    Unauthenticated = 401 "login" "ACCESS_DENIED";
    /// The access token is malformed, expired, not for this server or not of an issuer that it knows.
    InvalidToken = 401 "login" "ACCESS_DENIED";
    /// This caller can never do this.
    Forbidden = 403 "forbidden" "ACCESS_DENIED";
    /// The scopes of the access token do not allow this.
    InsufficientScope = 403 "forbidden" "ACCESS_DENIED";
    /// There is no such resource, version, type or path.
    NotFound = 404 "not-found" "RESOURCE_NOT_FOUND";
    /// The path exists; the method does not.
    MethodNotAllowed = 405 "not-supported" "INVALID_METHOD";
    /// None of the accepted formats can be given.
    NotAcceptable = 406 "not-supported" "NOT_ACCEPTABLE";
    /// The request did not arrive in time.
    RequestTimeout = 408 "timeout" "TIMEOUT";
    /// Another write came between.
    Conflict = 409 "conflict" "RESOURCE_VERSION_MISMATCH";
    /// The resource was deleted.
    Gone = 410 "deleted" "RESOURCE_NOT_FOUND";
    /// `If-Match`, `If-None-Match` or `If-None-Exist` does not hold.
    PreconditionFailed = 412 "conflict" "PRECONDITION_FAILED";
    /// The body, its depth or its number of entries is above the limit.
    TooLarge = 413 "too-long" "INVALID_VALUE";
    /// The body's media type is not one the server reads.
    UnsupportedMediaType = 415 "not-supported" "UNSUPPORTED_VALUE";
    /// The part of the file asked for does not exist.
    RangeNotSatisfiable = 416 "value" "INVALID_VALUE";
    /// The body reads as FHIR and breaks a rule.
    Unprocessable = 422 "invariant" "VALIDATION_ERROR";
    /// The query asks for more than the limits allow.
    TooCostly = 422 "too-costly" "INVALID_VALUE";
    /// Too many requests in a while.
    TooManyRequests = 429 "throttled" "TOO_MANY_REQUESTS";
    /// The headers are above the limit.
    HeadersTooLarge = 431 "too-long" "INVALID_VALUE";
    /// A fault of the server's own.
    Internal = 500 "exception" "FAILURE_TO_PROCESS_MESSAGE";
    /// FHIR defines it; this server does not offer it.
    NotSupported = 501 "not-supported" "UNSUPPORTED_SERVICE";
    /// Busy, shutting down, or the database does not answer; may succeed later.
    Unavailable = 503 "transient" "UNABLE_TO_CALL_SERVICE";
    /// The query took longer than a read may take: asking for less is the cure, asking the same again is not.
    TooSlow = 503 "too-costly" "UNABLE_TO_CALL_SERVICE";
    /// The work did not end in time; its outcome may be unknown.
    Timeout = 504 "timeout" "TIMEOUT";
    /// The disk is full; may succeed later.
    StorageFull = 507 "no-store" "UNABLE_TO_CALL_SERVICE";
}

impl Issue {
    /// An error with that text.
    pub fn new(diagnostics: impl Into<String>) -> Self {
        Issue {
            diagnostics: diagnostics.into(),
            ..Issue::default()
        }
    }
    /// The same, at that place.
    pub fn at(mut self, expression: impl Into<String>) -> Self {
        self.expression = Some(expression.into());
        self
    }
    /// The same, with that severity.
    pub fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }
}

impl Error {
    /// A failure with one issue.
    pub fn new(code: ErrorCode, diagnostics: impl Into<String>) -> Self {
        Error {
            code,
            issues: vec![Issue::new(diagnostics)],
            cause: None,
        }
    }
    /// The same, its last issue at that place.
    pub fn at(mut self, expression: impl Into<String>) -> Self {
        if let Some(issue) = self.issues.last_mut() {
            issue.expression = Some(expression.into());
        }
        self
    }
    /// The same, with what only the log is told.
    pub fn with_cause(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }
    /// A fault of the server's own; the caller learns nothing of the cause.
    pub fn internal(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Error::new(
            ErrorCode::Internal,
            "The server failed to handle this request; nothing was changed by it.",
        )
        .with_cause(cause)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.code)?;
        for issue in &self.issues {
            write!(f, ": {}", issue.diagnostics)?;
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_deref().map(|c| c as &(dyn StdError + 'static))
    }
}
