// SPDX-License-Identifier: LGPL-2.1-or-later

//! Runs the C programs of `capi-tests/` again under valgrind: no access to
//! memory that is not there or not initialised, no leak, whichever path through
//! the library a program takes. (Those about TLS are in `tests/tls/`.)

mod support;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use std::{fs, iter};

use libtest_mimic::{Arguments, Trial};
use support::c_program::{self, CProgram};
use support::library::{self, Library};
use support::memcheck::{self, FOUND};
use support::process::{self, Outcome};
use support::Result;

const LIMIT: Duration = Duration::from_secs(300);

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(2);
    match trials() {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
        Err(failure) => {
            eprintln!("valgrind: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn trials() -> Result<Vec<Trial>> {
    let library = Library::under_test()?;
    let memserver = library::memserver()?;
    let directory = library::profile_directory()?.join("capi/valgrind");
    let of_program = |program: CProgram| {
        let (library, memserver, directory) =
            (library.clone(), memserver.clone(), directory.clone());
        Trial::test(program.name.clone(), move || {
            let outcome = run(&program, &library, &memserver, &directory)?;
            match outcome.status.success() {
                true => Ok(()),
                false => Err(outcome.describe().into()),
            }
        })
    };
    let (library, memserver, directory) = (library.clone(), memserver.clone(), directory.clone());
    let watchdog = Trial::test("a_leaked_handle_is_found", move || {
        Ok(a_leaked_handle_is_found(&library, &memserver, &directory)?)
    });
    let programs = c_program::all()?.into_iter().map(of_program);
    Ok(iter::once(watchdog).chain(programs).collect())
}

fn run(
    program: &CProgram,
    library: &Library,
    memserver: &Path,
    directory: &Path,
) -> Result<Outcome> {
    let executable = c_program::compile(program, library, directory)?;
    let mut command = memcheck::command(library, &executable)?;
    command.env("MEMSERVER", memserver);
    process::run(&mut command, &[], LIMIT)
}

/// The other tests here mean something only when valgrind sees into the library.
fn a_leaked_handle_is_found(library: &Library, memserver: &Path, directory: &Path) -> Result<()> {
    let source: PathBuf = directory.join("leak.c");
    let text = "#include <stddef.h>\n\
                #include <libnbd.h>\n\
                struct nbd_handle *volatile h;\n\
                int main (void) { h = nbd_create (); h = NULL; return 0; }\n";
    fs::create_dir_all(directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    fs::write(&source, text).map_err(|e| format!("{}: {e}", source.display()))?;
    let program = CProgram {
        name: "leak".to_owned(),
        source,
    };
    let outcome = run(&program, library, memserver, directory)?;
    let report = String::from_utf8_lossy(&outcome.stderr);
    if outcome.status.code() == Some(FOUND) && report.contains("nbd_create") {
        Ok(())
    } else {
        Err(outcome.describe())
    }
}
