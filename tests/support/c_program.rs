// SPDX-License-Identifier: LGPL-2.1-or-later

//! The C programs of `capi-tests/`: found, compiled and made ready to run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::library::{self, Library};
use super::{process, programs, Result};

/// One file of `capi-tests/`.
#[derive(Clone)]
pub struct CProgram {
    pub name: String,
    pub source: PathBuf,
}

/// All of them, by name.
pub fn all() -> Result<Vec<CProgram>> {
    let directory = library::source().join("capi-tests");
    let mut found = Vec::new();
    for entry in fs::read_dir(&directory).map_err(|e| format!("{}: {e}", directory.display()))? {
        let source = entry.map_err(|e| e.to_string())?.path();
        if source.extension().is_some_and(|extension| extension == "c") {
            let name = source.file_stem().unwrap_or_default().to_string_lossy();
            found.push(CProgram {
                name: name.into_owned(),
                source: source.clone(),
            });
        }
    }
    if found.is_empty() {
        return Err(format!("no C programs in {}", directory.display()));
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// Compiles a program as a user of the library would, with every warning an
/// error, and returns the path of the executable.
pub fn compile(program: &CProgram, library: &Library, directory: &Path) -> Result<PathBuf> {
    fs::create_dir_all(directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    let executable = directory.join(&program.name);
    let mut cc = Command::new(programs::find("cc")?);
    cc.args(["-std=gnu99", "-Wall", "-Wextra", "-Werror", "-g", "-O1"])
        .arg("-pthread")
        .arg("-I")
        .arg(library::source().join("include"))
        .arg("-o")
        .arg(&executable)
        .arg(&program.source);
    if let Some(directory) = &library.directory {
        cc.arg("-L").arg(directory);
    }
    cc.arg("-lnbd");
    if library.has_launcher() {
        // What such a library needs is there when the launcher runs the program.
        cc.arg("-Wl,--unresolved-symbols=ignore-in-shared-libs");
    }
    let outcome = process::run(&mut cc, &[], Duration::from_secs(60))?;
    if !outcome.status.success() {
        return Err(format!("cc {}: {}", program.name, outcome.describe()));
    }
    Ok(executable)
}
