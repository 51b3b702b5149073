// SPDX-License-Identifier: LGPL-2.1-or-later

//! Dependencies comply with `deny.toml`: permitted licences, known sources, and
//! no unneeded dependency of the library.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns a line of `cargo tree` for each package needed on this system, all
/// of which are available here.
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

/// Returns the licences that `deny.toml` allows.
fn allowed() -> BTreeSet<String> {
    let deny = read("deny.toml");
    let list = deny
        .split_once("\nallow = [")
        .and_then(|(_, rest)| rest.split_once(']'))
        .expect("a list of licences")
        .0;
    list.split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// Returns true if the allowed licences satisfy a licence expression.
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
fn licence_expressions_are_parsed() {
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
        "scripted_server",
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

/// The run-time dependencies of a program, and the build dependencies without
/// default features.
#[test]
fn the_library_has_few_dependencies() {
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

/// `cargo build` reports the minimum version to users of an older Rust, clippy
/// warns about newer features, and `make oldest-rust` verifies it.
#[test]
fn every_package_states_the_minimum_rust_version() {
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
        "tests/scripted_server",
        "tests/support",
    ] {
        let inherited = oldest(&format!("{member}/Cargo.toml"), "rust-version");
        assert_eq!(inherited, ".workspace = true", "{member}");
    }
}
