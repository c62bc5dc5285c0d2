//! Reads a request body: within its size, its deadline and its least rate.
//!
//! Invariant: a body that is not read to its end closes the connection ([`Unread::close_after`]); else a client could hold it open
//! by sending on for ever.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_http::ConnectionType;
use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::time::{Instant, timeout_at};

use super::budget::{BodyBudget, Taken};
use super::inflate::{Collector, too_large};
use crate::config::{DeadlinesConfig, LimitsConfig};
use crate::error::{Error, ErrorCode};

type Result<T, E = Error> = std::result::Result<T, E>;

/// What bounds a body.
pub(crate) struct Bounds<'c> {
    /// bytes after inflating
    pub(crate) bytes: usize,
    pub(crate) limits: &'c LimitsConfig,
    pub(crate) deadlines: &'c DeadlinesConfig,
}

/// A body and the memory it holds of the budget.
pub(crate) struct Body {
    pub(crate) bytes: Bytes,
    /// Kept until the request is done.
    pub(crate) taken: Taken,
}

/// A body that comes in.
pub(crate) struct Unread {
    payload: Payload,
    ended: bool,
}

impl Unread {
    pub(crate) fn new(payload: Payload) -> Self {
        let ended = matches!(payload, Payload::None);
        Unread { payload, ended }
    }

    /// Where something of the body is left, the answer holds it until it is sent, which makes actix close the connection
    /// after it. Dropped, the rest would be read and thrown away for as long as the client likes to send.
    pub(crate) fn close_after(self, answer: HttpResponse) -> HttpResponse {
        match self.ended {
            true => answer,
            false => {
                let mut answer = answer.map_body(|_, body| BoxBody::new(Holding { body, _unread: self }));
                answer.head_mut().set_connection_type(ConnectionType::Close);
                answer
            }
        }
    }
}

/// The body of an answer, and what was not read of the request's.
struct Holding {
    body: BoxBody,
    _unread: Unread,
}

impl MessageBody for Holding {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        self.get_mut().body.as_pin_mut().poll_next(cx)
    }
}

/// Reads the body to its end.
///
/// # Errors
/// It is too large, too slow, cut off, or not of its encoding.
pub(crate) async fn read(
    unread: &mut Unread,
    headers: &HeaderMap,
    bounds: &Bounds<'_>,
    budget: &BodyBudget,
) -> Result<Body> {
    refuse_declared(headers, bounds.bytes)?;
    let encoding = headers.get(CONTENT_ENCODING).map(|v| v.to_str().unwrap_or("?"));
    let mut collector = Collector::new(encoding, bounds.bytes, bounds.limits.inflate_ratio, budget.open())?;
    let start = Instant::now();
    let mut received = 0;
    loop {
        let until = start + allowance(received, bounds);
        let chunk = match timeout_at(until, unread.payload.next()).await {
            Err(_) => return Err(too_slow(bounds)),
            Ok(None) => break,
            Ok(Some(Err(cause))) => {
                unread.ended = true;
                let text = "The body ended before its announced length, or its chunks are malformed.";
                return Err(Error::new(ErrorCode::Structure, text).with_cause(cause.to_string()));
            }
            Ok(Some(Ok(chunk))) => chunk,
        };
        received += chunk.len();
        collector.push(&chunk)?;
    }
    unread.ended = true;
    let (bytes, taken) = collector.finish()?;
    Ok(Body {
        bytes: bytes.into(),
        taken,
    })
}

/// How long a body may have taken that has so many bytes: the grace, a second for each `body_bytes_per_second`, and
/// never more than the deadline.
fn allowance(received: usize, bounds: &Bounds<'_>) -> Duration {
    let millis = received.saturating_mul(1000) / bounds.limits.body_bytes_per_second;
    let earned = Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX));
    bounds
        .deadlines
        .body_grace
        .saturating_add(earned)
        .min(bounds.deadlines.body)
}

fn too_slow(bounds: &Bounds<'_>) -> Error {
    let text = format!(
        "The body came in too slowly: it has {} s in all, and at least {} bytes a second after the first {} s.",
        bounds.deadlines.body.as_secs_f32(),
        bounds.limits.body_bytes_per_second,
        bounds.deadlines.body_grace.as_secs_f32(),
    );
    Error::new(ErrorCode::RequestTimeout, text)
}

/// Refuses by `Content-Length` before anything is read.
fn refuse_declared(headers: &HeaderMap, limit: usize) -> Result<()> {
    let declared = headers
        .get(CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    match declared {
        Some(length) if usize::try_from(length).map_or(true, |l| l > limit) => Err(too_large(limit)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};
    use actix_web::rt::time::sleep;
    use futures_util::stream;

    fn limits() -> LimitsConfig {
        LimitsConfig {
            body_bytes: 1000,
            body_bytes_per_second: 1000,
            ..Default::default()
        }
    }

    fn deadlines() -> DeadlinesConfig {
        DeadlinesConfig {
            body: Duration::from_millis(400),
            body_grace: Duration::from_millis(100),
            ..Default::default()
        }
    }

    async fn read_chunks(chunks: &[&'static str], pause: u64, headers: &HeaderMap) -> Result<Bytes> {
        let chunks: Vec<&'static str> = chunks.to_vec();
        let stream = stream::iter(chunks).then(move |chunk| async move {
            sleep(Duration::from_millis(pause)).await;
            Ok(Bytes::from_static(chunk.as_bytes()))
        });
        let mut unread = Unread::new(Payload::Stream {
            payload: Box::pin(stream),
        });
        let (limits, deadlines) = (limits(), deadlines());
        let bounds = Bounds {
            bytes: limits.body_bytes,
            limits: &limits,
            deadlines: &deadlines,
        };
        read(&mut unread, headers, &bounds, &BodyBudget::new(10_000))
            .await
            .map(|b| b.bytes)
    }

    #[actix_web::test]
    async fn chunks_become_one_body() {
        let body = read_chunks(&["{\"a\"", ":1}"], 0, &HeaderMap::new())
            .await
            .unwrap();
        assert_eq!(&body[..], b"{\"a\":1}");
    }

    #[actix_web::test]
    async fn a_trickle_is_cut_off_long_before_its_end() {
        let start = std::time::Instant::now();
        let error = read_chunks(&["x"; 100], 20, &HeaderMap::new()).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::RequestTimeout);
        assert!(
            start.elapsed() < Duration::from_millis(390),
            "{:?}",
            start.elapsed()
        );
    }

    #[actix_web::test]
    async fn a_steady_body_has_until_the_deadline_and_no_longer() {
        let fifty = "0123456789".repeat(5).leak();
        let body = read_chunks(&[&*fifty; 6], 30, &HeaderMap::new()).await.unwrap();
        assert_eq!(body.len(), 300);
        let error = read_chunks(&[&*fifty; 20], 30, &HeaderMap::new())
            .await
            .unwrap_err();
        assert_eq!(error.code, ErrorCode::RequestTimeout);
    }

    #[actix_web::test]
    async fn too_large_is_refused_by_announcement_and_by_count() {
        let hundred = "0123456789".repeat(10).leak();
        let error = read_chunks(&[&*hundred; 11], 0, &HeaderMap::new())
            .await
            .unwrap_err();
        assert_eq!(error.code, ErrorCode::TooLarge);
        for length in ["1001", "10737418240"] {
            let mut headers = HeaderMap::new();
            headers.insert(
                HeaderName::from_static("content-length"),
                HeaderValue::from_static(length),
            );
            assert_eq!(
                read_chunks(&[], 0, &headers).await.unwrap_err().code,
                ErrorCode::TooLarge
            );
        }
    }
}
