//! Files with keys and configuration, and who else on the machine may read or change them (S-092).
//!
//! Invariant: a key that others could have changed, or a secret that others could have read, is not used.

use std::fs::{File, Metadata};
use std::io::Read;
use std::path::Path;

use crate::error::{Error, ErrorCode, Result};

/// The longest file that is read.
const MAX_BYTES: u64 = 256 * 1024;

/// Reads a file that others may read and must not be able to change.
pub(crate) fn read_public(path: &Path) -> Result<Vec<u8>> {
    read(path, 0o022, "others can change it: chmod go-w")
}

/// Reads a file that nobody else may read.
#[cfg(any(feature = "authority", feature = "tls"))]
pub(crate) fn read_secret(path: &Path) -> Result<Vec<u8>> {
    read(path, 0o077, "others can read it: chmod 600")
}

fn read(path: &Path, forbidden: u32, cure: &str) -> Result<Vec<u8>> {
    let failed = |cause: std::io::Error| {
        let text = format!("The file {} cannot be read: {cause}.", path.display());
        Error::new(ErrorCode::Invalid, text)
    };
    let file = File::open(path).map_err(failed)?;
    if is_open(&file.metadata().map_err(failed)?, forbidden) {
        let text = format!(
            "The file {} is not used, for {cure} {}.",
            path.display(),
            path.display()
        );
        return Err(Error::new(ErrorCode::Invalid, text));
    }
    let mut text = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut text).map_err(failed)?;
    match text.len() as u64 > MAX_BYTES {
        true => Err(Error::new(
            ErrorCode::Invalid,
            format!("The file {} is longer than 256 KiB.", path.display()),
        )),
        false => Ok(text),
    }
}

#[cfg(unix)]
fn is_open(metadata: &Metadata, forbidden: u32) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & forbidden != 0
}

#[cfg(not(unix))]
fn is_open(_: &Metadata, _: u32) -> bool {
    false
}
