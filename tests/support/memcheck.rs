// SPDX-License-Identifier: LGPL-2.1-or-later

//! Programs run under valgrind: no access to memory that is not there or not
//! initialised, no leak. What a program starts is not looked at.
//!
//! A program sees `TEST_UNDER_VALGRIND=1`: valgrind makes everything twenty
//! times slower, so one that does a lot of work can do less of it.

use std::path::Path;
use std::process::Command;

use super::library::Library;
use super::{programs, Result};

/// Exit status for what valgrind found; no test program uses it.
pub const FOUND: i32 = 99;

/// The command that runs a program so.
pub fn command(library: &Library, executable: &Path) -> Result<Command> {
    let mut command = library.command(&programs::find("valgrind")?);
    command
        .args(["--quiet", "--leak-check=full", "--num-callers=40"])
        .arg("--show-leak-kinds=definite,indirect,possible")
        .arg("--errors-for-leak-kinds=definite,indirect,possible")
        .args(["--trace-children=no", "--child-silent-after-fork=yes"])
        // Threads of a program take turns, as they would without valgrind.
        .arg("--fair-sched=try")
        .arg(format!("--error-exitcode={FOUND}"))
        .arg(executable)
        .env("TEST_UNDER_VALGRIND", "1");
    Ok(command)
}
