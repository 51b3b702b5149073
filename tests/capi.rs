// SPDX-License-Identifier: LGPL-2.1-or-later

//! Runs the C programs of `capi-tests/`, each compiled with the system's C
//! compiler against the built library. The name of a program states the
//! behaviour of the C interface that it tests.
//!
//! `cargo test --test capi -- NAME` runs those whose name contains NAME. With
//! `LIBNBD_UNDER_TEST=/path/to/libnbd.so.0` the same programs run with another
//! library, to see its behaviour.

use std::process::ExitCode;
use std::time::Duration;

use support::c_suite::Suite;

fn main() -> ExitCode {
    let suite = Suite {
        name: "capi",
        directory: "bin",
        flags: &[],
        command: |library, executable| Ok(library.command(executable)),
        // The programs have a shorter time limit of their own.
        limit: Duration::from_secs(150),
        watchdog: None,
    };
    suite.main()
}
