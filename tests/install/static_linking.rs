// SPDX-License-Identifier: LGPL-2.1-or-later

//! Programs with the library inside, built with nothing but what
//! `pkg-config --static` says.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Trial;

use crate::installation::{fresh_directory, Installation};
use crate::support::library::source;
use crate::support::Result;
use crate::{run, runs, PROGRAM};

const FUNCTIONS: &str = include_str!("../../src/capi/functions.tsv");

const MUSL: &str = "x86_64-unknown-linux-musl";

pub fn trials() -> Vec<Trial> {
    let musl = if has_musl() {
        Trial::test("a static program is built for musl", || Ok(with_musl()?))
    } else {
        // Said in the list of tests, and counted as ignored.
        let name = format!("a static program is built for musl (no {MUSL} installed here)");
        Trial::test(name, || Err("not to be run".into())).with_ignored_flag(true)
    };
    vec![
        Trial::test("a static program is built", || Ok(with_glibc()?)),
        Trial::test("the static library has no names but the API's", || {
            Ok(names()?)
        }),
        Trial::test("the static library is small", || Ok(size()?)),
        musl,
    ]
}

fn with_glibc() -> Result<()> {
    let installation = Installation::staged("static", "/opt/nbd/lib")?;
    let program = build("static-program", "cc", &installation)?;
    runs(&program, None)
}

/// Another Rust library in the same program defines the rest, such as
/// `rust_eh_personality`.
fn names() -> Result<()> {
    let installation = Installation::staged("static-names", "/opt/nbd/lib")?;
    let mut nm = Command::new("nm");
    nm.args(["--defined-only", "--extern-only", "--format=just-symbols"])
        .arg(installation.libraries().join("libnbd.a"));
    let printed = run(&mut nm)?;
    // A line with a colon at its end names an object.
    let lines = printed
        .lines()
        .filter(|line| !line.ends_with(':') && !line.is_empty());
    let defined: BTreeSet<&str> = lines.collect();
    let functions = manual::interface::functions(FUNCTIONS);
    let expected = functions
        .iter()
        .map(|function| function.name.as_str())
        .collect();
    match defined == expected {
        true => Ok(()),
        false => Err(format!("{:?}", &defined ^ &expected)),
    }
}

/// Rust's standard library has 20 MB, most of it debug information.
fn size() -> Result<()> {
    let installation = Installation::staged("static-size", "/opt/nbd/lib")?;
    let archive = installation.libraries().join("libnbd.a");
    let size = fs::metadata(&archive)
        .map_err(|e| format!("{}: {e}", archive.display()))?
        .len();
    let mut readelf = Command::new("readelf");
    let sections = run(readelf.args(["--wide", "--sections"]).arg(&archive))?;
    match size < 5_000_000 && !sections.contains(" .debug_") {
        true => Ok(()),
        false => Err(format!("{size} bytes: {sections}")),
    }
}

/// Whether Rust's standard library for that target is there.
fn has_musl() -> bool {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "target-libdir", "--target", MUSL]);
    run(&mut rustc).is_ok_and(|directory| Path::new(directory.trim()).is_dir())
}

fn with_musl() -> Result<()> {
    let target = fresh_directory("musl-target")?;
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--release", "--lib", "--target", MUSL])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(source());
    run(&mut cargo)?;
    let built = target.join(MUSL).join("release");
    manual::write(source(), &built.join("man")).map_err(|e| format!("manual pages: {e}"))?;
    let installation = Installation::of_build("musl", built)?;
    let program = build("musl-program", "musl-gcc", &installation)?;
    runs(&program, None)
}

/// Builds the program, and makes sure that it needs nothing to run.
fn build(name: &str, compiler: &str, installation: &Installation) -> Result<PathBuf> {
    let program = fresh_directory(name)?.join("program");
    let mut cc = Command::new(compiler);
    cc.arg("-static")
        .arg(source().join(PROGRAM))
        .arg("-o")
        .arg(&program)
        .args(installation.flags(&["--static", "--cflags", "--libs"])?);
    run(&mut cc)?;
    let mut readelf = Command::new("readelf");
    let headers = run(readelf.arg("--program-headers").arg(&program))?;
    match headers.contains("INTERP") {
        true => Err(format!("{} is not static", program.display())),
        false => Ok(program),
    }
}
