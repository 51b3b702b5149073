// SPDX-License-Identifier: LGPL-2.1-or-later

//! One translation unit that includes both headers: contradictory declarations
//! of the same name are errors.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::{cc, directory, our_header, outcome, read, run, system_header, write};
use support::process::Outcome;

/// Macros private to the header, and those that grow when a bit is added.
const HELPERS: [&str; 3] = [
    "LIBNBD_GCC_VERSION",
    "LIBNBD_ATTRIBUTE_NONNULL",
    "LIBNBD_ATTRIBUTE_ALLOC_DEALLOC",
];
const MASKS: [&str; 3] = [
    "LIBNBD_ALLOW_TRANSPORT_MASK",
    "LIBNBD_CMD_FLAG_MASK",
    "LIBNBD_STRICT_MASK",
];

/// Returns the macros of a header whose names have this prefix, with their
/// values.
fn macros(header: &Path) -> BTreeMap<String, String> {
    let mut command = Command::new("cc");
    command.args(["-dM", "-E", "-x", "c"]).arg(header);
    let text = run(&mut command);
    text.lines()
        .filter_map(|line| line.strip_prefix("#define ")?.split_once(' '))
        .filter(|(name, _)| name.starts_with("LIBNBD_"))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Returns the names of the structures in a header, without `nbd_`: the
/// callback types, and `extent` since libnbd 1.18.
fn structures(header: &str) -> Vec<&str> {
    header
        .lines()
        .filter_map(|line| line.strip_prefix("} nbd_")?.strip_suffix(';'))
        .collect()
}

/// Returns a copy of the header in which the structures are renamed, because C
/// does not allow a second definition. Prototypes keep the original names.
fn renamed(header: &str, common: &[&str]) -> String {
    common.iter().fold(header.to_owned(), |text, name| {
        text.replace(&format!("}} nbd_{name};"), &format!("}} second_{name};"))
    })
}

fn members(structure: &str) -> &'static [&'static str] {
    match structure {
        "extent" => &["length", "flags"],
        _ => &["callback", "user_data", "free"],
    }
}

/// Compiles the translation unit with `ours` as the text of our header.
fn compile_both(directory: &Path, ours: &str) -> Outcome {
    let theirs = read(&system_header());
    let common: Vec<_> = structures(&theirs);
    assert!(common.len() >= 6, "{common:?}");
    write(&directory.join("second.h"), &renamed(ours, &common));

    let mut text = format!("#include \"{}\"\n", system_header().display());
    text += "#undef LIBNBD_H\n";
    for name in HELPERS {
        text += &format!("#undef {name}\n");
    }
    for name in MASKS {
        text += &format!("enum {{ OLD_{name} = {name} }};\n#undef {name}\n");
    }
    text += "#include \"second.h\"\n";
    for name in MASKS {
        text +=
            &format!("_Static_assert ((OLD_{name} & {name}) == OLD_{name}, \"bits of {name}\");\n");
    }
    for name in common {
        let (first, second) = (format!("nbd_{name}"), format!("second_{name}"));
        text += &format!(
            "_Static_assert (sizeof ({first}) == sizeof ({second}), \"size of {first}\");\n"
        );
        for member in members(name) {
            text += &format!(
                "_Static_assert (__builtin_offsetof ({first}, {member})\n\
                 \x20               == __builtin_offsetof ({second}, {member})\n\
                 \x20               && __builtin_types_compatible_p (\n\
                 \x20                    __typeof__ ((({first} *) 0)->{member}),\n\
                 \x20                    __typeof__ ((({second} *) 0)->{member})),\n\
                 \x20               \"{member} of {first}\");\n"
            );
        }
    }
    let source = directory.join("both.c");
    write(&source, &text);
    outcome(&mut cc(&[
        "-fsyntax-only".as_ref(),
        "-I".as_ref(),
        directory.as_ref(),
        source.as_ref(),
    ]))
}

#[test]
fn both_headers_can_be_included_together() {
    let directory = directory("both-headers");
    let compiled = compile_both(&directory, &read(&our_header()));
    assert!(compiled.status.success(), "{}", compiled.describe());
}

#[test]
fn a_difference_between_the_headers_would_not_compile() {
    let directory = directory("conflicting-headers");
    let ours = read(&our_header());
    for (from, to) in [
        (
            "#define LIBNBD_READ_HOLE                         2",
            "#define LIBNBD_READ_HOLE                         4",
        ),
        (
            "LIBNBD_CMD_FLAG_MASK                     0x3fU",
            "LIBNBD_CMD_FLAG_MASK 0x3eU",
        ),
        (
            "int64_t nbd_get_size(struct nbd_handle *h)",
            "uint64_t nbd_get_size(struct nbd_handle *h)",
        ),
        (
            "  int (*callback)(void *user_data, const char *name, const char *description);",
            "  int (*callback)(void *user_data, const char *name, char *description);",
        ),
        (
            "  void *user_data;\n  void (*free)(void *user_data);\n} nbd_chunk_callback;",
            "  void (*free)(void *user_data);\n  void *user_data;\n} nbd_chunk_callback;",
        ),
    ] {
        assert!(ours.contains(from), "the header has {from:?}");
        let compiled = compile_both(&directory, &ours.replace(from, to));
        assert!(!compiled.status.success(), "{to:?} goes unnoticed");
    }
}

/// Macros expand to the same values for the preprocessor.
#[test]
fn every_macro_of_the_c_library_has_its_value() {
    let ours = macros(&our_header());
    let theirs = macros(&system_header());
    assert!(theirs.len() > 150, "{theirs:?}");
    for (name, value) in theirs {
        // The name of a function-like macro includes its parameters.
        let plain = name.split('(').next().expect("there is a name");
        if name == "LIBNBD_H" || HELPERS.contains(&plain) || MASKS.contains(&plain) {
            assert!(ours.keys().any(|ours| ours.starts_with(plain)), "{name}");
            continue;
        }
        assert_eq!(ours.get(&name), Some(&value), "{name}");
    }
}
