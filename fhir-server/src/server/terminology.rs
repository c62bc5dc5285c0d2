//! Releases of terminologies that the operator has licences for: kept in a folder, found there when a server starts.
//!
//! A file holds one release in the form of [`Release::write`]; a newer release of the same code system takes its place.
//!
//! Invariant: a file is written beside its place and moved there whole, so that a server never finds a part of one.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fhir_validate::terminology::Library;
use fhir_validate::terminology::release::{Bounds, Release, ReleaseError};

use crate::error::{Error, ErrorCode, Result};

/// The end of the names of files that hold a release.
const EXTENSION: &str = "release";
/// Releases in a folder.
const MOST: usize = 100;

/// A release that is kept.
#[derive(Debug)]
#[non_exhaustive]
pub struct Kept {
    /// The file.
    pub file: PathBuf,
    /// Its bytes.
    pub bytes: u64,
    /// Each code system in it: URL, version, number of concepts.
    pub code_systems: Vec<(String, Option<String>, usize)>,
}

/// Keeps a release in a folder, which is made where it is not there.
///
/// # Errors
/// The folder or the file cannot be written.
pub fn keep(folder: &Path, release: &Release) -> Result<Kept> {
    let code_systems = release.contents();
    let url = code_systems
        .first()
        .map(|(url, ..)| url.as_str())
        .unwrap_or_default();
    let failed = |error: std::io::Error| {
        let text = format!("The release cannot be kept in {}.", folder.display());
        Error::new(ErrorCode::Invalid, text).with_cause(error)
    };
    fs::create_dir_all(folder).map_err(failed)?;
    let file = folder.join(format!("{}.{EXTENSION}", name(url)));
    let beside = file.with_extension("part");
    let write = || -> std::io::Result<u64> {
        let mut out = BufWriter::new(File::create(&beside)?);
        release.write(&mut out)?;
        out.flush()?;
        out.get_ref().sync_all()?;
        fs::rename(&beside, &file)?;
        Ok(fs::metadata(&file)?.len())
    };
    let bytes = write().inspect_err(|_| {
        // What was begun is of no use; that it cannot be removed changes nothing.
        let _ = fs::remove_file(&beside);
    });
    Ok(Kept {
        bytes: bytes.map_err(failed)?,
        file,
        code_systems,
    })
}

/// The releases that are kept in a folder, by the names of their files.
///
/// # Errors
/// The folder or a file cannot be read, or is damaged.
pub fn kept(folder: &Path) -> Result<Vec<Kept>> {
    files(folder)?
        .into_iter()
        .map(|file| {
            let bytes = fs::metadata(&file).map(|m| m.len()).unwrap_or_default();
            let code_systems = read(&file)?.contents();
            Ok(Kept {
                file,
                bytes,
                code_systems,
            })
        })
        .collect()
}

/// What is built in, and the releases in the folder.
pub(crate) fn library(folder: &Path) -> Result<Arc<Library>> {
    let library = Library::over(Library::built_in());
    for file in files(folder)? {
        let release = read(&file)?;
        for (url, version, concepts) in release.contents() {
            tracing::info!(url, version, concepts, "a code system was loaded");
        }
        library.add_release(release);
    }
    Ok(Arc::new(library))
}

fn read(file: &Path) -> Result<Release> {
    let name = file.display().to_string();
    let opened = File::open(file).map_err(|error| ReleaseError::Io(name.clone(), error));
    let release = opened.and_then(|opened| {
        let mut input = BufReader::new(opened);
        Release::read(&name, &mut input, &Bounds::default())
    });
    release.map_err(|error| {
        Error::new(
            ErrorCode::Invalid,
            format!("A release of a terminology cannot be used: {error}."),
        )
    })
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = |error: std::io::Error| {
        let text = format!(
            "The folder of terminologies {} cannot be read: make it with `fhir-server terminology load`, or name another.",
            folder.display()
        );
        Error::new(ErrorCode::Invalid, text).with_cause(error)
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|e| e == EXTENSION) {
            files.push(path);
        }
    }
    files.sort();
    match files.len() <= MOST {
        true => Ok(files),
        false => Err(Error::new(
            ErrorCode::TooLarge,
            format!("{} has more than {MOST} releases: remove some.", folder.display()),
        )),
    }
}

/// A file's name for a URL: its letters and digits.
fn name(url: &str) -> String {
    let after = url.split_once("://").map_or(url, |(_, rest)| rest);
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    after.chars().map(plain).collect()
}
