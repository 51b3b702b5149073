// SPDX-License-Identifier: LGPL-2.1-or-later

//! Runs the C programs of `capi-tests/`, each compiled with the system's C
//! compiler against the built library. The name of a program says which
//! behaviour of the C interface it is about.
//!
//! `cargo test --test capi -- NAME` runs those whose name contains NAME.
//! With `LIBNBD_UNDER_TEST=/path/to/libnbd.so.0` the same programs run with
//! another library, to see what that one does.

mod support;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Trial};
use support::c_program::{self, CProgram};
use support::library::{self, Library};
use support::{process, Result};

/// The programs end themselves before that.
const LIMIT: Duration = Duration::from_secs(150);

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(2);
    match trials() {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
        Err(failure) => {
            eprintln!("capi: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn trials() -> Result<Vec<Trial>> {
    let library = Library::under_test()?;
    let memserver = library::memserver()?;
    let directory = library::profile_directory()?.join("capi/bin");
    let trial = |program: CProgram| {
        let (library, memserver, directory) =
            (library.clone(), memserver.clone(), directory.clone());
        Trial::test(program.name.clone(), move || {
            Ok(run(&program, &library, memserver, directory)?)
        })
    };
    Ok(c_program::all()?.into_iter().map(trial).collect())
}

fn run(
    program: &CProgram,
    library: &Library,
    memserver: PathBuf,
    directory: PathBuf,
) -> Result<()> {
    let executable = c_program::compile(program, library, &directory)?;
    let mut command = library.command(&executable);
    command.env("MEMSERVER", memserver);
    let outcome = process::run(&mut command, &[], LIMIT)?;
    if outcome.status.success() {
        Ok(())
    } else {
        Err(outcome.describe())
    }
}
