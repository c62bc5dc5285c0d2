//! `Content-Encoding: gzip` and `deflate`, inflated piece by piece.
//!
//! Invariant: the output never passes the limit nor the ratio to what came in by more than one small buffer.

use std::io::{self, Write};

use flate2::write::{GzDecoder, ZlibDecoder};

use super::budget::Taken;
use crate::error::{Error, ErrorCode, Result};

/// How much compressed text goes in at once; the ratio is checked with this grain.
const PIECE: usize = 1024;
/// A small body may be compressed beyond the ratio.
const FREE: usize = 64 * 1024;

/// Collects a body that comes in chunks, inflating it where it is compressed.
pub(crate) struct Collector {
    decoder: Decoder,
    limit: usize,
    ratio: usize,
    received: usize,
}

enum Decoder {
    Identity(Sink),
    Gzip(Box<GzDecoder<Sink>>),
    Deflate(Box<ZlibDecoder<Sink>>),
}

/// Takes bytes up to a bound that moves with what came in.
struct Sink {
    out: Vec<u8>,
    taken: Taken,
    bound: usize,
    refusal: Option<Error>,
}

impl Collector {
    /// For that `Content-Encoding`.
    ///
    /// # Errors
    /// [`ErrorCode::UnsupportedMediaType`]: not one the server inflates.
    pub(crate) fn new(encoding: Option<&str>, limit: usize, ratio: usize, taken: Taken) -> Result<Self> {
        let sink = Sink {
            out: Vec::new(),
            taken,
            bound: 0,
            refusal: None,
        };
        let decoder = match encoding.unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Decoder::Identity(sink),
            "gzip" | "x-gzip" => Decoder::Gzip(Box::new(GzDecoder::new(sink))),
            "deflate" => Decoder::Deflate(Box::new(ZlibDecoder::new(sink))),
            _ => {
                let text = "The server reads bodies with `Content-Encoding` gzip, deflate or none.";
                return Err(Error::new(ErrorCode::UnsupportedMediaType, text).at("http.content-encoding"));
            }
        };
        Ok(Collector {
            decoder,
            limit,
            ratio,
            received: 0,
        })
    }

    /// Adds a chunk as it came over the wire.
    ///
    /// # Errors
    /// The body is too large, grows too much, or is not of its encoding.
    pub(crate) fn push(&mut self, chunk: &[u8]) -> Result<()> {
        for piece in chunk.chunks(PIECE) {
            self.received = self.received.saturating_add(piece.len());
            if self.received > self.limit {
                return Err(too_large(self.limit));
            }
            let grown = self.received.saturating_mul(self.ratio).saturating_add(FREE);
            let bound = grown.min(self.limit);
            let written = match &mut self.decoder {
                Decoder::Identity(sink) => {
                    sink.bound = self.limit;
                    sink.write_all(piece)
                }
                Decoder::Gzip(decoder) => {
                    decoder.get_mut().bound = bound;
                    decoder.write_all(piece)
                }
                Decoder::Deflate(decoder) => {
                    decoder.get_mut().bound = bound;
                    decoder.write_all(piece)
                }
            };
            written.map_err(|cause| self.refused(cause))?;
        }
        Ok(())
    }

    /// The whole body, and what it holds of the budget.
    ///
    /// # Errors
    /// The compressed text ends too early or its checksum is wrong.
    pub(crate) fn finish(mut self) -> Result<(Vec<u8>, Taken)> {
        let ended = match &mut self.decoder {
            Decoder::Identity(_) => Ok(()),
            Decoder::Gzip(decoder) => decoder.try_finish(),
            Decoder::Deflate(decoder) => decoder.try_finish(),
        };
        ended.map_err(|cause| self.refused(cause))?;
        let sink = match self.decoder {
            Decoder::Identity(sink) => sink,
            Decoder::Gzip(decoder) => decoder.finish().map_err(malformed)?,
            Decoder::Deflate(decoder) => decoder.finish().map_err(malformed)?,
        };
        Ok((sink.out, sink.taken))
    }

    fn refused(&mut self, cause: io::Error) -> Error {
        let sink = match &mut self.decoder {
            Decoder::Identity(sink) => sink,
            Decoder::Gzip(decoder) => decoder.get_mut(),
            Decoder::Deflate(decoder) => decoder.get_mut(),
        };
        match sink.refusal.take() {
            Some(refusal) => refusal,
            None if cause.kind() == io::ErrorKind::FileTooLarge && sink.bound < self.limit => {
                let text = format!(
                    "The compressed body grows more than {} times; send it less compressed.",
                    self.ratio
                );
                Error::new(ErrorCode::TooLarge, text).at("http.content-encoding")
            }
            None if cause.kind() == io::ErrorKind::FileTooLarge => too_large(self.limit),
            None => malformed(cause),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.out.len() + bytes.len() > self.bound {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if let Err(refusal) = self.taken.grow(bytes.len()) {
            self.refusal = Some(refusal);
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The refusal of a body above the limit.
pub(super) fn too_large(limit: usize) -> Error {
    Error::new(
        ErrorCode::TooLarge,
        format!("The body is larger than the limit of {limit} bytes, after inflating."),
    )
}

fn malformed(cause: io::Error) -> Error {
    let text = "The body is not of the form that its `Content-Encoding` names, or is cut off.";
    Error::new(ErrorCode::Structure, text)
        .at("http.content-encoding")
        .with_cause(cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::budget::BodyBudget;
    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    const MIB: usize = 1024 * 1024;

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn collect(encoding: Option<&str>, chunks: &[&[u8]], limit: usize) -> Result<Vec<u8>> {
        let mut collector = Collector::new(encoding, limit, 100, BodyBudget::new(64 * MIB).open())?;
        for chunk in chunks {
            collector.push(chunk)?;
        }
        Ok(collector.finish()?.0)
    }

    #[test]
    fn inflates_whatever_the_chunks() {
        let content = b"{\"resourceType\":\"Patient\"}".repeat(100);
        let zipped = gzip(&content);
        for size in [1, 7, 4096] {
            let chunks: Vec<&[u8]> = zipped.chunks(size).collect();
            assert_eq!(collect(Some("gzip"), &chunks, MIB).unwrap(), content);
        }
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(&content).unwrap();
        assert_eq!(
            collect(Some("Deflate"), &[&zlib.finish().unwrap()], MIB).unwrap(),
            content
        );
        assert_eq!(collect(None, &[&content], MIB).unwrap(), content);
    }

    #[test]
    fn a_bomb_is_stopped_early() {
        let bomb = gzip(&vec![0; 50 * MIB]);
        let mut collector =
            Collector::new(Some("gzip"), 16 * MIB, 100, BodyBudget::new(64 * MIB).open()).unwrap();
        let error = collector.push(&bomb).unwrap_err();
        assert_eq!(error.code, ErrorCode::TooLarge);
        assert!(
            collector.received < 4 * PIECE,
            "stopped after {} of {} bytes",
            collector.received,
            bomb.len()
        );
        let Decoder::Gzip(decoder) = &collector.decoder else {
            panic!("gzip")
        };
        assert!(decoder.get_ref().out.capacity() < MIB);
    }

    #[test]
    fn a_body_above_the_limit_is_refused_in_every_encoding() {
        let content: Vec<u8> = (0..200_000u32).flat_map(u32::to_le_bytes).collect();
        assert_eq!(
            collect(None, &[&content], MIB / 2).unwrap_err().code,
            ErrorCode::TooLarge
        );
        let zipped = gzip(&content);
        assert_eq!(
            collect(Some("gzip"), &[&zipped], MIB / 2).unwrap_err().code,
            ErrorCode::TooLarge
        );
    }

    #[test]
    fn a_broken_or_unknown_encoding_is_refused() {
        let zipped = gzip(b"hello");
        let cut = &zipped[..zipped.len() - 4];
        let mut wrong = zipped.clone();
        let at = wrong.len() - 6;
        wrong[at] ^= 0xff;
        for bytes in [cut, &wrong, b"hello", b""] {
            assert_eq!(
                collect(Some("gzip"), &[bytes], MIB).unwrap_err().code,
                ErrorCode::Structure,
                "{bytes:?}"
            );
        }
        let trailing = [&zipped[..], b"more"].concat();
        assert_eq!(
            collect(Some("gzip"), &[&trailing], MIB).unwrap_err().code,
            ErrorCode::Structure
        );
        for encoding in ["br", "zstd", "compress", "gzip, gzip", "nonsense"] {
            assert_eq!(
                collect(Some(encoding), &[], MIB).unwrap_err().code,
                ErrorCode::UnsupportedMediaType
            );
        }
    }

    #[test]
    fn the_budget_of_all_bodies_is_kept() {
        let budget = BodyBudget::new(1000);
        let mut first = Collector::new(None, MIB, 100, budget.open()).unwrap();
        first.push(&[0; 800]).unwrap();
        let mut second = Collector::new(None, MIB, 100, budget.open()).unwrap();
        assert_eq!(second.push(&[0; 300]).unwrap_err().code, ErrorCode::Unavailable);
        drop(first);
        second.push(&[0; 300]).unwrap();
    }
}
