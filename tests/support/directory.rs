// SPDX-License-Identifier: LGPL-2.1-or-later

//! Directories for files of tests, kept after a failure for inspection.

use std::fs;
use std::path::PathBuf;

use super::{library, Result};

/// Creates an empty directory, replacing that of an earlier run.
pub fn fresh(name: &str) -> Result<PathBuf> {
    let path = library::target_directory()?.join("tmp").join(name);
    if path.exists() {
        fs::remove_dir_all(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    fs::create_dir_all(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(path)
}
