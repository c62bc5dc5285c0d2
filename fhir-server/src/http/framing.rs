//! Where one request ends and the next begins, read strictly before actix reads it (RFC 9112, sections 2.2, 5, 6 and 7).
//!
//! actix's parser is lenient: it takes a bare LF for a line's end, repeats of the same length, extensions of chunks. A proxy
//! that reads such a text otherwise sees other requests in it than we do. So what can be read in two ways is not read.
//!
//! Invariant: a head with a bare CR or LF, a folded line, more than one length, or a transfer coding other than `chunked`
//! never reaches the parser whole; nor does a chunk with an extension, or a trailer.

/// Longer lines matter only if they are about the length, and those are never so long.
const KEPT: usize = 256;
/// Digits of a length: fewer than would overflow.
const DIGITS: usize = 15;

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    RequestLine,
    Header,
    Body(u64),
    ChunkSize,
    Chunk(u64),
    ChunkEnd,
    /// The empty line after the last chunk.
    LastChunk,
    Broken,
}

/// The place in a stream of requests.
pub(super) struct Framing {
    state: State,
    /// The line so far, as far as it is kept, without its end.
    line: Vec<u8>,
    /// How long the line is so far.
    length: usize,
    was_cr: bool,
    content_length: Option<u64>,
    is_chunked: bool,
}

/// The text cannot be taken.
struct Fault;

impl Framing {
    pub(super) fn new() -> Self {
        Framing {
            state: State::RequestLine,
            line: Vec::new(),
            length: 0,
            was_cr: false,
            content_length: None,
            is_chunked: false,
        }
    }

    /// Goes over what came; the index of the first byte that must not be passed on. From then on it is none.
    pub(super) fn first_fault(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            match self.step(rest) {
                Ok(taken) => at += taken,
                Err(Fault) => {
                    self.state = State::Broken;
                    return Some(at);
                }
            }
        }
        None
    }

    /// Takes at least one byte; how many.
    fn step(&mut self, rest: &[u8]) -> Result<usize, Fault> {
        let (State::Body(left) | State::Chunk(left)) = self.state else {
            if let Some(byte) = rest.first() {
                self.byte(*byte)?;
            }
            return Ok(1);
        };
        let taken = usize::try_from(left).map_or(rest.len(), |left| left.min(rest.len()));
        let left = left.saturating_sub(taken as u64);
        self.state = match (self.state, left) {
            (State::Body(_), 0) => State::RequestLine,
            (State::Body(_), left) => State::Body(left),
            (_, 0) => State::ChunkEnd,
            (_, left) => State::Chunk(left),
        };
        Ok(taken)
    }

    /// One byte of a line.
    fn byte(&mut self, byte: u8) -> Result<(), Fault> {
        let was_cr = std::mem::replace(&mut self.was_cr, byte == b'\r');
        match (was_cr, byte) {
            (_, _) if self.state == State::Broken => Err(Fault),
            (true, b'\n') => {
                let line = std::mem::take(&mut self.line);
                let length = std::mem::take(&mut self.length);
                self.end_of_line(&line, length)
            }
            (true, _) | (false, b'\n') => Err(Fault),
            (false, b'\r') => Ok(()),
            (false, byte) => self.within_line(byte),
        }
    }

    fn within_line(&mut self, byte: u8) -> Result<(), Fault> {
        let is_taken = match self.state {
            // A line that begins with a blank is the last one folded.
            State::Header => self.length > 0 || !matches!(byte, b' ' | b'\t'),
            State::ChunkSize => self.length < DIGITS && byte.is_ascii_hexdigit(),
            State::ChunkEnd | State::LastChunk => false,
            _ => true,
        };
        if !is_taken {
            return Err(Fault);
        }
        self.length = self.length.saturating_add(1);
        if self.line.len() < KEPT {
            self.line.push(byte);
        }
        Ok(())
    }

    fn end_of_line(&mut self, line: &[u8], length: usize) -> Result<(), Fault> {
        self.state = match self.state {
            // Empty lines before a request are passed over.
            State::RequestLine if length == 0 => State::RequestLine,
            State::RequestLine => State::Header,
            State::Header if length == 0 => self.end_of_head()?,
            State::Header => {
                self.header(line, length)?;
                State::Header
            }
            State::ChunkSize => match number(line, 16)? {
                0 => State::LastChunk,
                size => State::Chunk(size),
            },
            State::ChunkEnd => State::ChunkSize,
            State::LastChunk => State::RequestLine,
            other => other,
        };
        Ok(())
    }

    fn header(&mut self, line: &[u8], length: usize) -> Result<(), Fault> {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let name = parts.next().unwrap_or_default().trim_ascii_end();
        let value = parts.next().unwrap_or_default().trim_ascii();
        let is_length = name.eq_ignore_ascii_case(b"content-length");
        let is_coding = name.eq_ignore_ascii_case(b"transfer-encoding");
        if (is_length || is_coding) && length > KEPT {
            return Err(Fault);
        }
        if is_length && self.content_length.replace(number(value, 10)?).is_some() {
            return Err(Fault);
        }
        if is_coding {
            let again = std::mem::replace(&mut self.is_chunked, true);
            if again || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Fault);
            }
        }
        Ok(())
    }

    fn end_of_head(&mut self) -> Result<State, Fault> {
        match (self.content_length.take(), std::mem::take(&mut self.is_chunked)) {
            (Some(_), true) => Err(Fault),
            (None, true) => Ok(State::ChunkSize),
            (None | Some(0), false) => Ok(State::RequestLine),
            (Some(length), false) => Ok(State::Body(length)),
        }
    }
}

