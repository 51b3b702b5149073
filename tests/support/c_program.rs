// SPDX-License-Identifier: LGPL-2.1-or-later

//! C programs of this repository: finds and compiles them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::library::{self, Library};
use super::{process, programs, systems, target, Result};

/// A C program.
#[derive(Clone)]
pub struct CProgram {
    /// Name of the file without `.c`; for `capi-tests/`, prefixed with the
    /// folder.
    pub name: String,
    pub source: PathBuf,
}

/// Folders of `capi-tests/` whose programs are run by other tests: `tests/tls`
/// and `tests/differential`.
const OF_OTHER_TESTS: [&str; 2] = ["over-tls", "differential"];

/// Returns the programs of `capi-tests/` that need nothing but `memserver`,
/// sorted by name.
pub fn all() -> Result<Vec<CProgram>> {
    let mut all = Vec::new();
    for folder in entries(&library::source().join("capi-tests"))? {
        let subject = folder.file_name().unwrap_or_default().to_string_lossy();
        if folder.is_dir() && !OF_OTHER_TESTS.contains(&&*subject) {
            for program in programs_in(&folder)? {
                all.push(CProgram {
                    name: format!("{subject}/{}", program.name),
                    ..program
                });
            }
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

/// Returns the programs in a directory of the source tree, sorted by name.
pub fn all_in(directory: &str) -> Result<Vec<CProgram>> {
    let directory = library::source().join(directory);
    let mut found = programs_in(&directory)?;
    if found.is_empty() {
        return Err(format!("no C programs in {}", directory.display()));
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn programs_in(directory: &Path) -> Result<Vec<CProgram>> {
    let is_program = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "c");
    let program = |source: PathBuf| CProgram {
        name: source
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        source,
    };
    let sources = entries(directory)?.into_iter().filter(is_program);
    Ok(sources.map(program).collect())
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>> {
    let failed = |e: std::io::Error| format!("{}: {e}", directory.display());
    fs::read_dir(directory)
        .map_err(failed)?
        .map(|entry| entry.map(|entry| entry.path()).map_err(failed))
        .collect()
}

/// Compiles a program as a user of the library would, with all warnings as
/// errors, and returns the path of the executable.
pub fn compile(program: &CProgram, library: &Library, directory: &Path) -> Result<PathBuf> {
    compile_with(program, library, directory, &[])
}

/// Compiles a program with more libraries: pkg-config package names, or a
/// compiler option for a library without one. With the system's library, the
/// system's header is used.
pub fn compile_with(
    program: &CProgram,
    library: &Library,
    directory: &Path,
    others: &[&str],
) -> Result<PathBuf> {
    let executable = directory.join(&program.name);
    let directory = executable.parent().unwrap_or(directory);
    fs::create_dir_all(directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    if systems::inside().is_some() {
        // Compiled before entering this root.
        return Ok(executable);
    }
    // Rename the complete file into place: another test run may be using the
    // previous one.
    let new = executable.with_extension(format!("{}.new", std::process::id()));
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
        // The launcher provides the dependencies of such a library at run time.
        cc.arg("-Wl,--unresolved-symbols=ignore-in-shared-libs");
    }
    let outcome = process::run(&mut cc, &[], Duration::from_secs(60))?;
    if !outcome.status.success() {
        return Err(format!("cc {}: {}", program.name, outcome.describe()));
    }
    fs::rename(&new, &executable).map_err(|e| format!("{}: {e}", executable.display()))?;
    Ok(executable)
}

/// Returns the flags that pkg-config prints for a library.
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
