// SPDX-License-Identifier: LGPL-2.1-or-later

//! `make install` installs the development files, and every build system finds
//! them: each builds a program, which is then run. `make dist` and `make deb`
//! make archives and packages; apt installs these in place of Debian's own.
//! Packages for other distributions are built as well.
//!
//! `cargo test --test install -- NAME` runs those whose name contains NAME.

mod build_systems;
mod dist;
mod distributions;
mod installation;
mod musl;
mod packages;
mod same_bytes;
mod static_linking;
mod swap;
mod system;
mod without_cbindgen;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::{fs, iter};

use installation::Installation;
use libtest_mimic::{Arguments, Trial};
use support::process::text as run;
use support::{library, Result};

/// The source of the program, laid out like each build system's own examples.
const PROGRAM: &str = "tests/install/program.c";

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(2);
    let trials = iter::once(Trial::test(
        "make uninstall removes every installed file",
        || Ok(installation::removes_every_file()?),
    ));
    let trials = trials
        .chain(build_systems::trials())
        .chain(static_linking::trials())
        .chain(musl::trials())
        .chain(dist::trials())
        .chain(packages::trials())
        .chain(distributions::trials())
        .chain(without_cbindgen::trials())
        .chain(same_bytes::trials());
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// Runs the built program, which must use the library under test.
fn runs(program: &Path, installation: Option<&Installation>) -> Result<()> {
    let data = program.with_extension("data");
    fs::write(&data, "begin").map_err(|e| format!("{}: {e}", data.display()))?;
    let mut command = Command::new(program);
    command
        .arg(library::memserver()?)
        .args(["--stdin", "--file"])
        .arg(&data);
    match installation {
        Some(installation) => command.env("LD_LIBRARY_PATH", installation.libraries()),
        None => command.env_remove("LD_LIBRARY_PATH"),
    };
    let expected = format!("libnbd {}: begin\n", env!("CARGO_PKG_VERSION"));
    match run(&mut command)? {
        printed if printed == expected => Ok(()),
        printed => Err(format!("expected {expected:?}, printed {printed:?}")),
    }
}
