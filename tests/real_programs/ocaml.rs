// SPDX-License-Identifier: LGPL-2.1-or-later

//! The OCaml binding, in a program compiled with Debian's and run with both
//! libraries.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use libtest_mimic::Trial;

use crate::images;
use support::compare::same;
use support::{library, process, programs, systems, Result};

const NAME: &str = "ocaml_binding";

const SERVERS: &[&str] = &[
    "nbdkit file disk.raw",
    "nbdkit --no-sr file disk.raw",
    "qemu-nbd --format=raw disk.raw",
    "memserver --file disk.raw --read-chunks 4096",
    "memserver --file disk.raw --shuffle 8",
];

pub fn trials() -> Vec<Trial> {
    let trial = |line: &&'static str| {
        let line = *line;
        same(format!("OCaml: {line}"), move |s| {
            images::prepare(s, line)?;
            let server = s.serve(line)?;
            let program = compiled()?.display().to_string();
            s.client(&program, &[&server.uri("")])?;
            server.stop()
        })
    };
    SERVERS.iter().map(trial).collect()
}

/// Returns the program, compiled by its first test.
pub fn compiled() -> Result<PathBuf> {
    static COMPILED: OnceLock<Result<PathBuf>> = OnceLock::new();
    COMPILED.get_or_init(compile).clone()
}

fn compile() -> Result<PathBuf> {
    let directory = library::profile_directory()?.join("capi/ocaml");
    if systems::inside().is_some() {
        // Compiled before entering this root.
        return Ok(directory.join(NAME));
    }
    fs::create_dir_all(&directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    // The compiler leaves its files beside the source.
    let file = format!("{NAME}.ml");
    let source = library::source()
        .join("tests/real_programs/programs")
        .join(&file);
    fs::copy(&source, directory.join(&file)).map_err(|e| format!("{}: {e}", source.display()))?;
    let mut ocamlopt = Command::new(programs::find("ocamlopt")?);
    ocamlopt
        .current_dir(&directory)
        .args([
            "-w",
            "+a-4-9-40-42-44-70",
            "-warn-error",
            "+a",
            "-I",
            "+nbd",
        ])
        .args(["unix.cmxa", "mlnbd.cmxa", &file, "-o", NAME]);
    let outcome = process::run(&mut ocamlopt, &[], Duration::from_secs(60))?;
    match outcome.status.success() {
        true => Ok(directory.join(NAME)),
        false => Err(format!("ocamlopt {file}: {}", outcome.describe())),
    }
}
