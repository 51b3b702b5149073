// SPDX-License-Identifier: LGPL-2.1-or-later

//! GnuTLS is loaded on first use, and not required otherwise.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::Trial;

use crate::client::Client;
use crate::servers::{Bench, Steps, Transport};
use support::certificates::Certificates;
use support::{library, process, programs, target, Result};

const LIBRARY: &str = "libgnutls.so.30";
const LIMIT: Duration = Duration::from_secs(60);

pub fn trials(certificates: &Arc<Certificates>) -> Vec<Trial> {
    let tests: &[(&str, Steps)] = &[
        (
            "a process that asks for no TLS does not have it",
            not_loaded,
        ),
        ("the library names GnuTLS without linking it", not_needed),
        ("where it is broken, all but TLS works", broken),
        (
            "where something is missing in it, all but TLS works",
            incomplete,
        ),
    ];
    let trial = |(name, test): &(&str, Steps)| {
        let (certificates, test) = (Arc::clone(certificates), *test);
        Trial::test(format!("GnuTLS: {name}"), move || {
            Ok(test(&Bench::new(&certificates)?)?)
        })
    };
    tests.iter().map(trial).collect()
}

fn not_loaded(bench: &Bench) -> Result<()> {
    let server = bench.serve("server", "nbdkit memory SIZE", Transport::Unix, 1)?;
    let client = Client::new("gnutls-is-loaded-for-tls-only").with("TLS", "disable");
    client.on(server.address()).run()?;
    server.stop()
}

fn not_needed(_: &Bench) -> Result<()> {
    let file = library::library_directory()?.join("libnbd.so.0");
    let mut readelf = Command::new(programs::find("readelf")?);
    let outcome = process::run(readelf.arg("--dynamic").arg(&file), &[], LIMIT)?;
    let dynamic = String::from_utf8_lossy(&outcome.stdout);
    if !dynamic.contains("libc.so.6") || dynamic.contains("gnutls") {
        return Err(outcome.describe());
    }
    let mut readelf = Command::new(programs::find("readelf")?);
    readelf.arg("--string-dump=.note.dlopen").arg(&file);
    let outcome = process::run(&mut readelf, &[], LIMIT)?;
    match String::from_utf8_lossy(&outcome.stdout).contains(LIBRARY) {
        true => Ok(()),
        false => Err(outcome.describe()),
    }
}

/// A file that is not a library stands for a missing library: the loader's
/// errors are treated alike.
fn broken(bench: &Bench) -> Result<()> {
    let file = bench.directory.path().join(LIBRARY);
    fs::write(&file, "This is no library.\n").map_err(|e| format!("{}: {e}", file.display()))?;
    without_tls(bench)
}

/// A library of that name without any of the functions.
fn incomplete(bench: &Bench) -> Result<()> {
    let mut cc = Command::new(programs::find(&target::cc())?);
    cc.args(["-shared", "-fPIC", "-x", "c", "-", "-o"])
        .arg(bench.directory.path().join(LIBRARY));
    let outcome = process::run(&mut cc, b"int nothing_of_use;\n", LIMIT)?;
    match outcome.status.success() {
        true => without_tls(bench),
        false => Err(outcome.describe()),
    }
}

fn without_tls(bench: &Bench) -> Result<()> {
    let server = bench.serve("server", "nbdkit memory SIZE", Transport::Unix, 1)?;
    let client = Client::new("everything-else-works-without-gnutls").with("TLS", "disable");
    let mut command = client.on(server.address()).command()?;
    command.env("LD_LIBRARY_PATH", in_front(bench.directory.path())?);
    let outcome = process::run(&mut command, &[], LIMIT)?;
    if !outcome.status.success() {
        return Err(outcome.describe());
    }
    server.stop()
}

/// Returns a library path that begins with this directory.
fn in_front(directory: &Path) -> Result<OsString> {
    let mut path = directory.as_os_str().to_owned();
    path.push(":");
    path.push(library::library_directory()?);
    Ok(path)
}
