// SPDX-License-Identifier: LGPL-2.1-or-later

//! Programs run under valgrind: no invalid or uninitialised access, and no
//! leak. Child processes are not checked.
//!
//! A program sees `TEST_UNDER_VALGRIND=1`: valgrind is twenty times slower, so
//! a program with a lot of work can do less of it.

use std::path::Path;
use std::process::Command;

use super::library::Library;
use super::{programs, Result};

/// Exit status for errors found by valgrind; no test program uses it.
pub const FOUND: i32 = 99;

/// Returns the command that runs a program under valgrind.
pub fn command(library: &Library, executable: &Path) -> Result<Command> {
    let mut command = library.command(&programs::find("valgrind")?);
    command
        .args(["--quiet", "--leak-check=full", "--num-callers=40"])
        .arg("--show-leak-kinds=definite,indirect,possible")
        .arg("--errors-for-leak-kinds=definite,indirect,possible")
        .args(["--trace-children=no", "--child-silent-after-fork=yes"])
        // Schedule threads fairly, as without valgrind.
        .arg("--fair-sched=try")
        .arg(format!("--error-exitcode={FOUND}"))
        .arg(executable)
        .env("TEST_UNDER_VALGRIND", "1");
    Ok(command)
}
