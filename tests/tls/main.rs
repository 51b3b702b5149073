// SPDX-License-Identifier: LGPL-2.1-or-later

//! Encrypted connections to popular servers, from C programs, from Debian's own
//! nbdinfo and nbdcopy, and through nbdkit as a proxy; and every condition
//! under which a connection must fail rather than be unencrypted or encrypted
//! for the wrong peer.
//!
//! `cargo test --test tls -- WORDS` runs the tests with WORDS in their name. If
//! a program is not installed, its tests fail and name its package.

mod agreement;
mod attacker;
mod client;
mod endless;
mod fail_closed;
mod faults;
mod identity;
mod loading;
mod memory;
mod programs;
mod proxy;
mod seen;
mod servers;
mod slow;
mod starttls;
mod transfers;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::Arguments;
use support::certificates::Certificates;
use support::{systems, target};

fn main() -> ExitCode {
    systems::in_each(&["trixie", "sid"], client::compile_all, run)
}

fn run() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(2);
    // Kept until all tests are done, with its directory.
    let certificates = Arc::new(Certificates::default());
    let mut trials = vec![
        transfers::trials(&certificates),
        agreement::trials(&certificates),
        endless::trials(&certificates),
        fail_closed::trials(&certificates),
        faults::trials(&certificates),
        identity::trials(&certificates),
        slow::trials(&certificates),
        starttls::trials(&certificates),
    ];
    // Other packages' programs exist for this architecture only.
    let mut of_this_system = vec![
        programs::trials(&certificates),
        proxy::trials(&certificates),
    ];
    if systems::inside().is_none() {
        // A root has no compiler and no valgrind.
        trials.push(loading::trials(&certificates));
        of_this_system.push(memory::trials(&certificates));
    }
    let of_this_system = of_this_system.into_iter().flatten();
    let of_this_system = of_this_system.map(|trial| match target::is_foreign() {
        true => trial
            .with_kind("not on other systems")
            .with_ignored_flag(true),
        false => trial,
    });
    let trials = trials.into_iter().flatten().chain(of_this_system).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}
