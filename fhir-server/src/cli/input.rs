//! The units of a file: the whole of it, or in NDJSON each line; gzip of either.
//!
//! Invariant: a unit is never larger than the limit, and no more than one is held, whatever the file expands to.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use fhir_model::read::ReadOptions;
use fhir_server::interaction::Format;
use flate2::bufread::MultiGzDecoder;

/// What is loaded or checked as one.
#[derive(Debug)]
pub(super) struct Unit {
    /// The line in NDJSON, from 1.
    pub(super) line: Option<u64>,
    pub(super) format: Format,
    pub(super) text: Bytes,
}

/// How the text of a unit is read for its type: strictly.
pub(super) fn read_options(max_bytes: usize) -> ReadOptions {
    let mut options = ReadOptions::default();
    options.limits.bytes = max_bytes;
    options
}

/// A unit that could not be read, and why.
#[derive(Debug)]
pub(super) struct Unread {
    pub(super) line: Option<u64>,
    pub(super) reason: String,
}

/// The units of one file, in order.
pub(super) struct Units {
    reader: Box<dyn BufRead>,
    shape: Shape,
    line: u64,
    limit: usize,
    is_done: bool,
}

#[derive(Clone, Copy)]
enum Shape {
    Whole(Format),
    Lines,
}

/// A line as far as it fits.
enum Line {
    End,
    TooLong,
    Text(Vec<u8>),
}

impl Units {
    /// Opens a file. Its name tells whether it is NDJSON, XML or JSON; its first bytes whether it is compressed.
    /// `progress` counts the bytes taken from the disk.
    pub(super) fn open(path: &Path, limit: usize, progress: Arc<AtomicU64>) -> io::Result<Units> {
        let file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::Error::other("is a folder; name the files in it"));
        }
        let mut file = BufReader::with_capacity(64 * 1024, Counted(file, progress));
        let is_gzip = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
        let reader: Box<dyn BufRead> = match is_gzip {
            true => Box::new(BufReader::with_capacity(64 * 1024, MultiGzDecoder::new(file))),
            false => Box::new(file),
        };
        Ok(Units {
            reader,
            shape: shape(path),
            line: 0,
            limit,
            is_done: false,
        })
    }

    fn whole(&mut self, format: Format) -> Result<Unit, Unread> {
        self.is_done = true;
        let mut text = Vec::new();
        let most = u64::try_from(self.limit).unwrap_or(u64::MAX).saturating_add(1);
        let read = (&mut self.reader).take(most).read_to_end(&mut text);
        match read {
            Err(error) => Err(self.unread(None, &error)),
            Ok(_) if text.len() > self.limit => Err(self.too_long(None)),
            Ok(_) => Ok(Unit {
                line: None,
                format,
                text: text.into(),
            }),
        }
    }

    /// The next line that is not blank.
    fn next_line(&mut self) -> Option<Result<Unit, Unread>> {
        loop {
            self.line += 1;
            let line = Some(self.line);
            return match read_line(&mut self.reader, self.limit) {
                Err(error) => {
                    self.is_done = true;
                    Some(Err(self.unread(line, &error)))
                }
                Ok(Line::End) => {
                    self.is_done = true;
                    None
                }
                Ok(Line::TooLong) => Some(Err(self.too_long(line))),
                Ok(Line::Text(text)) if text.trim_ascii().is_empty() => continue,
                Ok(Line::Text(text)) => Some(Ok(Unit {
                    line,
                    format: Format::Json,
                    text: text.into(),
                })),
            };
        }
    }

    fn unread(&self, line: Option<u64>, error: &io::Error) -> Unread {
        Unread {
            line,
            reason: format!("cannot be read: {error}"),
        }
    }

    fn too_long(&self, line: Option<u64>) -> Unread {
        let reason = format!(
            "has more than {} bytes, the most that is taken as one",
            self.limit
        );
        Unread { line, reason }
    }
}

impl Iterator for Units {
    type Item = Result<Unit, Unread>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.shape {
            _ if self.is_done => None,
            Shape::Whole(format) => Some(self.whole(format)),
            Shape::Lines => self.next_line(),
        }
    }
}

fn shape(path: &Path) -> Shape {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    if name.ends_with(".ndjson") || name.ends_with(".jsonl") {
        Shape::Lines
    } else if name.ends_with(".xml") {
        Shape::Whole(Format::Xml)
    } else {
        Shape::Whole(Format::Json)
    }
}

/// Reads to the end of the line. What does not fit is passed over.
fn read_line(reader: &mut dyn BufRead, limit: usize) -> io::Result<Line> {
    let (mut text, mut is_too_long, mut is_empty) = (Vec::new(), false, true);
    loop {
        let piece = match reader.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            piece => piece?,
        };
        if piece.is_empty() {
            break;
        }
        is_empty = false;
        let end = piece.iter().position(|&byte| byte == b'\n');
        let taken = piece.get(..end.unwrap_or(piece.len())).unwrap_or_default();
        is_too_long |= text.len() + taken.len() > limit;
        match is_too_long {
            true => text = Vec::new(),
            false => text.extend_from_slice(taken),
        }
        let used = taken.len() + usize::from(end.is_some());
        reader.consume(used);
        if end.is_some() {
            break;
        }
    }
    Ok(match (is_empty, is_too_long) {
        (true, _) => Line::End,
        (_, true) => Line::TooLong,
        _ => Line::Text(text),
    })
}

/// Counts what is read.
struct Counted(File, Arc<AtomicU64>);

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(buffer)?;
        self.1
            .fetch_add(u64::try_from(count).unwrap_or_default(), Ordering::Relaxed);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn units(name: &str, content: &[u8], limit: usize) -> Vec<Result<Unit, Unread>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        Units::open(&path, limit, Arc::default()).unwrap().collect()
    }

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn each_line_is_a_unit_and_keeps_its_number() {
        let content = b"{\"a\":1}\n\n  \n{\"b\":2}\r\nlast";
        for content in [content.to_vec(), gzip(content)] {
            let found: Vec<_> = units("x.ndjson.gz", &content, 100)
                .into_iter()
                .map(|unit| unit.unwrap())
                .map(|unit| (unit.line.unwrap(), String::from_utf8(unit.text.to_vec()).unwrap()))
                .collect();
            let expected = [(1, "{\"a\":1}"), (4, "{\"b\":2}\r"), (5, "last")];
            assert_eq!(found, expected.map(|(line, text)| (line, text.to_owned())));
        }
    }

    #[test]
    fn what_expands_beyond_the_limit_is_told_and_passed_over() {
        let content = [&b"ab\n"[..], &vec![b'x'; 1 << 20], b"\ncd\n"].concat();
        let found = units("x.ndjson", &gzip(&content), 1000);
        assert!(found[0].is_ok() && found[2].is_ok() && found.len() == 3);
        assert_eq!(found[1].as_ref().unwrap_err().line, Some(2));
        let whole = units("x.json", &gzip(&content), 1000);
        assert!(whole.len() == 1 && whole[0].is_err());
    }

    #[test]
    fn a_torn_gzip_ends_with_what_is_wrong() {
        let mut content = gzip(b"ab\ncd\n");
        content.truncate(content.len() - 6);
        let found = units("x.ndjson", &content, 1000);
        assert!(found.last().unwrap().is_err(), "{found:?}");
    }
}
