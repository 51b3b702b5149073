// SPDX-License-Identifier: LGPL-2.1-or-later

//! A distribution's build: without default features, and so without cbindgen.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use libtest_mimic::Trial;

use crate::installation::{self, fresh_directory};
use crate::run;
use crate::same_bytes::cargo_home;
use support::library::source;
use support::Result;

pub fn trials() -> Vec<Trial> {
    vec![Trial::test(
        "without cbindgen the library and the header are the same",
        || Ok(same()?),
    )]
}

/// Returns the target directory of such a build.
pub fn built() -> Result<&'static Path> {
    static BUILT: OnceLock<Result<PathBuf>> = OnceLock::new();
    let make = || {
        let target = fresh_directory("without-cbindgen")?;
        let header = source().join("include/libnbd.h");
        let read = || fs::read(&header).map_err(|e| format!("{}: {e}", header.display()));
        let before = read()?;
        build(source(), &cargo_home(), &target)?;
        match read()? == before {
            true => Ok(target),
            false => Err("the build has written the header".to_owned()),
        }
    };
    BUILT.get_or_init(make).as_deref().map_err(Clone::clone)
}

/// Builds the library alone, without cbindgen.
pub fn build(source: &Path, cargo_home: &Path, target: &Path) -> Result<()> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--locked", "--offline", "--release", "--lib"])
        .arg("--no-default-features")
        .env("CARGO_HOME", cargo_home)
        .env("CARGO_TARGET_DIR", target)
        .env_remove("CARGO_BUILD_TARGET")
        .current_dir(source);
    run(&mut cargo).map(|_| ())
}

fn same() -> Result<()> {
    let expected = functions(&installation::built()?.join("libnbd.so"))?;
    let found = functions(&built()?.join("release/libnbd.so"))?;
    if expected.len() < 200 {
        return Err(format!("these are not all functions: {expected:?}"));
    }
    for name in expected.keys().chain(found.keys()) {
        if expected.get(name) != found.get(name) {
            return Err(format!("{name} has other sizes"));
        }
    }
    Ok(())
}

/// Returns the functions in a library with their sizes; a name can occur
/// several times. The bytes cannot be identical, since the features change the
/// hashes in symbol names and thereby the order.
fn functions(library: &Path) -> Result<BTreeMap<String, Vec<String>>> {
    let mut nm = Command::new("nm");
    nm.args(["--demangle", "--defined-only", "--print-size"]);
    let printed = run(nm.arg(library))?;
    let mut functions = BTreeMap::<String, Vec<String>>::new();
    for line in printed.lines() {
        let mut words = line.splitn(4, ' ').skip(1);
        let (Some(size), Some("t" | "T"), Some(name)) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let name = match name.rsplit_once("::h") {
            Some((name, hash)) if hash.len() == 16 => name,
            _ => name,
        };
        functions
            .entry(name.to_owned())
            .or_default()
            .push(size.to_owned());
    }
    functions.values_mut().for_each(|sizes| sizes.sort());
    Ok(functions)
}
