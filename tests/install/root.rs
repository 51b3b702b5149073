// SPDX-License-Identifier: LGPL-2.1-or-later

//! A Debian system of its own, in a directory: what apt and dpkg do there is
//! what they do on a machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::installation::fresh_directory;
use crate::run;
use crate::support::Result;

/// The packages that a user of the C library has on such a system.
const PACKAGES: &str = "libnbd0,libnbd-dev,libnbd-bin,nbdkit";

/// Such a system. Nothing is mounted in it, so nothing is left behind.
pub struct Root {
    directory: PathBuf,
}

/// Why there can be no such system here, where that is so.
pub fn forbidden() -> Option<&'static str> {
    let is = |command: &mut Command, expected: &str| {
        run(command).is_ok_and(|printed| printed.trim() == expected)
    };
    if !is(Command::new("id").arg("-u"), "0") {
        Some("needs root")
    } else if !Path::new("/etc/debian_version").exists() {
        Some("not a Debian system")
    } else if !is(Command::new("chroot").args(["/", "id", "-u"]), "0") {
        Some("chroot(2) is forbidden here")
    } else {
        None
    }
}

impl Root {
    /// A fresh one, of the release that runs here. What it is unpacked from is
    /// made once and kept.
    pub fn new() -> Result<Root> {
        let archive = archive()?;
        let directory = fresh_directory("root")?;
        let mut tar = Command::new("tar");
        tar.arg("--extract").arg("--file").arg(archive);
        // Device files need more rights, and none of them is used.
        run(tar
            .args(["--exclude", "./dev/*", "--directory"])
            .arg(&directory))?;
        let root = Root { directory };
        root.write("dev/null", "")?;
        Ok(root)
    }

    /// Where a path of the system is for programs outside of it.
    pub fn path(&self, inside: &str) -> PathBuf {
        self.directory.join(inside.trim_start_matches('/'))
    }

    pub fn write(&self, inside: &str, text: &str) -> Result<()> {
        let path = self.path(inside);
        fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))
    }

    pub fn copy_in(&self, outside: &Path, inside: &str) -> Result<()> {
        let copied = fs::copy(outside, self.path(inside));
        copied
            .map(|_| ())
            .map_err(|e| format!("{}: {e}", outside.display()))
    }

    /// Runs a program in there that has to succeed, and gives what it printed.
    pub fn run(&self, words: &[&str]) -> Result<String> {
        let mut chroot = Command::new("chroot");
        chroot
            .arg(&self.directory)
            .args(words)
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", "/root")
            .env("TMPDIR", "/tmp")
            .env_remove("LD_LIBRARY_PATH");
        run(&mut chroot)
    }

    /// Installs packages with the means that the system has already.
    pub fn apt_install(&self, packages: &[&str]) -> Result<()> {
        let mut words = vec!["apt-get", "--quiet", "--assume-yes"];
        words.extend(["--allow-downgrades", "install"]);
        words.extend(packages);
        self.run(&words).map(|_| ())
    }

    /// What dpkg knows of a package.
    pub fn field(&self, package: &str, field: &str) -> Result<String> {
        let format = format!("--showformat=${{{field}}}");
        self.run(&["dpkg-query", "--show", &format, package])
    }

    /// The files that a package put there, or their links.
    pub fn files(&self, package: &str) -> Result<Vec<String>> {
        let list = self.run(&["dpkg-query", "--listfiles", package])?;
        let files = list.lines().filter(|path| !self.path(path).is_dir());
        Ok(files.map(str::to_owned).collect())
    }
}

/// The system as it is fresh, with its lists of packages and with Debian's own
/// packages of the library at hand, for the way back to them.
fn archive() -> Result<PathBuf> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (archive, new) = (directory.join("root.tar"), directory.join("root.new.tar"));
    if archive.exists() {
        return Ok(archive);
    }
    let keep = "APT::Keep-Downloaded-Packages \"true\";";
    let mut mmdebstrap = Command::new("mmdebstrap");
    mmdebstrap
        .args(["--quiet", "--variant=apt", "--mode=root", "--format=tar"])
        .args(["--skip=cleanup/apt"])
        .arg(format!("--include={PACKAGES}"))
        .arg(format!("--aptopt={keep}"))
        .arg(
            "--customize-hook=chroot \"$1\" apt-get --quiet --assume-yes \
              --download-only --reinstall install libnbd0 libnbd-dev",
        )
        .arg(release()?)
        .arg(&new)
        .args(sources())
        .env("TMPDIR", directory);
    run(&mut mmdebstrap)?;
    fs::rename(&new, &archive).map_err(|e| format!("{}: {e}", new.display()))?;
    Ok(archive)
}

/// The code name of the release that runs here.
fn release() -> Result<String> {
    let path = "/etc/os-release";
    let text = fs::read_to_string(path).map_err(|e| format!("{path}: {e}"))?;
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    name.map(str::to_owned)
        .ok_or_else(|| format!("{path}: no VERSION_CODENAME"))
}

/// Where this machine gets Debian's packages from, and not other people's.
fn sources() -> Option<&'static str> {
    [
        "/etc/apt/sources.list.d/debian.sources",
        "/etc/apt/sources.list",
    ]
    .into_iter()
    .find(|path| fs::read_to_string(path).is_ok_and(|text| !text.trim().is_empty()))
}
