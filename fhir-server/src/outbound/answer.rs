//! Reading an answer: status 200, and a body as long as its head says.

use std::time::Duration;

/// What was fetched.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// The body.
    pub(crate) body: Vec<u8>,
    /// How long it may be kept, where the answer says.
    pub(crate) keep: Option<Duration>,
}

/// Reads a whole answer.
pub(super) fn read(bytes: &[u8]) -> Result<Fetched, &'static str> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Response::new(&mut headers);
    let Ok(httparse::Status::Complete(length)) = head.parse(bytes) else {
        return Err("its answer is no HTTP.");
    };
    if head.code != Some(200) {
        return Err("it does not answer with 200; redirects are not followed.");
    }
    let rest = bytes.get(length..).unwrap_or_default();
    let header = |name: &str| {
        let mut found = head.headers.iter().filter(|h| h.name.eq_ignore_ascii_case(name));
        let value = found
            .next()
            .and_then(|h| std::str::from_utf8(h.value).ok())
            .map(str::trim);
        (value, found.next().is_some())
    };
    if header("content-encoding")
        .0
        .is_some_and(|coding| !coding.eq_ignore_ascii_case("identity"))
    {
        return Err("its answer is compressed.");
    }
    let body = match (header("transfer-encoding"), header("content-length")) {
        ((None, _), (Some(length), false)) => {
            let length: usize = length.parse().map_err(|_| "its answer has no length.")?;
            rest.get(..length).ok_or("its answer ends too early.")?.to_vec()
        }
        ((Some(coding), false), (None, _)) if coding.eq_ignore_ascii_case("chunked") => chunked(rest)?,
        _ => return Err("its answer does not say once how long it is."),
    };
    Ok(Fetched {
        body,
        keep: header("cache-control").0.and_then(kept),
    })
}

/// The chunks of a body, up to the last.
fn chunked(mut rest: &[u8]) -> Result<Vec<u8>, &'static str> {
    let wrong = "its answer is no sequence of chunks.";
    let mut body = Vec::new();
    loop {
        let Ok(httparse::Status::Complete((start, length))) = httparse::parse_chunk_size(rest) else {
            return Err(wrong);
        };
        let length = usize::try_from(length).map_err(|_| wrong)?;
        if length == 0 {
            return Ok(body);
        }
        let end = start.checked_add(length).ok_or(wrong)?;
        body.extend_from_slice(rest.get(start..end).ok_or(wrong)?);
        rest = rest
            .get(end..)
            .and_then(|rest| rest.strip_prefix(b"\r\n"))
            .ok_or(wrong)?;
    }
}

/// `max-age`, or nothing at all for `no-store` and `no-cache`.
fn kept(control: &str) -> Option<Duration> {
    let mut directives = control.split(',').map(|d| d.trim().to_ascii_lowercase());
    directives.find_map(|directive| match directive.as_str() {
        "no-store" | "no-cache" => Some(Duration::ZERO),
        other => {
            let seconds = other.strip_prefix("max-age=")?.parse().ok()?;
            Some(Duration::from_secs(seconds))
        }
    })
}
