// SPDX-License-Identifier: LGPL-2.1-or-later

//! Debian systems in directories, made by scripts/make-system.sh and kept; apt,
//! dpkg and compilers run in them as on a real machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::installation::fresh_directory;
use crate::run;
use support::library::source;
use support::{process, Result};

/// Time limit of a command: building a package includes its tests.
const LIMIT: Duration = Duration::from_secs(40 * 60);

/// A Debian system in a directory.
pub struct System {
    directory: PathBuf,
}

/// Returns the reason why no such system can run here, if there is one.
pub fn forbidden() -> Option<&'static str> {
    let is = |command: &mut Command, expected: &str| {
        run(command).is_ok_and(|printed| printed.trim() == expected)
    };
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "chroot", "/", "id", "-u"]);
    if !is(Command::new("id").arg("-u"), "0") {
        Some("needs root")
    } else if release().is_err() {
        Some("not a Debian system")
    } else if !is(&mut unshare, "0") {
        Some("chroot(2) or mount namespaces are forbidden here")
    } else {
        None
    }
}

/// Returns the code name of this machine's release.
pub fn release() -> Result<String> {
    let path = "/etc/os-release";
    let text = fs::read_to_string(path).map_err(|e| format!("{path}: {e}"))?;
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    match (field("ID="), field("VERSION_CODENAME=")) {
        (Some("debian"), Some(name)) => Ok(name.to_owned()),
        _ => Err(format!("{path}: not a release of Debian")),
    }
}

impl System {
    /// Returns the system of a release with these packages. All tests share it,
    /// so they must not change it. `archives` are packages that apt can
    /// reinstall without a network.
    pub fn with(release: &str, packages: &[&str], archives: &[&str]) -> Result<System> {
        let mut script = Command::new(source().join("scripts/make-system.sh"));
        script.arg(release).args(packages);
        if !archives.is_empty() {
            script.env("ARCHIVES", archives.join(" "));
        }
        let printed = finish(&mut script)?;
        Ok(System {
            directory: PathBuf::from(printed.trim()),
        })
    }

    /// Returns a copy that may be changed.
    pub fn copy(&self, name: &str) -> Result<System> {
        let directory = fresh_directory(name)?;
        let mut cp = Command::new("cp");
        cp.args(["--archive", "--reflink=auto", "--no-target-directory"]);
        run(cp.arg(&self.directory).arg(&directory))?;
        Ok(System { directory })
    }

    /// Removes a copy. After a failure it is kept for inspection.
    pub fn remove(self) -> Result<()> {
        let path = &self.directory;
        fs::remove_dir_all(path).map_err(|e| format!("{}: {e}", path.display()))
    }

    /// Returns the path outside the system of a path inside it.
    pub fn path(&self, inside: &str) -> PathBuf {
        self.directory.join(inside.trim_start_matches('/'))
    }

    pub fn copy_in(&self, outside: &Path, inside: &str) -> Result<()> {
        let copied = fs::copy(outside, self.path(inside));
        copied
            .map(|_| ())
            .map_err(|e| format!("{}: {e}", outside.display()))
    }

    /// Runs a program inside the system, which must succeed, and returns its
    /// output. The checkout and the directory for test files are available
    /// there.
    pub fn run(&self, words: &[&str]) -> Result<String> {
        let mut command = Command::new(source().join("scripts/in-root.sh"));
        command
            .arg(&self.directory)
            .args(words)
            .env_clear()
            .env("BIND", env!("CARGO_TARGET_TMPDIR"))
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", "/root")
            .current_dir(source());
        finish(&mut command)
    }

    /// Installs packages that the system has already downloaded.
    pub fn apt_install(&self, packages: &[&str]) -> Result<()> {
        let mut words = vec!["apt-get", "--quiet", "--assume-yes"];
        words.extend(["--allow-downgrades", "install"]);
        words.extend(packages);
        self.run(&words).map(|_| ())
    }

    /// Returns a field of a package's dpkg record.
    pub fn field(&self, package: &str, field: &str) -> Result<String> {
        let format = format!("--showformat=${{{field}}}");
        self.run(&["dpkg-query", "--show", &format, package])
    }

    /// Returns the files of a package, with links resolved.
    pub fn files(&self, package: &str) -> Result<Vec<String>> {
        let list = self.run(&["dpkg-query", "--listfiles", package])?;
        // Some are missing: see scripts/make-system.sh.
        let is_directory = |path: &str| list.contains(&format!("\n{path}/"));
        let files = list.lines().filter(|path| !is_directory(path));
        Ok(files.map(str::to_owned).collect())
    }
}

/// Like [`run`], with a longer time limit.
pub fn finish(command: &mut Command) -> Result<String> {
    let outcome = process::run(command, &[], LIMIT)?;
    match outcome.status.success() {
        true => String::from_utf8(outcome.stdout).map_err(|e| e.to_string()),
        false => Err(format!("{command:?}: {}", outcome.describe())),
    }
}