/// A number of digits alone.
fn number(text: &[u8], radix: u32) -> Result<u64, Fault> {
    if text.is_empty() || text.len() > DIGITS {
        return Err(Fault);
    }
    text.iter().try_fold(0u64, |number, byte| {
        let digit = char::from(*byte).to_digit(radix).ok_or(Fault)?;
        Ok(number * u64::from(radix) + u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first fault in a stream, however it is cut.
    fn fault(text: &str) -> Option<usize> {
        let whole = Framing::new().first_fault(text.as_bytes());
        for size in [1, 2, 3, 7] {
            let mut framing = Framing::new();
            let mut pieces = text.as_bytes().chunks(size).enumerate();
            let found = pieces.find_map(|(i, piece)| Some(i * size + framing.first_fault(piece)?));
            assert_eq!(found, whole, "{text:?} in pieces of {size}");
        }
        whole
    }

    const NEXT: &str = "GET /b HTTP/1.1\r\nHost: x\r\n\r\n";

    #[test]
    fn what_can_be_read_in_one_way_only_is_passed_on() {
        for request in [
            "GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
            "\r\nGET /a HTTP/1.1\r\nHost: x\r\nX: a\tb \r\n\r\n",
            "POST /a HTTP/1.1\r\ncontent-LENGTH:\t3 \r\n\r\na\nb",
            "POST /a HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
            "POST /a HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\na\nb\r\n0aB\r\n",
        ] {
            if request.contains("Chunked") {
                let body = "x".repeat(0xab) + "\r\n0\r\n\r\n";
                assert_eq!(fault(&format!("{request}{body}{NEXT}")), None);
            } else {
                assert_eq!(fault(&format!("{request}{NEXT}{NEXT}")), None, "{request:?}");
            }
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_stopped_before_it_is_whole() {
        for (before, after) in [
            ("GET /a HTTP/1.1", "\nHost: x\r\n\r\n"),
            ("GET /a HTTP/1.1\r\nHost: x", "\n\r\n"),
            ("GET /a HTTP/1.1\r\nHost: x\r\n", "\n"),
            ("", "\nGET /a HTTP/1.1\r\n\r\n"),
            ("GET /a HTTP/1.1\r\nX: a\r", "b\r\n\r\n"),
            ("GET /a HTTP/1.1\r\nX: a\r\n", " b\r\n\r\n"),
            ("GET /a HTTP/1.1\r\nX: a\r\n", "\tb\r\n\r\n"),
            (
                "POST /a HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r",
                "\n\r\nabc",
            ),
            ("POST /a HTTP/1.1\r\nContent-Length: 3, 3\r", "\n\r\nabc"),
            ("POST /a HTTP/1.1\r\nContent-Length: +3\r", "\n\r\nabc"),
            ("POST /a HTTP/1.1\r\nContent-Length:\r", "\n\r\n"),
            (
                "POST /a HTTP/1.1\r\nContent-Length: 99999999999999999999\r",
                "\n\r\n",
            ),
            (
                "POST /a HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r",
                "\n0\r\n\r\n",
            ),
            ("POST /a HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r", "\n\r\n"),
            (
                "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r",
                "\n\r\n",
            ),
            ("POST /a HTTP/1.1\r\nTransfer-Encoding: xchunked\r", "\n\r\n"),
            (
                "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3",
                ";a=b\r\nabc\r\n0\r\n\r\n",
            ),
            (
                "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3",
                " \r\nabc\r\n0\r\n\r\n",
            ),
            (
                "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
                "0x3\r\nabc\r\n0\r\n\r\n",
            ),
            (
                "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3",
                "\nabc\r\n0\r\n\r\n",
            ),
            (
                "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc",
                "d\r\n0\r\n\r\n",
            ),
            (
                "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
                "X: y\r\n\r\n",
            ),
        ] {
            let at = fault(&format!("{before}{after}"));
            // `0x3`: the zero is a digit, the x is none.
            let expected = before.len() + usize::from(after.starts_with("0x"));
            assert_eq!(at, Some(expected), "{before:?} {after:?}");
            assert_eq!(
                fault(&format!("{NEXT}{before}{after}")),
                Some(NEXT.len() + expected)
            );
        }
    }

    #[test]
    fn after_a_fault_nothing_is_passed_on() {
        let mut framing = Framing::new();
        assert_eq!(framing.first_fault(b"GET / HTTP/1.1\n"), Some(14));
        assert_eq!(framing.first_fault(NEXT.as_bytes()), Some(0));
    }

    #[test]
    fn a_long_line_is_not_kept() {
        let mut framing = Framing::new();
        let line = format!(
            "GET /{} HTTP/1.1\r\nX: {}",
            "a".repeat(100_000),
            "b".repeat(100_000)
        );
        assert_eq!(framing.first_fault(line.as_bytes()), None);
        assert_eq!(framing.line.len(), KEPT);
        let long = format!("Content-Length: {}3\r\n", " ".repeat(KEPT));
        assert!(fault(&format!("POST / HTTP/1.1\r\n{long}\r\n")).is_some());
    }
}
