// SPDX-License-Identifier: LGPL-2.1-or-later

//! Runs the C programs of `capi-tests/` again under valgrind: no invalid or
//! uninitialised access, and no leak, on any path through the library.
//! (`tests/tls/` does the same for TLS.)

use std::process::ExitCode;
use std::time::Duration;

use support::c_suite::{Suite, Watchdog};
use support::memcheck::{self, FOUND};

/// A program that must fail: it proves that valgrind sees into the library.
const LEAK: Watchdog = Watchdog {
    name: "a_leaked_handle_is_found",
    source: "#include <stddef.h>\n\
             #include <libnbd.h>\n\
             struct nbd_handle *volatile h;\n\
             int main (void) { h = nbd_create (); h = NULL; return 0; }\n",
    found: FOUND,
    report: "nbd_create",
};

fn main() -> ExitCode {
    let suite = Suite {
        name: "valgrind",
        directory: "valgrind",
        flags: &[],
        command: memcheck::command,
        limit: Duration::from_secs(300),
        watchdog: Some(LEAK),
    };
    suite.main()
}
