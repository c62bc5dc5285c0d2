//! Reading a gzipped tar within bounds.

use std::fmt;
use std::io::Read;

use flate2::read::GzDecoder;
use tar::{Archive, EntryType};

/// Bounds on an archive.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of the archive itself.
    pub packed: usize,
    /// Bytes of all members.
    pub total: u64,
    /// Bytes of one member.
    pub member: u64,
    /// Members.
    pub members: usize,
}

impl Default for Limits {
    /// 64 MiB packed, 1 GiB unpacked, 64 MiB a member, 50,000 members.
    fn default() -> Self {
        Limits {
            packed: 64 << 20,
            total: 1 << 30,
            member: 64 << 20,
            members: 50_000,
        }
    }
}

/// Why a package was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageError(String);

impl fmt::Display for PackageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for PackageError {}

fn refused<T>(reason: impl Into<String>) -> Result<T, PackageError> {
    Err(PackageError(reason.into()))
}

/// Gives each file's path and content.
pub(super) fn read(
    tgz: &[u8],
    limits: &Limits,
    mut member: impl FnMut(&str, &[u8]),
) -> Result<(), PackageError> {
    if tgz.len() > limits.packed {
        return refused(format!(
            "the archive has {} bytes; at most {} are read",
            tgz.len(),
            limits.packed
        ));
    }
    let broken = |e: std::io::Error| PackageError(format!("not a gzipped tar: {e}"));
    // Whatever sizes the headers tell, no more than this comes out of the decoder.
    let unpacked = GzDecoder::new(tgz).take(limits.total.saturating_add(1));
    let mut archive = Archive::new(unpacked);
    let (mut count, mut total) = (0usize, 0u64);
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        count += 1;
        if count > limits.members {
            return refused(format!("the archive has more than {} members", limits.members));
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if !is_plain(&path) {
            return refused(format!("the member {path:?} leads out of the archive"));
        }
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => {}
            EntryType::Directory | EntryType::XGlobalHeader | EntryType::XHeader | EntryType::GNULongName => {
                continue;
            }
            other => {
                return refused(format!(
                    "the member {path:?} is a {other:?}; files and folders are read only"
                ));
            }
        }
        if entry.size() > limits.member {
            return refused(format!(
                "the member {path:?} has {} bytes; at most {} are read",
                entry.size(),
                limits.member
            ));
        }
        let mut bytes = Vec::new();
        let size = entry.size();
        let read = (&mut entry)
            .take(limits.member)
            .read_to_end(&mut bytes)
            .map_err(broken)?;
        total = total.saturating_add(read as u64);
        if total > limits.total {
            return refused(format!(
                "the members have more than {} bytes in all",
                limits.total
            ));
        }
        if read as u64 != size {
            return refused(format!("the member {path:?} ends early"));
        }
        member(&path, &bytes);
    }
    Ok(())
}

/// Whether a path stays in the archive.
fn is_plain(path: &str) -> bool {
    !path.starts_with('/')
        && !path.contains('\\')
        && !path.contains('\0')
        && !path.contains(':')
        && path.split('/').all(|part| part != "..")
}
