//! [`Connection`]: one connection of a client that waits for each answer.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One connection, with the answer that came last.
pub(crate) struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
    body_at: usize,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Connection {
            stream,
            answer: Vec::new(),
            body_at: 0,
        }
    }

    /// Sends a request and waits for all of its answer; its status.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> u16 {
        self.answer.clear();
        self.stream.write_all(request).await.unwrap();
        let mut whole = usize::MAX;
        while self.answer.len() < whole {
            let read = self.stream.read_buf(&mut self.answer).await.unwrap();
            assert!(read > 0, "the server closed the connection");
            if whole == usize::MAX
                && let Some(at) = self.answer.windows(4).position(|w| w == b"\r\n\r\n")
            {
                self.body_at = at + 4;
                whole = self.body_at + content_length(&self.answer[..at]);
            }
        }
        let status = self
            .answer
            .get(9..12)
            .and_then(|text| std::str::from_utf8(text).ok());
        status.and_then(|text| text.parse().ok()).expect("a status line")
    }

    /// The body of the last answer.
    pub(crate) fn body(&self) -> &[u8] {
        &self.answer[self.body_at..]
    }
}

fn content_length(head: &[u8]) -> usize {
    let name = b"content-length: ";
    let lines = head.split(|byte| *byte == b'\n');
    let mut values =
        lines.filter(|line| line.len() > name.len() && line[..name.len()].eq_ignore_ascii_case(name));
    let value = values.next().expect("an answer tells its length");
    let text = std::str::from_utf8(&value[name.len()..]).unwrap();
    text.trim().parse().unwrap()
}
