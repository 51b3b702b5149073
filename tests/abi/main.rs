// SPDX-License-Identifier: LGPL-2.1-or-later

//! The interface is identical to that of the C library: compared with the
//! library and the header that the distribution installed.

mod headers;
mod programs;
mod symbols;
mod types;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use support::process::{self, Outcome};

/// Returns the path of the C library's header.
fn system_header() -> PathBuf {
    pkg_config("includedir").join("libnbd.h")
}

/// Returns the path of the C library.
fn system_library() -> PathBuf {
    pkg_config("libdir").join("libnbd.so.0")
}

fn pkg_config(variable: &str) -> PathBuf {
    let mut command = Command::new("pkg-config");
    command.env_remove("PKG_CONFIG_PATH");
    let path = run(command.arg(format!("--variable={variable}")).arg("libnbd"));
    let path = PathBuf::from(path.trim());
    assert!(path.is_dir(), "there is a libnbd-dev in {path:?}");
    path
}

fn our_header() -> PathBuf {
    support::library::source().join("include/libnbd.h")
}

fn our_library() -> PathBuf {
    let directory = support::library::library_directory().expect("cargo built it");
    directory.join("libnbd.so.0")
}

/// Returns the functions that a header declares.
fn functions(header: &Path) -> BTreeSet<String> {
    let mut command = Command::new("cc");
    command.args(["-E", "-P", "-x", "c"]).arg(header);
    let text = run(&mut command);
    let name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let mut functions = BTreeSet::new();
    for (at, _) in text.match_indices("nbd_") {
        let rest = &text[at..];
        let end = rest.find(|c| !name(c)).unwrap_or(rest.len());
        if !text[..at].ends_with(name) && rest[end..].trim_start().starts_with('(') {
            functions.insert(rest[..end].to_owned());
        }
    }
    functions
}

/// Returns a fresh directory for a test.
fn directory(name: &str) -> PathBuf {
    support::directory::fresh(&format!("abi/{name}")).expect("a directory can be made")
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

/// Runs a program and returns its outcome.
fn outcome(command: &mut Command) -> Outcome {
    let limit = Duration::from_secs(60);
    process::run(command, &[], limit).unwrap_or_else(|failure| panic!("{failure}"))
}

/// Runs a program that must succeed, and returns its output.
fn run(command: &mut Command) -> String {
    process::text(command).unwrap_or_else(|failure| panic!("{failure}"))
}

/// Returns a C compiler command with all warnings as errors.
fn cc(arguments: &[&OsStr]) -> Command {
    let mut command = Command::new("cc");
    command
        .args(["-std=gnu99", "-Wall", "-Wextra", "-Werror"])
        .args(arguments);
    command
}

#[test]
fn there_are_functions_to_compare() {
    let (theirs, ours) = (functions(&system_header()), functions(&our_header()));
    assert_eq!(ours.len(), 165);
    assert!(theirs.len() >= 125, "{theirs:?}");
    assert!(theirs.is_subset(&ours), "{:?}", &theirs - &ours);
}
