//! A connection that does not wait for ever, and explains the refusals that actix makes before there is a request.
//!
//! actix bounds the time of the first request's head and of an idle connection, nothing else. So here a client has to take
//! something of an answer within `deadlines.write`, and a connection on which no answer was written for longer than an
//! honest one can need ends: a client that dribbles the head of a second request, say.
//! What actix refuses by itself goes out explained (`explain.rs`), and it is made to refuse what can be read in two ways
//! (`framing.rs`): in place of the first byte at fault it reads a NUL, which no head and no size of a chunk may have.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::explain::explained;
use super::framing::Framing;
use crate::config::DeadlinesConfig;

/// A connection with deadlines.
pub(crate) struct Wire<T> {
    io: T,
    framing: Framing,
    silence: Deadline,
    write: Deadline,
    /// Whether a write waits for the client.
    writing: bool,
    instead: Option<Instead>,
}

/// An answer that takes the place of one of actix's.
struct Instead {
    text: Vec<u8>,
    written: usize,
    /// How long actix's own was.
    replaced: usize,
}

impl<T> Wire<T> {
    pub(crate) fn new(io: T, deadlines: &DeadlinesConfig) -> Self {
        let silence = Deadline::new(deadlines.silence());
        Wire {
            io,
            framing: Framing::new(),
            silence,
            write: Deadline::new(deadlines.write),
            writing: false,
            instead: None,
        }
    }
}

/// A point in time that moves on with each sign of life; the timer behind it is set anew only when it rings too early.
struct Deadline {
    patience: Duration,
    last: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Deadline {
    fn new(patience: Duration) -> Self {
        let last = Instant::now();
        Deadline {
            patience,
            last,
            timer: Box::pin(sleep_until(last + patience)),
        }
    }

    fn restart(&mut self) {
        self.last = Instant::now();
    }

    /// Fails once the time is over.
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while self.timer.as_mut().poll(cx).is_ready() {
            let until = self.last + self.patience;
            if until <= Instant::now() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.timer.as_mut().reset(until);
        }
        Ok(())
    }
}

impl<T: AsyncWrite + Unpin> Wire<T> {
    /// A write whose waiting is bounded.
    fn bounded<R>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        match polled {
            Poll::Pending => {
                if !std::mem::replace(&mut self.writing, true) {
                    self.write.restart();
                }
                self.write.check(cx)?;
                Poll::Pending
            }
            Poll::Ready(done) => {
                self.writing = false;
                self.silence.restart();
                Poll::Ready(done)
            }
        }
    }

    /// Writes what takes the place of actix's own answer; how long that was, once all is written.
    fn write_instead(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        while let Some(mut instead) = self.instead.take() {
            let rest = instead.text.get(instead.written..).unwrap_or_default();
            if rest.is_empty() {
                return Poll::Ready(Ok(instead.replaced));
            }
            let polled = Pin::new(&mut self.io).poll_write(cx, rest);
            if let Poll::Ready(Ok(more)) = &polled {
                if *more == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                instead.written += more;
            }
            self.instead = Some(instead);
            ready!(self.bounded(cx, polled))?;
        }
        Poll::Ready(Ok(0))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Wire<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.silence.check(cx)?;
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        let new = buf.filled_mut().get_mut(before..).unwrap_or_default();
        if let Some(at) = self.framing.first_fault(new)
            && let Some(byte) = new.get_mut(at)
        {
            *byte = 0;
            buf.set_filled(before + at + 1);
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Wire<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.instead.is_none()
            && let Some(text) = explained(buf)
        {
            self.instead = Some(Instead {
                text,
                written: 0,
                replaced: buf.len(),
            });
        }
        // When this is not done at once, the caller comes again with the same text.
        let replaced = ready!(self.write_instead(cx))?;
        if replaced > 0 {
            return Poll::Ready(Ok(replaced.min(buf.len())));
        }
        let polled = Pin::new(&mut self.io).poll_write(cx, buf);
        self.bounded(cx, polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.write_instead(cx))?;
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.write_instead(cx))?;
        let polled = Pin::new(&mut self.io).poll_shutdown(cx);
        self.bounded(cx, polled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    fn deadlines() -> DeadlinesConfig {
        let short = Duration::from_millis(40);
        DeadlinesConfig {
            header: short,
            body: short,
            request: short,
            write: short,
            keep_alive: short,
            ..Default::default()
        }
    }

    #[actix_web::test]
    async fn a_client_that_takes_nothing_is_cut_off() {
        let (near, _far) = duplex(16);
        let mut wire = Wire::new(near, &deadlines());
        let error = wire.write_all(&[0; 64]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[actix_web::test]
    async fn a_client_that_takes_a_little_now_and_then_is_served() {
        let (near, mut far) = duplex(16);
        let mut wire = Wire::new(near, &deadlines());
        let reader = actix_web::rt::spawn(async move {
            let mut taken = 0;
            while taken < 64 {
                tokio::time::sleep(Duration::from_millis(20)).await;
                taken += far.read(&mut [0; 8]).await.unwrap();
            }
        });
        wire.write_all(&[0; 64]).await.unwrap();
        reader.await.unwrap();
    }

    #[actix_web::test]
    async fn a_connection_without_an_answer_for_too_long_ends_however_it_dribbles() {
        let (near, mut far) = duplex(16);
        let mut wire = Wire::new(near, &deadlines());
        actix_web::rt::spawn(async move {
            while far.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        let start = Instant::now();
        let error = loop {
            match wire.read(&mut [0; 8]).await {
                Ok(_) => assert!(start.elapsed() < Duration::from_secs(5)),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(
            start.elapsed() >= Duration::from_millis(150),
            "{:?}",
            start.elapsed()
        );
    }

    #[actix_web::test]
    async fn an_empty_refusal_goes_out_with_an_outcome() {
        let (near, mut far) = duplex(16);
        let mut wire = Wire::new(near, &deadlines());
        let actix = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\ndate: x\r\n\r\n";
        let writer = actix_web::rt::spawn(async move {
            wire.write_all(actix).await.unwrap();
            wire.shutdown().await.unwrap();
        });
        let mut text = String::new();
        far.read_to_string(&mut text).await.unwrap();
        writer.await.unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            head.contains(&format!("content-length: {}\r\n", body.len())),
            "{text}"
        );
        assert!(fhir_model::json::from_str(body).is_ok(), "{text}");
    }
}
