// SPDX-License-Identifier: LGPL-2.1-or-later

//! The library built for musl, and programs that use it. `make musl` runs more
//! tests there.

use std::process::Command;

use libtest_mimic::Trial;

use crate::packages::trial;
use crate::system;
use support::library::{profile_directory, source};
use support::{systems, Result};

pub fn trials() -> Vec<Trial> {
    let name = "programs run with the library for musl";
    vec![trial(name, obstacle(), programs)]
}

/// Returns the reason why it cannot be built here, if there is one.
fn obstacle() -> Option<&'static str> {
    if !cfg!(target_arch = "x86_64") {
        Some("needs x86-64")
    } else if !systems::chosen("sid") {
        Some("LIBNBD_TEST_SYSTEMS has no sid")
    } else {
        system::forbidden()
    }
}

/// Creates a system and builds Rust's standard library in it.
fn programs() -> Result<()> {
    let mut script = Command::new(source().join("scripts/musl.sh"));
    script.arg("programs").env("OUT", profile_directory()?);
    system::finish(&mut script).map(|_| ())
}
