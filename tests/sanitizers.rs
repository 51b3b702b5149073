// SPDX-License-Identifier: LGPL-2.1-or-later

//! Runs the C programs of `capi-tests/` again with AddressSanitizer and
//! UndefinedBehaviorSanitizer on the C side: the header is correct, and no
//! program relies on undefined behaviour. The library shares the program's
//! malloc, so misuse of its memory by C is detected, and so are system calls of
//! the library that overrun memory of C.
//!
//! valgrind looks for leaks (`tests/valgrind.rs`), since it also sees the
//! library's own stacks.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use support::c_suite::{Suite, Watchdog};
use support::library::Library;
use support::Result;

/// Exit status for errors found by the sanitizers; no test program uses it.
const FOUND: i32 = 99;

const FLAGS: [&str; 3] = [
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=undefined",
    "-fno-omit-frame-pointer",
];

/// A program that must fail: it proves that the library's accesses to a
/// program's memory are checked.
const SHORT_BUFFER: Watchdog = Watchdog {
    name: "a_buffer_that_is_too_short_is_found",
    source: "#include <stdlib.h>\n\
             #include <libnbd.h>\n\
             int main (void) {\n\
               char *argv[] = { getenv (\"MEMSERVER\"), \"--stdin\", NULL };\n\
               struct nbd_handle *h = nbd_create ();\n\
               char *short_by_one = malloc (511);\n\
               if (nbd_connect_command (h, argv) == -1) return 1;\n\
               nbd_pread (h, short_by_one, 512, 0, 0);\n\
               return 0;\n\
             }\n",
    found: FOUND,
    report: "heap-buffer-overflow",
};

fn main() -> ExitCode {
    let suite = Suite {
        name: "sanitizers",
        directory: "sanitizers",
        flags: &FLAGS,
        command,
        limit: Duration::from_secs(150),
        watchdog: Some(SHORT_BUFFER),
    };
    suite.main()
}

fn command(library: &Library, executable: &Path) -> Result<Command> {
    let asan = format!("detect_leaks=0:exitcode={FOUND}:detect_stack_use_after_return=1");
    let ubsan = format!("print_stacktrace=1:exitcode={FOUND}");
    let mut command = library.command(executable);
    command
        .env("ASAN_OPTIONS", asan)
        .env("UBSAN_OPTIONS", ubsan);
    Ok(command)
}
