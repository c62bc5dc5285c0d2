//! actix answers a malformed or too large head, and one that comes too slowly, with a status and no body. Such an answer
//! goes out with an OperationOutcome in its place.

/// The refusals that actix makes by itself, as it writes them: status line and empty body. Ours always have a body.
const REFUSALS: [(&str, &str, &str, &str); 3] = [
    (
        "400 Bad Request",
        "structure",
        "INVALID_VALUE",
        "The request is not HTTP/1.1: its request line, a header, its length or its chunks are malformed.",
    ),
    (
        "408 Request Timeout",
        "timeout",
        "TIMEOUT",
        "The request line and the headers did not arrive in time.",
    ),
    (
        "431 Request Header Fields Too Large",
        "too-long",
        "INVALID_VALUE",
        "The request line and the headers are larger than the server takes.",
    ),
];

/// The same refusal with an OperationOutcome, if the text is one of them.
pub(super) fn explained(written: &[u8]) -> Option<Vec<u8>> {
    let rest = written.strip_prefix(b"HTTP/1.1 4")?;
    let text = str::from_utf8(rest).ok()?;
    let (status, issue, code, diagnostics) = REFUSALS.into_iter().find(|(status, ..)| {
        let head = status
            .strip_prefix('4')
            .and_then(|status| text.strip_prefix(status));
        head.is_some_and(|head| head.starts_with("\r\ncontent-length: 0\r\n") && head.ends_with("\r\n\r\n"))
    })?;
    let system = match code {
        "TIMEOUT" => "https://fhir.nhs.uk/CodeSystem/NHSD-API-ErrorOrWarningCode",
        _ => "https://fhir.nhs.uk/CodeSystem/Spine-ErrorOrWarningCode",
    };
    let body = format!(
        "{{\"resourceType\":\"OperationOutcome\",\"issue\":[{{\"severity\":\"error\",\"code\":\"{issue}\",\
         \"details\":{{\"coding\":[{{\"system\":\"{system}\",\"code\":\"{code}\"}}]}},\
         \"diagnostics\":\"{diagnostics}\"}}]}}"
    );
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/fhir+json; charset=utf-8\r\ncontent-length: {}\r\n\
         connection: close\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\n\r\n",
        body.len()
    );
    Some((head + &body).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_answers_go_out_as_they_are() {
        for text in [
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 10\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n",
        ] {
            assert_eq!(explained(text.as_bytes()), None, "{text}");
        }
        for (status, ..) in REFUSALS {
            assert!(
                explained(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes()).is_some()
            );
        }
    }
}
