// SPDX-License-Identifier: LGPL-2.1-or-later

//! The symbols of the two shared libraries.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::{cc, directory, our_library, outcome, run, system_library, write};

/// What a library defines for others: `nbd_create@@LIBNBD_1.0`, and the versions
/// themselves.
fn symbols(library: &Path) -> BTreeSet<String> {
    let mut command = Command::new("nm");
    command.args(["--dynamic", "--defined-only"]).arg(library);
    run(&mut command)
        .lines()
        .filter_map(|line| line.split_whitespace().nth(2))
        .map(str::to_owned)
        .collect()
}

/// The names of the symbol versions a library has.
fn versions(library: &Path) -> BTreeSet<String> {
    symbols(library)
        .iter()
        .filter_map(|symbol| symbol.split_once("@@"))
        .map(|(_, version)| version.to_owned())
        .collect()
}

#[test]
fn every_symbol_of_the_c_library_is_there_at_its_version() {
    let functions = |library: &Path| -> BTreeSet<String> {
        let symbols = symbols(library).into_iter();
        symbols.filter(|symbol| symbol.contains("@@")).collect()
    };
    let (theirs, ours) = (functions(&system_library()), functions(&our_library()));
    assert!(theirs.len() >= 125, "{theirs:?}");
    assert!(theirs.is_subset(&ours), "missing: {:?}", &theirs - &ours);
}

/// What is newer in this library is at versions of its own, so that a program
/// that uses it does not start with an older library and fail later.
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
    // It would notice: here is a library of one function.
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
