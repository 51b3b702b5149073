// SPDX-License-Identifier: LGPL-2.1-or-later

//! Directories for what a test makes, left for a look when it fails.

use std::fs;
use std::path::PathBuf;

use super::{library, Result};

/// A directory with nothing in it: what an earlier run left there is removed.
pub fn fresh(name: &str) -> Result<PathBuf> {
    let path = library::target_directory()?.join("tmp").join(name);
    if path.exists() {
        fs::remove_dir_all(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    fs::create_dir_all(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(path)
}
