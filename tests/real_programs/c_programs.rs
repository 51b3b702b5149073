// SPDX-License-Identifier: LGPL-2.1-or-later

//! Programs compiled against the C library and its header, like everything that
//! a distribution ships, and run with both libraries: two with event loops of
//! other libraries, and one that starts its servers itself.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use libtest_mimic::Trial;

use crate::images;
use support::c_program::{self, CProgram};
use support::compare::same;
use support::library::{self, Library};
use support::scenario::Scenario;
use support::servers::{words, Server};
use support::Result;

/// Servers to start, and by which method.
const STARTED: &[(&str, &str)] = &[
    ("command", "nbdkit -s --exit-with-parent memory 4M"),
    ("command", "nbdkit -s --exit-with-parent file disk.raw"),
    (
        "command",
        "nbdkit -s --exit-with-parent --filter=cow pattern 4M",
    ),
    ("command", "nbdkit -s --no-sr memory 4M"),
    ("activation", "nbdkit memory 4M"),
    ("activation", "nbdkit --exit-with-parent file disk.raw"),
    ("activation", "nbdkit --readonly pattern 4M"),
    ("activation", "nbdkit --filter=delay memory 4M rdelay=2ms"),
    ("activation", "qemu-nbd --format=raw disk.raw"),
    ("activation", "qemu-nbd --format=qcow2 disk.qcow2"),
    (
        "activation",
        "qemu-nbd --format=qcow2 --read-only disk.qcow2",
    ),
];

/// The source of a program.
struct Source {
    file: &'static str,
    libraries: &'static [&'static str],
}

const STARTER: Source = Source {
    file: "tests/real_programs/programs/starts-a-server.c",
    libraries: &[],
};
const WIRE: Source = Source {
    file: "tests/real_programs/programs/speaks-on-the-wire.c",
    libraries: &[],
};
const GLIB: Source = Source {
    file: "examples/glib-main-loop.c",
    libraries: &["glib-2.0"],
};
const LIBEV: Source = Source {
    file: "examples/libev-loop.c",
    libraries: &["-lev"],
};

pub fn trials() -> Vec<Trial> {
    let started = |(method, line): &(&'static str, &'static str)| {
        let (method, line) = (*method, *line);
        same(format!("started servers: {method}: {line}"), move |s| {
            images::prepare(s, line)?;
            let program = compiled(&STARTER)?;
            let words = words(line);
            let mut arguments = vec![method];
            arguments.extend(words.iter().map(String::as_str));
            s.client(&program, &arguments)?;
            Ok(())
        })
    };
    let mut trials: Vec<_> = STARTED.iter().map(started).collect();
    for line in [
        "nbdkit file disk.raw",
        "nbdkit --filter=delay pattern 2M rdelay=3ms",
        "qemu-nbd --format=qcow2 disk.qcow2",
        "memserver --file disk.raw --read-chunks 4096",
        "memserver --file disk.raw --shuffle 8",
    ] {
        trials.push(same(format!("event loops: GLib: {line}"), move |s| {
            with_glib(s, line)
        }));
        trials.push(same(format!("event loops: libev: {line}"), move |s| {
            with_libev(s, line)
        }));
    }
    trials
}

/// Returns the program whose messages are compared.
pub fn wire() -> Result<String> {
    compiled(&WIRE)
}

/// Returns the paths of all these programs.
pub fn all() -> Result<Vec<String>> {
    [&STARTER, &WIRE, &GLIB, &LIBEV]
        .into_iter()
        .map(compiled)
        .collect()
}

/// Returns the program, compiled by its first test, always with the system's
/// header and library.
fn compiled(source: &Source) -> Result<String> {
    static COMPILED: Mutex<BTreeMap<&str, Result<String>>> = Mutex::new(BTreeMap::new());
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    let executable = compiled
        .entry(source.file)
        .or_insert_with(|| compile(source));
    executable.clone()
}

fn compile(source: &Source) -> Result<String> {
    let file = library::source().join(source.file);
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let program = CProgram {
        name: name.into_owned(),
        source: file.clone(),
    };
    let directory = library::profile_directory()?.join("capi/system");
    let system = Library::system();
    let executable = c_program::compile_with(&program, &system, &directory, source.libraries)?;
    Ok(executable.display().to_string())
}

fn with_glib(s: &Scenario, line: &str) -> Result<()> {
    images::prepare(s, line)?;
    let program = compiled(&GLIB)?;
    let run = |server: Server| {
        // Its timer writes to stderr.
        let outcome = s.attempt(&program, &[&server.uri("")])?;
        s.record("stdout of the GLib program", &outcome.stdout);
        match outcome.status.success() {
            true => server.stop(),
            false => Err(outcome.describe()),
        }
    };
    run(s.serve(line)?)?;
    // Connecting takes several steps, with a socket for each address of the
    // name.
    run(Server::start_on_a_port(s.directory(), "tcp", line)?)
}

fn with_libev(s: &Scenario, line: &str) -> Result<()> {
    images::prepare(s, line)?;
    let program = compiled(&LIBEV)?;
    let from = s.serve(line)?;
    let to = s.serve("nbdkit --filter=delay memory 8M wdelay=1ms")?;
    s.client(&program, &[&from.uri(""), &to.uri("")])?;
    s.tool("nbdcopy", &[&from.uri(""), "original"])?;
    s.tool("nbdcopy", &[&to.uri(""), "copy"])?;
    match s.read("copy")?.starts_with(&s.read("original")?) {
        true => s.record_file("copy"),
        false => Err("the copy is not what was copied".to_owned()),
    }
}
