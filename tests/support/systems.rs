// SPDX-License-Identifier: LGPL-2.1-or-later

//! The systems in which real programs are compared: this machine's, and newer
//! releases of Debian in directories, where this same test program runs again
//! with the programs, servers and C library of that release.
//!
//! `LIBNBD_TEST_SYSTEMS="here sid"` in the environment selects some of them.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::{env, fs};

use super::{library, process, Result};

/// Debian's releases, oldest first. Executables built in one run in the next.
const RELEASES: &[&str] = &["bookworm", "trixie", "sid"];

const HERE: &str = "here";

/// Variable that names the root in which this process runs, if any.
const INSIDE: &str = "LIBNBD_TEST_INSIDE";

/// Runs the tests here and in each newer release of the list. They fail if they
/// fail in one of them. `compile` builds the programs of this repository that
/// they run: a root has no compiler.
pub fn in_each(releases: &[&str], compile: fn() -> Result<()>, run: fn() -> ExitCode) -> ExitCode {
    if inside().is_some() {
        return run();
    }
    let mut passed = true;
    if chosen(HERE) {
        passed &= run() == ExitCode::SUCCESS;
    }
    let newer = match newer() {
        Ok(newer) => newer,
        Err(why) => {
            println!("\nonly the programs of this system were run: {why}\n");
            &[]
        }
    };
    let wanted = |release: &&&str| releases.contains(*release) && chosen(release);
    for release in newer.iter().filter(wanted) {
        println!("\nin {release}:");
        if let Err(why) = compile().and_then(|()| run_again(release)) {
            println!("{release}: {why}\n");
            passed = false;
        }
    }
    match passed {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Returns the release in whose root this process runs; `None` in the system of
/// this machine.
pub fn inside() -> Option<String> {
    env::var(INSIDE).ok()
}

/// Returns true if the tests may run in a system.
pub fn chosen(system: &str) -> bool {
    let chosen = env::var("LIBNBD_TEST_SYSTEMS");
    chosen.map_or(true, |names| {
        names.split_whitespace().any(|name| name == system)
    })
}

/// Returns the releases after the one that runs here, or the reason why there
/// can be none; failure to create a root is an error, not such a reason.
fn newer() -> Result<&'static [&'static str]> {
    let text = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    if field("ID=") != Some("debian") {
        return Err("it is not Debian".to_owned());
    }
    let release = field("VERSION_CODENAME=");
    let at = RELEASES.iter().position(|name| Some(*name) == release);
    let at = at.ok_or("it is newer than those that there are roots of")?;
    let mut unshare = Command::new("unshare");
    let unprivileged = process::text(Command::new("id").arg("-u"))?.trim() != "0";
    if unprivileged
        && process::text(unshare.args(["--user", "--map-root-user", "--mount", "true"])).is_err()
    {
        return Err("an ordinary user may not make user namespaces here".to_owned());
    }
    Ok(&RELEASES[at + 1..])
}

/// Runs this program with its arguments in the root of a release.
fn run_again(release: &str) -> Result<()> {
    let scripts = library::source().join("scripts");
    let root = make(&scripts.join("make-root.sh"), release)?;
    let program = env::current_exe().map_err(|e| format!("path of this test: {e}"))?;
    let mut command = Command::new(scripts.join("in-root.sh"));
    command
        .arg(root)
        .arg(program)
        .args(env::args_os().skip(1))
        .env("BIND", library::target_directory()?)
        .env(INSIDE, release);
    process::end_with_this_thread(&mut command);
    let status = command.status().map_err(|e| format!("{command:?}: {e}"))?;
    match status.success() {
        true => Ok(()),
        false => Err(status.to_string()),
    }
}

/// Creates a root and returns its directory. Messages go to stderr.
fn make(script: &Path, release: &str) -> Result<String> {
    let mut command = Command::new(script);
    command.arg(release).stderr(Stdio::inherit());
    process::end_with_this_thread(&mut command);
    let output = command.output().map_err(|e| format!("{command:?}: {e}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => Err("its root cannot be made".to_owned()),
    }
}
