// SPDX-License-Identifier: LGPL-2.1-or-later

//! The types in the two headers, as a compiler understands them: parameters,
//! results, the members of the callback structures and what those point to.
//!
//! Distributions strip their libraries, so there is no debugging information to
//! compare. It is made here: a library of pointers to the functions, compiled
//! with each header, has all of their types in it. That this library's functions
//! have the types in its header needs no proof, since the build writes the
//! header from them.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{cc, directory, functions, our_header, outcome, read, run, system_header, write};
use support::process::Outcome;

/// A pointer to each function.
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

/// Compiles them with the header in a directory of its own.
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
        // However the header is laid out, spaces apart.
        assert!(ours.contains(from), "the header has {from:?}");
        let changed = ours.replace(from, to);
        let new = compile(&directory.join(format!("new-{number}")), &changed, &source);
        let found = abidiff(&old, &new);
        assert!(!found.status.success(), "{to:?} goes unnoticed");
    }
}
