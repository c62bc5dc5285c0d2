//! Where the shared data are.

use std::path::{Path, PathBuf};

/// A folder or file of the shared data, which are not part of the project; `None`, said aloud, where they are not there.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data")
        .join(name);
    if path.exists() {
        return Some(path);
    }
    println!("SKIPPED (needs ../shared/data/{name})");
    None
}
