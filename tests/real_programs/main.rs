// SPDX-License-Identifier: LGPL-2.1-or-later

//! Debian's own programs, unmodified, and programs compiled here against
//! Debian's header and bindings, run with the system's C library and then with
//! this one, against popular servers. Output, exit status and files must be
//! identical.
//!
//! `cargo test --test real_programs -- WORDS` runs the tests with WORDS in
//! their name. If a program is not installed, its tests fail and name its
//! package.

mod c_programs;
mod connections;
mod extensions;
mod fio;
mod images;
mod loading;
mod nbdcopy;
mod nbddump;
mod nbdfuse;
mod nbdinfo;
mod nbdsh;
mod nbdzero;
mod ocaml;
mod proxy;
mod servers;
mod wire;

use std::process::ExitCode;

use libtest_mimic::Arguments;
use support::{systems, Result};

fn main() -> ExitCode {
    systems::in_each(&["trixie", "sid"], compile, run)
}

fn compile() -> Result<()> {
    ocaml::compiled()?;
    extensions::compile()?;
    c_programs::all().map(|_| ())
}

fn run() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(2);
    let trials = [
        loading::trials(),
        nbdinfo::trials(),
        nbdcopy::trials(),
        nbddump::trials(),
        nbdfuse::trials(),
        nbdsh::trials(),
        nbdzero::trials(),
        connections::trials(),
        proxy::trials(),
        fio::trials(),
        ocaml::trials(),
        c_programs::trials(),
        extensions::trials(),
        images::trials(),
        wire::trials(),
    ];
    let trials = trials.into_iter().flatten().collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}
