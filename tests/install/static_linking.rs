// SPDX-License-Identifier: LGPL-2.1-or-later

//! Programs linked statically with the flags of `pkg-config --static` alone.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use libtest_mimic::Trial;

use crate::installation::{fresh_directory, Installation};
use crate::{run, runs, PROGRAM};
use support::library::source;
use support::Result;

const FUNCTIONS: &str = include_str!("../../src/capi/functions.tsv");
const EXTENSIONS: &str = include_str!("../../src/capi/extensions.tsv");

pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("a static program is built", || Ok(program()?)),
        Trial::test("the static library has no names but the API's", || {
            Ok(names()?)
        }),
        Trial::test("the static library is small", || Ok(size()?)),
    ]
}

/// The program needs nothing to run.
fn program() -> Result<()> {
    let installation = Installation::staged("static", "/opt/nbd/lib")?;
    let program = fresh_directory("static-program")?.join("program");
    let mut cc = Command::new("cc");
    cc.arg("-static")
        .arg(source().join(PROGRAM))
        .arg("-o")
        .arg(&program)
        .args(installation.flags(&["--static", "--cflags", "--libs"])?);
    run(&mut cc)?;
    let mut readelf = Command::new("readelf");
    let headers = run(readelf.arg("--program-headers").arg(&program))?;
    if headers.contains("INTERP") {
        return Err(format!("{} is not static", program.display()));
    }
    runs(&program, None)
}

/// A second Rust library in the same program defines the remaining symbols,
/// such as `rust_eh_personality`.
fn names() -> Result<()> {
    let installation = Installation::staged("static-names", "/opt/nbd/lib")?;
    let mut nm = Command::new("nm");
    nm.args(["--defined-only", "--extern-only", "--format=just-symbols"])
        .arg(installation.libraries().join("libnbd.a"));
    let printed = run(&mut nm)?;
    // A line that ends in a colon names an object.
    let lines = printed
        .lines()
        .filter(|line| !line.ends_with(':') && !line.is_empty());
    let defined: BTreeSet<&str> = lines.collect();
    let functions = [FUNCTIONS, EXTENSIONS].map(manual::interface::functions);
    let expected = functions
        .iter()
        .flatten()
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
