//! A client that keeps its connection: races of thousands of rounds would spend most of their time on connecting.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// An answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Reply {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    /// The version in the entity tag.
    pub(crate) fn version(&self) -> Option<u64> {
        self.header("etag")?.split('"').nth(1)?.parse().ok()
    }

    /// The content.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// A connection to a node.
pub(crate) struct Client {
    address: String,
    stream: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn new(address: &str) -> Client {
        Client {
            address: address.to_owned(),
            stream: connected(address),
        }
    }

    /// Connects again where the server has closed the connection, as it does with one that nobody used for a while.
    fn renew(&mut self) {
        let socket = self.stream.get_ref();
        socket.set_nonblocking(true).unwrap();
        let is_closed = matches!(socket.peek(&mut [0]), Ok(0));
        socket.set_nonblocking(false).unwrap();
        if is_closed {
            self.stream = connected(&self.address);
        }
    }

    /// One request on the FHIR base, with further headers, each ended by a line break.
    pub(crate) fn send(&mut self, method: &str, path: &str, headers: &str, body: &str) -> Reply {
        let kind = match method {
            "PATCH" => "application/json-patch+json",
            _ => "application/fhir+json",
        };
        let request = format!(
            "{method} /fhir{path} HTTP/1.1\r\nHost: {}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{headers}\r\n{body}",
            self.address,
            body.len()
        );
        self.renew();
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
        self.reply()
    }

    pub(crate) fn get(&mut self, path: &str) -> Reply {
        self.send("GET", path, "", "")
    }

    fn reply(&mut self) -> Reply {
        let mut head = String::new();
        loop {
            let before = head.len();
            assert!(
                self.stream.read_line(&mut head).unwrap() > 0,
                "the connection ended: {head}"
            );
            if head.get(before..) == Some("\r\n") {
                break;
            }
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let reply = Reply {
            status,
            head,
            body: String::new(),
        };
        let length = reply.header("content-length").map_or(0, |n| n.parse().unwrap());
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        Reply {
            body: String::from_utf8(body).unwrap(),
            ..reply
        }
    }
}

fn connected(address: &str) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    BufReader::new(stream)
}
