// SPDX-License-Identifier: LGPL-2.1-or-later

//! The types in the two headers as the compiler sees them: parameters, results,
//! the members of the callback structures and the types that these refer to.
//!
//! Distributions strip their libraries, so there is no debugging information to
//! compare. The test generates it: a library of pointers to the functions,
//! compiled with each header, contains all of their types. The functions of
//! this library need no separate proof, since the build generates the header
//! from them.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{cc, directory, functions, our_header, outcome, read, run, system_header, write};
use support::process::Outcome;

/// Returns C source with a pointer to each function.
fn pointers(functions: &BTreeSet<String>) -> String {
    functions
        .iter()
        .fold("#include <libnbd.h>\n".to_owned(), |mut text, function| {
            writeln!(
                text,
                "__typeof__ ({function}) *pointer_to_{function} = {function};"
            )
            .expect("a string can be written to");
            text
        })
}

/// Compiles the source with the header in a directory of its own.
fn compile(directory: &Path, header: &str, source: &str) -> PathBuf {
    std::fs::create_dir_all(directory).expect("a directory can be made");
    write(&directory.join("libnbd.h"), header);
    write(&directory.join("types.c"), source);
    let library = directory.join("types.so");
    run(&mut cc(&[
        "-g".as_ref(),
        "-shared".as_ref(),
        "-fPIC".as_ref(),
        "-I".as_ref(),
        directory.as_ref(),
        directory.join("types.c").as_ref(),
        "-o".as_ref(),
        library.as_ref(),
    ]));
    library
}

fn abidiff(old: &Path, new: &Path) -> Outcome {
    outcome(Command::new("abidiff").arg(old).arg(new))
}

#[test]
fn abidiff_finds_the_same_types_in_both_headers() {
    let directory = directory("types");
    let source = pointers(&functions(&system_header()));
    let old = compile(&directory.join("old"), &read(&system_header()), &source);
    let new = compile(&directory.join("new"), &read(&our_header()), &source);
    let found = abidiff(&old, &new);
    assert!(found.status.success(), "{}", found.describe());
}

#[test]
fn abidiff_would_find_a_changed_type_anywhere() {
    let directory = directory("changed-types");
    let source = pointers(&functions(&system_header()));
    let old = compile(&directory.join("old"), &read(&system_header()), &source);
    let ours = read(&our_header());
    for (number, (from, to)) in [
        // A parameter and a result of a function.
        (
            "nbd_set_strict_mode(struct nbd_handle *h, uint32_t flags)",
            "nbd_set_strict_mode(struct nbd_handle *h, uint64_t flags)",
        ),
        (
            "int64_t nbd_get_size(struct nbd_handle *h)",
            "int nbd_get_size(struct nbd_handle *h)",
        ),
        // A parameter of a callback, and the order in its structure.
        (
            "uint64_t offset, unsigned int status",
            "uint32_t offset, unsigned int status",
        ),
        (
            "  void *user_data;\n  void (*free)(void *user_data);\n} nbd_list_callback;",
            "  void (*free)(void *user_data);\n  void *user_data;\n} nbd_list_callback;",
        ),
    ]
    .iter()
    .enumerate()
    {
        // The layout of the header does not matter, apart from spaces.
        assert!(ours.contains(from), "the header has {from:?}");
        let changed = ours.replace(from, to);
        let new = compile(&directory.join(format!("new-{number}")), &changed, &source);
        let found = abidiff(&old, &new);
        assert!(!found.status.success(), "{to:?} goes unnoticed");
    }
}
