// SPDX-License-Identifier: LGPL-2.1-or-later

//! What this repository depends on, measured by `deny.toml`: licences that allow
//! it, sources that are known, and nothing in the library that is not needed.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A line for each package of `cargo tree`, of those that are needed on this
/// system and so are at hand.
fn tree(arguments: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["tree", "--locked", "--offline", "--prefix", "none"])
        .args(arguments)
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo tree: {errors}");
    let lines = String::from_utf8(output.stdout).expect("text");
    let lines = lines.lines().map(|line| line.trim_end_matches(" (*)"));
    let packages = lines.filter(|line| !line.is_empty());
    packages.map(str::to_owned).collect()
}

/// The licences that `deny.toml` allows.
fn allowed() -> BTreeSet<String> {
    let deny = read("deny.toml");
    let list = deny
        .split_once("\nallow = [")
        .and_then(|(_, behind)| behind.split_once(']'))
        .expect("a list of licences")
        .0;
    list.split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// Whether a licence expression can be met with what is allowed.
fn is_met(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace(" WITH ", "\u{a0}");
    let mut words = spaced.split(' ').filter(|word| !word.is_empty()).peekable();
    let met = any(&mut words, allowed);
    assert_eq!(words.next(), None, "all of {expression:?} is understood");
    met
}

fn any<'a, I: Iterator<Item = &'a str>>(
    words: &mut std::iter::Peekable<I>,
    allowed: &BTreeSet<String>,
) -> bool {
    let mut met = all(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        met |= all(words, allowed);
    }
    met
}

fn all<'a, I: Iterator<Item = &'a str>>(
    words: &mut std::iter::Peekable<I>,
    allowed: &BTreeSet<String>,
) -> bool {
    let mut met = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        met &= one(words, allowed);
    }
    met
}

fn one<'a, I: Iterator<Item = &'a str>>(
    words: &mut std::iter::Peekable<I>,
    allowed: &BTreeSet<String>,
) -> bool {
    if words.next_if_eq(&"(").is_some() {
        let met = any(words, allowed);
        assert_eq!(words.next(), Some(")"));
        return met;
    }
    let name = words.next().expect("a licence").replace('\u{a0}', " WITH ");
    allowed.contains(&name)
}

#[test]
fn licences_are_understood() {
    let allowed = ["MIT", "ISC", "A WITH B"].map(str::to_owned).into();
    for met in [
        "MIT",
        "X OR MIT",
        "X/ISC",
        "(X OR MIT) AND ISC",
        "A WITH B AND MIT",
    ] {
        assert!(is_met(met, &allowed), "{met}");
    }
    for not in [
        "X",
        "X AND MIT",
        "(X OR Y) AND MIT",
        "MIT AND (X OR Y)",
        "A",
    ] {
        assert!(!is_met(not, &allowed), "{not}");
    }
}

#[test]
fn every_licence_is_allowed() {
    let allowed = allowed();
    assert!(allowed.contains("MIT"), "{allowed:?}");
    let packages = tree(&[
        "--workspace",
        "--edges",
        "normal,build,dev",
        "--format",
        "{l}\t{p}",
    ]);
    assert!(packages.len() > 50, "{packages:?}");
    for package in packages {
        let (licence, name) = package.split_once('\t').expect("two columns");
        assert!(!licence.is_empty(), "{name} has no licence");
        assert!(is_met(licence, &allowed), "{name} is under {licence}");
    }
}

#[test]
fn every_package_comes_from_the_registry_with_a_checksum() {
    let lock = read("Cargo.lock");
    let own = [
        "fuzzing",
        "libnbd",
        "manual",
        "memserver",
        "mutants",
        "support",
    ];
    let mut others = 0;
    for package in lock.split("[[package]]\n").skip(1) {
        let value = |key: &str| {
            let line = package.lines().find(|line| line.starts_with(key))?;
            line.split('"').nth(1)
        };
        let name = value("name = ").expect("a name");
        if own.contains(&name) {
            continue;
        }
        others += 1;
        let registry = "registry+https://github.com/rust-lang/crates.io-index";
        assert_eq!(value("source = "), Some(registry), "{name}");
        assert!(value("checksum = ").is_some(), "{name}");
    }
    assert!(others > 50, "{others}");
}

/// What a program gets that loads the library, and, without the default features, what
/// builds it.
#[test]
fn the_library_itself_needs_little() {
    let of_library = |options: &[&str]| {
        let arguments = [&["--package", "libnbd", "--format", "{p}"], options].concat();
        tree(&arguments)
    };
    let expected = [
        "cfg-if",
        "iri-string",
        "libc",
        "libnbd",
        "lock_api",
        "memchr",
        "parking_lot",
        "parking_lot_core",
        "scopeguard",
        "smallvec",
    ];
    for packages in [
        of_library(&["--edges", "normal"]),
        of_library(&["--edges", "normal,build", "--no-default-features"]),
    ] {
        let unknown: Vec<_> = packages
            .iter()
            .filter_map(|package| package.split(' ').next())
            .filter(|name| !expected.contains(name))
            .collect();
        assert!(
            unknown.is_empty(),
            "not among what was decided on: {unknown:?}"
        );
    }
}

/// `cargo build` says so to those whose Rust is too old, clippy warns of what is newer,
/// and `make oldest-rust` looks whether it is true.
#[test]
fn every_package_names_the_oldest_rust_that_builds_it() {
    let oldest = |file: &str, key: &str| {
        let text = read(file);
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        let version = line.unwrap_or_else(|| panic!("{file}: no {key}"));
        version.trim_start_matches([' ', '=']).to_owned()
    };
    let expected = oldest("Cargo.toml", "rust-version");
    assert_eq!(oldest("clippy.toml", "msrv"), expected);
    for member in [
        "fuzz",
        "manual",
        "memserver",
        "tests/mutants",
        "tests/server_messages",
        "tests/support",
    ] {
        let inherited = oldest(&format!("{member}/Cargo.toml"), "rust-version");
        assert_eq!(inherited, ".workspace = true", "{member}");
    }
}
