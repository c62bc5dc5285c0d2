//! Reads releases of terminologies that come in a form of their own: SNOMED CT as RF2, dm+d as XML.
//!
//! A release is a folder or a ZIP archive, read as a stream; nothing is unpacked to disk. The operator holds the licence.
//!
//! Invariant: whatever an archive says of its sizes, reading ends within the bounds of [`Bounds`].

mod archive;
mod dmd;
mod kept;
mod rf2;
mod zip;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Library;
use super::code_system::CodeSystem;

/// What may be read of a release, and how much was: clones count together.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Files.
    pub files: usize,
    /// Bytes of all files that are read, unpacked.
    pub bytes: u64,
    /// Bytes of a line.
    pub line: usize,
    watch: Arc<Watch>,
}

/// How far the reading is.
#[derive(Debug, Default)]
struct Watch {
    read: AtomicU64,
    total: AtomicU64,
}

impl Bounds {
    /// Bytes that were read so far, and those that will have been at the end; of both, those of the files that count.
    pub fn progress(&self) -> (u64, u64) {
        let of = |number: &AtomicU64| number.load(Ordering::Relaxed);
        (of(&self.watch.read), of(&self.watch.total))
    }

    /// A file of that name and size is part of the release.
    fn expect(&self, name: &str, size: u64) {
        if rf2::is_read(name) || dmd::is_read(name) {
            self.watch.total.fetch_add(size, Ordering::Relaxed);
        }
    }

    fn count(&self, bytes: usize) {
        self.watch.read.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl Default for Bounds {
    /// 10,000 files, 16 GiB, lines of 64 KiB.
    fn default() -> Self {
        Bounds {
            files: 10_000,
            bytes: 16 << 30,
            line: 64 << 10,
            watch: Arc::default(),
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

/// Reads a release, of SNOMED CT or of dm+d: the names of its files tell.
///
/// # Errors
/// It is neither, or as [`snomed`] and [`dmd()`].
pub fn read(path: &Path, bounds: &Bounds) -> Result<Release, ReleaseError> {
    let mut files = archive::open(path, bounds)?;
    let names = files.names();
    let systems = match (
        names.iter().any(|n| rf2::is_read(n)),
        names.iter().any(|n| dmd::is_read(n)),
    ) {
        (true, _) => vec![rf2::read(&mut *files)?],
        (false, true) => dmd::read(&mut *files)?,
        (false, false) => {
            return Err(ReleaseError::Incomplete(
                "it has neither a snapshot of SNOMED CT (sct2_Concept_Snapshot….txt) nor products of dm+d (f_vmp2….xml)"
                    .to_owned(),
            ));
        }
    };
    Ok(Release { systems })
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
