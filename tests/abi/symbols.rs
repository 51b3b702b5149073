// SPDX-License-Identifier: LGPL-2.1-or-later

//! The symbols of the two shared libraries.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::{cc, directory, our_library, outcome, run, system_library, write};

/// Returns the symbols that a library defines, such as
/// `nbd_create@@LIBNBD_1.0`, and the versions themselves.
fn symbols(library: &Path) -> BTreeSet<String> {
    let mut command = Command::new("nm");
    command.args(["--dynamic", "--defined-only"]).arg(library);
    run(&mut command)
        .lines()
        .filter_map(|line| line.split_whitespace().nth(2))
        .map(str::to_owned)
        .collect()
}

/// Returns the names of a library's symbol versions.
fn versions(library: &Path) -> BTreeSet<String> {
    symbols(library)
        .iter()
        .filter_map(|symbol| symbol.split_once("@@"))
        .map(|(_, version)| version.to_owned())
        .collect()
}

#[test]
fn c_library_symbols_exist_at_the_same_version() {
    let functions = |library: &Path| -> BTreeSet<String> {
        let symbols = symbols(library).into_iter();
        symbols.filter(|symbol| symbol.contains("@@")).collect()
    };
    let (theirs, ours) = (functions(&system_library()), functions(&our_library()));
    assert!(theirs.len() >= 125, "{theirs:?}");
    assert!(theirs.is_subset(&ours), "missing: {:?}", &theirs - &ours);
}

/// Newer functions have newer symbol versions, so a program that uses them
/// fails to start with an older library instead of failing later.
#[test]
fn newer_symbols_are_at_newer_versions() {
    let (theirs, ours) = (versions(&system_library()), versions(&our_library()));
    assert!(theirs.is_subset(&ours), "missing: {:?}", &theirs - &ours);
    let old = symbols(&system_library());
    for symbol in symbols(&our_library()).difference(&old) {
        let (_, version) = symbol.split_once("@@").unwrap_or(("", symbol));
        assert!(!theirs.contains(version), "{symbol}");
    }
}

#[test]
fn abidiff_finds_nothing_removed_or_changed() {
    let compare = |old: &Path, new: &Path| {
        let mut command = Command::new("abidiff");
        outcome(command.arg("--no-added-syms").arg(old).arg(new))
    };
    let found = compare(&system_library(), &our_library());
    assert!(found.status.success(), "{}", found.describe());
    // Counter-check with a library of one function.
    let directory = directory("symbols");
    let (source, small) = (directory.join("small.c"), directory.join("small.so"));
    write(&source, "void *nbd_create (void) { return 0; }\n");
    run(&mut cc(&[
        "-shared".as_ref(),
        "-fPIC".as_ref(),
        "-Wl,-soname,libnbd.so.0".as_ref(),
        source.as_ref(),
        "-o".as_ref(),
        small.as_ref(),
    ]));
    let found = compare(&our_library(), &small);
    assert!(
        found.describe().contains("[D] nbd_close@@"),
        "{}",
        found.describe()
    );
}
