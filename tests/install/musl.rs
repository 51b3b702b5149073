// SPDX-License-Identifier: LGPL-2.1-or-later

//! The library for musl, and programs with it. `make musl` runs more tests there.

use std::process::Command;
use std::time::Duration;

use libtest_mimic::Trial;

use crate::support::library::{profile_directory, source};
use crate::support::{process, systems, Result};
use crate::system;

/// A system is made, and Rust's standard library is built there.
const LIMIT: Duration = Duration::from_secs(1800);

pub fn trials() -> Vec<Trial> {
    let name = "programs run with the library for musl";
    vec![match obstacle() {
        None => Trial::test(name, || Ok(programs()?)),
        Some(why) => {
            // Said in the list of tests, and counted as ignored.
            let name = format!("{name} ({why})");
            Trial::test(name, || Err("not to be run".into())).with_ignored_flag(true)
        }
    }]
}

/// Why it cannot be built here, where that is so.
fn obstacle() -> Option<&'static str> {
    if !cfg!(target_arch = "x86_64") {
        Some("needs x86-64")
    } else if !systems::chosen("sid") {
        Some("LIBNBD_TEST_SYSTEMS has no sid")
    } else {
        system::forbidden()
    }
}

fn programs() -> Result<()> {
    let mut script = Command::new(source().join("scripts/musl.sh"));
    script.arg("programs").env("OUT", profile_directory()?);
    let outcome = process::run(&mut script, &[], LIMIT)?;
    match outcome.status.success() {
        true => Ok(()),
        false => Err(outcome.describe()),
    }
}
