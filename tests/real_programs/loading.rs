// SPDX-License-Identifier: LGPL-2.1-or-later

//! Each program loads the library that it is meant to use; otherwise the
//! comparisons would be meaningless.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;

use libtest_mimic::Trial;

use crate::{c_programs, ocaml};
use support::library::{self, Library};
use support::scenario::Scenario;
use support::{process, programs, Result};

pub fn trials() -> Vec<Trial> {
    let of_program = |program: &'static str| {
        Trial::test(format!("loading: {program} takes the library"), move || {
            Ok(takes_the_library(program)?)
        })
    };
    let mut trials: Vec<_> = ["nbdinfo", "nbdcopy", "nbddump", "nbdfuse", "fio"]
        .map(of_program)
        .into();
    trials.push(Trial::test("loading: nbdsh takes the library", || {
        Ok(nbdsh_takes_the_library()?)
    }));
    trials.push(Trial::test("loading: nbdkit nbd takes the library", || {
        Ok(nbdkit_takes_the_library()?)
    }));
    trials.push(Trial::test(
        "loading: programs compiled here take the library",
        || {
            takes_the_library(&ocaml::compiled()?.display().to_string())?;
            for program in c_programs::all()? {
                takes_the_library(&program)?;
            }
            Ok(())
        },
    ));
    trials
}

/// Returns the path of the libnbd.so.0 that the dynamic linker finds for a
/// program.
fn found_for(program: &str, library: &Library) -> Result<String> {
    let mut command = library.command(&programs::find(program)?);
    command.env("LD_TRACE_LOADED_OBJECTS", "1");
    let outcome = process::run(&mut command, &[], std::time::Duration::from_secs(10))?;
    let list = String::from_utf8_lossy(&outcome.stdout);
    let line = list.lines().find(|line| line.contains("libnbd.so.0 =>"));
    line.and_then(|line| line.split_whitespace().nth(2))
        .map(str::to_owned)
        .ok_or_else(|| outcome.describe())
}

fn takes_the_library(program: &str) -> Result<()> {
    let under_test = Library::under_test()?;
    if under_test.has_launcher() {
        return Ok(());
    }
    let expected = library::library_directory()?.join("libnbd.so.0");
    let found = found_for(program, &under_test)?;
    if OsStr::new(&found) != expected {
        return Err(format!("{program} takes {found}"));
    }
    let system = found_for(program, &Library::system())?;
    if system == found {
        return Err(format!("{program} always takes {found}"));
    }
    Ok(())
}

/// In nbdkit, a plugin loads the library.
fn nbdkit_takes_the_library() -> Result<()> {
    let under_test = Library::under_test()?;
    if under_test.has_launcher() {
        return Ok(());
    }
    let s = Scenario::new(&under_test)?;
    let proxy = s.serve_with_library("nbdkit nbd command=nbdkit arg=null")?;
    let maps = format!("/proc/{}/maps", proxy.pid());
    let maps = fs::read_to_string(&maps).map_err(|e| format!("{maps}: {e}"))?;
    let expected = library::library_directory()?.join("libnbd.so.0");
    let expected = fs::canonicalize(&expected).map_err(|e| e.to_string())?;
    let found: BTreeSet<_> = maps
        .lines()
        .filter_map(|line| line.split_whitespace().nth(5))
        .filter(|path| path.contains("libnbd.so"))
        .collect();
    match found.iter().map(OsStr::new).eq([expected.as_os_str()]) {
        true => Ok(()),
        false => Err(format!("nbdkit takes {found:?}")),
    }
}

/// In nbdsh, python loads the library as part of the `nbd` module.
fn nbdsh_takes_the_library() -> Result<()> {
    let under_test = Library::under_test()?;
    if under_test.has_launcher() {
        return Ok(());
    }
    let script = "print([l.split()[-1] for l in open('/proc/self/maps') if 'libnbd.so' in l][0])";
    let mapped = |library: &Library| -> Result<String> {
        let outcome = Scenario::new(library)?.client("nbdsh", &["-c", script])?;
        Ok(String::from_utf8_lossy(&outcome.stdout).trim().to_owned())
    };
    let expected = library::library_directory()?.join("libnbd.so.0");
    let expected = fs::canonicalize(&expected).map_err(|e| e.to_string())?;
    let found = mapped(&under_test)?;
    if OsStr::new(&found) != expected {
        return Err(format!("nbdsh takes {found}"));
    }
    let system = mapped(&Library::system())?;
    if system == found && std::env::var_os("LIBNBD_UNDER_TEST").is_none() {
        return Err(format!("nbdsh always takes {found}"));
    }
    Ok(())
}
