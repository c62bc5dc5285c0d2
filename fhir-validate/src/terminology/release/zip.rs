//! The files of a ZIP archive (<https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>), stored or deflated.
//!
//! Invariant: no file gives more bytes than the archive's directory says it has, and names are names, never paths.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use flate2::read::DeflateDecoder;

use super::archive::{Budgeted, Files};
use super::{Bounds, ReleaseError};

const END: [u8; 4] = *b"PK\x05\x06";
const ENTRY: [u8; 4] = *b"PK\x01\x02";
const LOCAL: [u8; 4] = *b"PK\x03\x04";
/// The end record, and the longest comment after it.
const TAIL: u64 = 22 + 65_535;
/// The directory of an archive, at most.
const MAX_DIRECTORY: u64 = 64 << 20;

/// An open archive.
pub(super) struct Zip {
    file: File,
    entries: Vec<Entry>,
    bounds: Bounds,
    left: u64,
}

struct Entry {
    name: String,
    deflated: bool,
    packed: u64,
    size: u64,
    offset: u64,
}

fn broken(why: &str) -> ReleaseError {
    ReleaseError::Archive(why.to_owned())
}

fn io_error(error: io::Error) -> ReleaseError {
    ReleaseError::Io("the archive".to_owned(), error)
}

/// Two or four bytes as a number, the least first.
fn number(bytes: &[u8], at: usize, len: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(len)?)?;
    Some(bytes.iter().rev().fold(0, |n, b| (n << 8) | u64::from(*b)))
}

impl Zip {
    pub(super) fn new(mut file: File, bounds: &Bounds) -> Result<Self, ReleaseError> {
        let directory = directory(&mut file)?;
        let mut entries = Vec::new();
        let mut at = 0;
        while let Some(head) = directory.get(at..).filter(|rest| rest.starts_with(&ENTRY)) {
            let (entry, len) = entry(head)?;
            at += len;
            if entries.len() >= bounds.files {
                return Err(ReleaseError::TooLarge(format!(
                    "more than {} files",
                    bounds.files
                )));
            }
            if !entry.name.ends_with('/') {
                bounds.expect(&entry.name, entry.size);
                entries.push(entry);
            }
        }
        Ok(Zip {
            file,
            entries,
            bounds: bounds.clone(),
            left: bounds.bytes,
        })
    }
}

/// The bytes of the archive's directory.
fn directory(file: &mut File) -> Result<Vec<u8>, ReleaseError> {
    let length = file.seek(SeekFrom::End(0)).map_err(io_error)?;
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))
        .map_err(io_error)?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail).map_err(io_error)?;
    let at = tail
        .windows(END.len())
        .rposition(|w| w == END)
        .ok_or_else(|| broken("it is not a ZIP archive"))?;
    let field = |offset, len| number(&tail, at + offset, len).ok_or_else(|| broken("it is cut short"));
    let (size, offset) = (field(12, 4)?, field(16, 4)?);
    if offset == u64::from(u32::MAX) || size == u64::from(u32::MAX) {
        return Err(broken("it is of the 64-bit form; unpack it and name the folder"));
    }
    if size > MAX_DIRECTORY || offset.saturating_add(size) > length {
        return Err(broken("its directory lies outside it"));
    }
    file.seek(SeekFrom::Start(offset)).map_err(io_error)?;
    let mut directory = Vec::new();
    file.take(size).read_to_end(&mut directory).map_err(io_error)?;
    Ok(directory)
}

/// One entry of the directory, and its length there.
fn entry(head: &[u8]) -> Result<(Entry, usize), ReleaseError> {
    let field = |at, len| number(head, at, len).ok_or_else(|| broken("its directory is cut short"));
    let name_len = field(28, 2)? as usize;
    let name = head
        .get(46..46 + name_len)
        .ok_or_else(|| broken("its directory is cut short"))?;
    let name = String::from_utf8_lossy(name).into_owned();
    let len = 46 + name_len + field(30, 2)? as usize + field(32, 2)? as usize;
    if field(8, 2)? & 1 != 0 {
        return Err(broken(&format!("{name} is encrypted")));
    }
    let deflated = match field(10, 2)? {
        0 => false,
        8 => true,
        method => {
            return Err(broken(&format!(
                "{name} is packed by method {method}; only 0 and 8 are known"
            )));
        }
    };
    let entry = Entry {
        deflated,
        packed: field(20, 4)?,
        size: field(24, 4)?,
        offset: field(42, 4)?,
        name,
    };
    let wide = u64::from(u32::MAX);
    if entry.packed == wide || entry.size == wide || entry.offset == wide {
        return Err(broken("it is of the 64-bit form; unpack it and name the folder"));
    }
    Ok((entry, len))
}

impl Files for Zip {
    fn names(&self) -> Vec<String> {
        self.entries.iter().map(|e| e.name.clone()).collect()
    }

    fn open(&mut self, name: &str) -> Result<Box<dyn BufRead + '_>, ReleaseError> {
        let entry = self.entries.iter().find(|e| e.name == name);
        let entry = entry.ok_or_else(|| broken(&format!("{name} is not in it")))?;
        self.file.seek(SeekFrom::Start(entry.offset)).map_err(io_error)?;
        let mut head = [0; 30];
        self.file.read_exact(&mut head).map_err(io_error)?;
        if !head.starts_with(&LOCAL) {
            return Err(broken(&format!("{name} is not where the directory says")));
        }
        let skip = number(&head, 26, 2).unwrap_or(0) + number(&head, 28, 2).unwrap_or(0);
        let start = entry.offset + 30 + skip;
        self.file.seek(SeekFrom::Start(start)).map_err(io_error)?;
        let packed = BufReader::new((&self.file).take(entry.packed));
        let unpacked: Box<dyn Read + '_> = match entry.deflated {
            true => Box::new(DeflateDecoder::new(packed)),
            false => Box::new(packed),
        };
        Ok(Box::new(BufReader::new(Budgeted {
            inner: Promised {
                inner: unpacked,
                left: entry.size,
            },
            left: &mut self.left,
            bounds: &self.bounds,
        })))
    }

    fn bounds(&self) -> Bounds {
        self.bounds.clone()
    }
}

/// Gives as many bytes as were promised: fewer or more is an error.
struct Promised<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Promised<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let read = self.inner.read(buffer)?;
        let lies = || {
            io::Error::new(
                io::ErrorKind::InvalidData,
                "a file is not of the size that the archive says",
            )
        };
        self.left = self.left.checked_sub(read as u64).ok_or_else(lies)?;
        if read == 0 && self.left > 0 {
            return Err(lies());
        }
        Ok(read)
    }
}
