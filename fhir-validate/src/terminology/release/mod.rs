//! Reads releases of terminologies that come in a form of their own: SNOMED CT as RF2, dm+d as XML.
//!
//! A release is a folder or a ZIP archive, read as a stream; nothing is unpacked to disk. The operator holds the licence.
//!
//! Invariant: whatever an archive says of its sizes, reading ends within the bounds of [`Bounds`].

mod archive;
mod dmd;
mod rf2;
mod zip;

use std::fmt;
use std::path::Path;

use super::Library;
use super::code_system::CodeSystem;

/// What may be read of a release.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Files.
    pub files: usize,
    /// Bytes of all files that are read, unpacked.
    pub bytes: u64,
    /// Bytes of a line.
    pub line: usize,
}

impl Default for Bounds {
    /// 10,000 files, 16 GiB, lines of 64 KiB.
    fn default() -> Self {
        Bounds {
            files: 10_000,
            bytes: 16 << 30,
            line: 64 << 10,
        }
    }
}

/// A release that was read, ready to be added to a library.
#[derive(Debug)]
pub struct Release {
    systems: Vec<CodeSystem>,
}

impl Release {
    /// The code systems in it: URL, version, and number of concepts.
    pub fn contents(&self) -> Vec<(String, Option<String>, usize)> {
        let of = |s: &CodeSystem| (s.head.url.clone(), s.head.version.clone(), s.concepts.len());
        self.systems.iter().map(of).collect()
    }
}

impl Library {
    /// Adds what was read of a release; the same version of a code system is replaced.
    pub fn add_release(&self, release: Release) {
        for system in release.systems {
            self.add_system(system);
        }
    }
}

/// Why a release was not read.
#[derive(Debug)]
pub enum ReleaseError {
    /// A file or the folder cannot be read.
    Io(String, std::io::Error),
    /// The archive is not a ZIP archive that can be read, and why.
    Archive(String),
    /// A bound was exceeded: which, and where.
    TooLarge(String),
    /// A file is not of the form that its name promises: where, and how.
    Malformed(String),
    /// The release lacks what it must have.
    Incomplete(String),
}

impl fmt::Display for ReleaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReleaseError::Io(file, error) => write!(f, "{file}: {error}"),
            ReleaseError::Archive(why) => write!(f, "the archive cannot be read: {why}"),
            ReleaseError::TooLarge(what) => write!(f, "the release is too large: {what}"),
            ReleaseError::Malformed(where_) => f.write_str(where_),
            ReleaseError::Incomplete(what) => write!(f, "the release is not complete: {what}"),
        }
    }
}

impl std::error::Error for ReleaseError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ReleaseError::Io(_, error) => Some(error),
            _ => None,
        }
    }
}

/// Reads a SNOMED CT release: the snapshot files of RF2, in a folder or a ZIP archive.
///
/// # Errors
/// It cannot be read, is larger than the bounds allow, or has no snapshot of concepts and descriptions.
pub fn snomed(path: &Path, bounds: &Bounds) -> Result<Release, ReleaseError> {
    let mut files = archive::open(path, bounds)?;
    Ok(Release {
        systems: vec![rf2::read(&mut *files)?],
    })
}

/// Reads a dm+d release: its XML files, in a folder or a ZIP archive. Its codes are held under both code systems that
/// are in use for them, dm+d's own and SNOMED CT's, of which they are then a part.
///
/// # Errors
/// It cannot be read, is larger than the bounds allow, or has no products.
pub fn dmd(path: &Path, bounds: &Bounds) -> Result<Release, ReleaseError> {
    let mut files = archive::open(path, bounds)?;
    Ok(Release {
        systems: dmd::read(&mut *files)?,
    })
}

#[cfg(test)]
mod tests;
