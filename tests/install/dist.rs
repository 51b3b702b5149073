// SPDX-License-Identifier: LGPL-2.1-or-later

//! The archives written by `make dist`, from which packages are built.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use libtest_mimic::Trial;

use crate::installation::fresh_directory;
use crate::packages::trial;
use crate::run;
use crate::system::finish;
use support::library::source;
use support::Result;

pub fn trials() -> Vec<Trial> {
    let name = "archives of two checkouts have the same bytes";
    vec![trial(name, impossible(), reproducible)]
}

/// Returns the reason why archives cannot be made here, if there is one.
pub fn impossible() -> Option<&'static str> {
    match source().join(".git").exists() {
        true => None,
        false => Some("no git repository"),
    }
}

/// Returns the directory of the archives of this checkout, made once for all
/// tests.
pub fn directory() -> Result<PathBuf> {
    static MADE: OnceLock<Result<PathBuf>> = OnceLock::new();
    let make = || {
        let directory = fresh_directory("dist")?;
        let mut script = Command::new(source().join("scripts/make-dist.sh"));
        finish(script.arg(&directory))?;
        Ok(directory)
    };
    MADE.get_or_init(make).clone()
}

/// Returns the crates in the archive, without those that are reduced to their
/// manifests.
pub fn vendored() -> Result<BTreeSet<String>> {
    let archive = format!("libnbd-rust-{}-vendor.tar.xz", env!("CARGO_PKG_VERSION"));
    let mut tar = Command::new("tar");
    tar.arg("--list").arg("--file");
    let list = run(tar.arg(directory()?.join(archive)))?;
    let licences = list.lines().filter(|path| path.contains("/LICENSE"));
    let names = licences.filter_map(|path| path.split('/').nth(1));
    Ok(names.map(str::to_owned).collect())
}

fn reproducible() -> Result<()> {
    let first = directory()?;
    let clone = fresh_directory("a-clone")?;
    let mut git = Command::new("git");
    git.args(["clone", "--quiet", "--shared"]).arg(source());
    run(git.arg(&clone))?;
    let second = fresh_directory("dist-of-the-clone")?;
    let mut sh = Command::new("sh");
    sh.args(["-c", "umask 077; scripts/make-dist.sh \"$1\"", "sh"]);
    let printed = finish(sh.arg(&second).current_dir(&clone))?;
    for path in printed.lines().map(PathBuf::from) {
        let name = path.file_name().unwrap_or_default();
        let read = |path: PathBuf| fs::read(&path).map_err(|e| format!("{}: {e}", path.display()));
        if read(first.join(name))? != read(path.clone())? {
            return Err(format!("{} differs in the clone", path.display()));
        }
    }
    match printed.lines().count() {
        6 => Ok(()),
        _ => Err(format!("other files than expected: {printed}")),
    }
}
