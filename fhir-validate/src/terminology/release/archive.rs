//! The files of a release, whether in a folder or in an archive.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::zip::Zip;
use super::{Bounds, ReleaseError};

/// Folders within each other.
const MAX_DEPTH: usize = 16;

/// Files by name, read one after the other.
pub(super) trait Files {
    /// Names, with the folders they are in.
    fn names(&self) -> Vec<String>;
    /// Opens one of the names.
    fn open(&mut self, name: &str) -> Result<Box<dyn BufRead + '_>, ReleaseError>;
    /// What may be read.
    fn bounds(&self) -> Bounds;
}

/// The files of a folder, or of a ZIP archive.
pub(super) fn open(path: &Path, bounds: &Bounds) -> Result<Box<dyn Files>, ReleaseError> {
    let shown = path.display().to_string();
    let kind = fs::metadata(path).map_err(|e| ReleaseError::Io(shown.clone(), e))?;
    if kind.is_dir() {
        let mut names = Vec::new();
        walk(path, "", 0, bounds, &mut names)?;
        return Ok(Box::new(Folder {
            root: path.to_owned(),
            names,
            bounds: bounds.clone(),
            left: bounds.bytes,
        }));
    }
    let file = File::open(path).map_err(|e| ReleaseError::Io(shown, e))?;
    Ok(Box::new(Zip::new(file, bounds)?))
}

struct Folder {
    root: PathBuf,
    names: Vec<String>,
    bounds: Bounds,
    left: u64,
}

/// Collects the names below a folder; links are not followed.
fn walk(
    root: &Path,
    folder: &str,
    depth: usize,
    bounds: &Bounds,
    names: &mut Vec<String>,
) -> Result<(), ReleaseError> {
    if depth > MAX_DEPTH {
        return Err(ReleaseError::TooLarge(format!(
            "{folder} lies more than {MAX_DEPTH} folders deep"
        )));
    }
    let io = |e| ReleaseError::Io(folder.to_owned(), e);
    for entry in fs::read_dir(root.join(folder)).map_err(io)? {
        let entry = entry.map_err(io)?;
        let name = format!("{folder}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().map_err(io)?;
        if kind.is_dir() {
            walk(root, &format!("{name}/"), depth + 1, bounds, names)?;
        } else if kind.is_file() {
            bounds.expect(&name, entry.metadata().map_or(0, |m| m.len()));
            names.push(name);
            if names.len() > bounds.files {
                return Err(ReleaseError::TooLarge(format!(
                    "more than {} files",
                    bounds.files
                )));
            }
        }
    }
    Ok(())
}

impl Files for Folder {
    fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn open(&mut self, name: &str) -> Result<Box<dyn BufRead + '_>, ReleaseError> {
        let file = File::open(self.root.join(name)).map_err(|e| ReleaseError::Io(name.to_owned(), e))?;
        Ok(Box::new(BufReader::new(Budgeted {
            inner: file,
            left: &mut self.left,
            bounds: &self.bounds,
        })))
    }

    fn bounds(&self) -> Bounds {
        self.bounds.clone()
    }
}

/// Counts what is read against what may be.
pub(super) struct Budgeted<'b, R> {
    pub(super) inner: R,
    pub(super) left: &'b mut u64,
    pub(super) bounds: &'b Bounds,
}

impl<R: Read> Read for Budgeted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bounds.count(read);
        *self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| io::Error::other("more bytes than a release may have"))?;
        Ok(read)
    }
}

/// Calls for each line of a file, without its end.
pub(super) fn lines(
    files: &mut dyn Files,
    name: &str,
    mut each: impl FnMut(&str) -> Result<(), ReleaseError>,
) -> Result<(), ReleaseError> {
    let longest = files.bounds().line;
    let mut file = files.open(name)?;
    let mut line = Vec::new();
    loop {
        line.clear();
        let io = |e| ReleaseError::Io(name.to_owned(), e);
        let read = (&mut *file)
            .take(longest as u64 + 1)
            .read_until(b'\n', &mut line)
            .map_err(io)?;
        if read == 0 {
            return Ok(());
        }
        if read > longest {
            return Err(ReleaseError::TooLarge(format!(
                "{name}: a line of more than {longest} bytes"
            )));
        }
        let text = std::str::from_utf8(&line)
            .map_err(|_| ReleaseError::Malformed(format!("{name}: a line is not UTF-8")))?;
        let text = text.trim_end_matches(['\n', '\r']).trim_start_matches('\u{feff}');
        if !text.is_empty() {
            each(text)?;
        }
    }
}
