// SPDX-License-Identifier: LGPL-2.1-or-later

//! Runs the C programs of `capi-tests/` again with AddressSanitizer and
//! UndefinedBehaviorSanitizer on the C side: the header means what it says, and
//! no program relies on what C leaves undefined. The library allocates with the
//! same malloc, so what C does to the library's memory is seen, and so is what
//! system calls that the library makes do to the memory of C.
//!
//! Leaks are for valgrind to find (`tests/valgrind.rs`), since it sees into the
//! library's own stacks.

mod support;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use std::{fs, iter};

use libtest_mimic::{Arguments, Trial};
use support::c_program::{self, CProgram};
use support::library::{self, Library};
use support::process::{self, Outcome};
use support::Result;

const LIMIT: Duration = Duration::from_secs(150);

/// Exit status for what the sanitizers found; no test program uses it.
const FOUND: i32 = 99;

const FLAGS: [&str; 3] = [
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=undefined",
    "-fno-omit-frame-pointer",
];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(2);
    match trials() {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
        Err(failure) => {
            eprintln!("sanitizers: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn trials() -> Result<Vec<Trial>> {
    let library = Library::under_test()?;
    let memserver = library::memserver()?;
    let directory = library::profile_directory()?.join("capi/sanitizers");
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
    let watchdog = Trial::test("a_buffer_that_is_too_short_is_found", move || {
        Ok(a_short_buffer_is_found(&library, &memserver, &directory)?)
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
    let executable = c_program::compile_with(program, library, directory, &FLAGS)?;
    let mut command = library.command(&executable);
    let asan = format!("detect_leaks=0:exitcode={FOUND}:detect_stack_use_after_return=1");
    let ubsan = format!("print_stacktrace=1:exitcode={FOUND}");
    command
        .env("MEMSERVER", memserver)
        .env("ASAN_OPTIONS", asan)
        .env("UBSAN_OPTIONS", ubsan);
    process::run(&mut command, &[], LIMIT)
}

/// The other tests here mean something only when what the library does with the
/// memory of a program is looked at.
fn a_short_buffer_is_found(library: &Library, memserver: &Path, directory: &Path) -> Result<()> {
    let source: PathBuf = directory.join("short-buffer.c");
    let text = "#include <stdlib.h>\n\
                #include <libnbd.h>\n\
                int main (void) {\n\
                  char *argv[] = { getenv (\"MEMSERVER\"), \"--stdin\", NULL };\n\
                  struct nbd_handle *h = nbd_create ();\n\
                  char *short_by_one = malloc (511);\n\
                  if (nbd_connect_command (h, argv) == -1) return 1;\n\
                  nbd_pread (h, short_by_one, 512, 0, 0);\n\
                  return 0;\n\
                }\n";
    fs::create_dir_all(directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    fs::write(&source, text).map_err(|e| format!("{}: {e}", source.display()))?;
    let program = CProgram {
        name: "short-buffer".to_owned(),
        source,
    };
    let outcome = run(&program, library, memserver, directory)?;
    let report = String::from_utf8_lossy(&outcome.stderr);
    if outcome.status.code() == Some(FOUND) && report.contains("heap-buffer-overflow") {
        Ok(())
    } else {
        Err(outcome.describe())
    }
}
