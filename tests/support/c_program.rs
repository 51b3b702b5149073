// SPDX-License-Identifier: LGPL-2.1-or-later

//! C programs of this repository: found, compiled and made ready to run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::library::{self, Library};
use super::{process, programs, systems, target, Result};

/// One of them.
#[derive(Clone)]
pub struct CProgram {
    pub name: String,
    pub source: PathBuf,
}

/// All of `capi-tests/`, by name.
pub fn all() -> Result<Vec<CProgram>> {
    all_in("capi-tests")
}

/// All in a directory of the source tree, by name.
pub fn all_in(directory: &str) -> Result<Vec<CProgram>> {
    let directory = library::source().join(directory);
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
    compile_with(program, library, directory, &[])
}

/// The same for a program that needs more libraries: what pkg-config calls them,
/// or an option for the compiler where it does not know them. With the system's
/// library the header is the system's, too.
pub fn compile_with(
    program: &CProgram,
    library: &Library,
    directory: &Path,
    others: &[&str],
) -> Result<PathBuf> {
    fs::create_dir_all(directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    let executable = directory.join(&program.name);
    if systems::inside().is_some() {
        // Compiled before this root was entered.
        return Ok(executable);
    }
    // Renamed when it is whole: another test run may be using the previous one.
    let new = directory.join(format!("{}.{}.new", program.name, std::process::id()));
    let mut cc = Command::new(programs::find(&target::cc())?);
    cc.args(["-std=gnu99", "-Wall", "-Wextra", "-Werror", "-g", "-O1"])
        .arg("-pthread")
        .arg("-o")
        .arg(&new)
        .arg(&program.source);
    if let Some(directory) = &library.directory {
        cc.arg("-I").arg(library::source().join("include"));
        cc.arg("-L").arg(directory);
    }
    cc.arg("-lnbd");
    for other in others {
        match other.starts_with('-') {
            true => cc.arg(other),
            false => cc.args(flags(other)?),
        };
    }
    if library.has_launcher() {
        // What such a library needs is there when the launcher runs the program.
        cc.arg("-Wl,--unresolved-symbols=ignore-in-shared-libs");
    }
    let outcome = process::run(&mut cc, &[], Duration::from_secs(60))?;
    if !outcome.status.success() {
        return Err(format!("cc {}: {}", program.name, outcome.describe()));
    }
    fs::rename(&new, &executable).map_err(|e| format!("{}: {e}", executable.display()))?;
    Ok(executable)
}

/// What pkg-config has to say of a library.
fn flags(package: &str) -> Result<Vec<String>> {
    let mut command = Command::new(programs::find("pkg-config")?);
    command.args(["--cflags", "--libs", package]);
    let outcome = process::run(&mut command, &[], Duration::from_secs(10))?;
    if !outcome.status.success() {
        return Err(format!("pkg-config {package}: {}", outcome.describe()));
    }
    let flags = String::from_utf8_lossy(&outcome.stdout);
    Ok(flags.split_whitespace().map(str::to_owned).collect())
}
