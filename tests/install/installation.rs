// SPDX-License-Identifier: LGPL-2.1-or-later

//! The library, installed in a directory of its own.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::run;
use support::directory;
use support::library::{profile_directory, source};
use support::Result;

const FUNCTIONS: &str = include_str!("../../src/capi/functions.tsv");

/// Where a staged installation will be in the end.
const PREFIX: &str = "/opt/nbd";

/// The variables of `make install`.
pub struct Installation {
    /// Where it was staged; PREFIX and LIBDIR are below.
    destdir: PathBuf,
    prefix: String,
    libdir: String,
}

impl Installation {
    /// Installs below a fresh directory, for programs that use it there.
    pub fn in_place(name: &str) -> Result<Installation> {
        let prefix = fresh_directory(name)?;
        let prefix = prefix.to_string_lossy().into_owned();
        let libdir = prefix.clone() + "/lib";
        Installation::make(PathBuf::new(), prefix, libdir)
    }

    /// Installs as a package is built: for a prefix, and below another directory.
    pub fn staged(name: &str, libdir: &str) -> Result<Installation> {
        let destdir = fresh_directory(name)?;
        Installation::make(destdir, PREFIX.to_owned(), libdir.to_owned())
    }

    fn make(destdir: PathBuf, prefix: String, libdir: String) -> Result<Installation> {
        let installation = Installation {
            destdir,
            prefix,
            libdir,
        };
        installation.run_make("install")?;
        Ok(installation)
    }

    pub fn uninstall(&self) -> Result<()> {
        self.run_make("uninstall")
    }

    fn run_make(&self, target: &str) -> Result<()> {
        let mut make = Command::new("make");
        make.arg(target)
            .arg(format!("PREFIX={}", self.prefix))
            .arg(format!("LIBDIR={}", self.libdir))
            .arg(format!("DESTDIR={}", self.destdir.display()))
            .arg(format!("OUT={}", built()?.display()))
            .env_remove("MAKEFLAGS")
            .current_dir(source());
        run(&mut make).map(|_| ())
    }

    /// Where a path of the installed system is for now.
    pub fn path(&self, installed: &str) -> PathBuf {
        let installed = format!("{}{installed}", self.destdir.display());
        PathBuf::from(installed)
    }

    /// The directory with the libraries.
    pub fn libraries(&self) -> PathBuf {
        self.path(&self.libdir)
    }

    /// Has pkg-config find this installation and no other, in this command and in
    /// what it starts.
    pub fn found_by<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("PKG_CONFIG_LIBDIR", self.libraries().join("pkgconfig"))
            .env("PKG_CONFIG_SYSROOT_DIR", &self.destdir)
            .env_remove("PKG_CONFIG_PATH")
    }

    /// What pkg-config says of it.
    pub fn flags(&self, flags: &[&str]) -> Result<Vec<String>> {
        let mut command = Command::new("pkg-config");
        let printed = run(self.found_by(&mut command).args(flags).arg("libnbd"))?;
        Ok(printed.split_whitespace().map(str::to_owned).collect())
    }

    /// All the files and links there are, as paths of the installed system.
    fn files(&self) -> Result<BTreeSet<String>> {
        let mut find = Command::new("find");
        let printed = run(find.arg(&self.destdir).args(["!", "-type", "d"]))?;
        let destdir = self.destdir.display().to_string();
        let paths = printed
            .lines()
            .filter_map(|path| path.strip_prefix(&destdir));
        Ok(paths.map(str::to_owned).collect())
    }
}

/// A directory with nothing in it.
pub fn fresh_directory(name: &str) -> Result<PathBuf> {
    directory::fresh(&format!("installations/{name}"))
}

/// Where this test run's build is, with the manual pages that belong to it.
pub fn built() -> Result<PathBuf> {
    static BUILT: OnceLock<Result<PathBuf>> = OnceLock::new();
    let build = || {
        let built = profile_directory()?.join("deps");
        manual::write(source(), &built.join("man")).map_err(|e| format!("manual pages: {e}"))?;
        Ok(built)
    };
    BUILT.get_or_init(build).clone()
}

/// The list of files is here a second time, on purpose: a file that gets lost on
/// the way is noticed.
pub fn leaves_nothing_behind() -> support::Result<()> {
    let libdir = "/opt/nbd/lib/some-triplet";
    let installation = Installation::staged("staged", libdir)?;
    let mut expected: BTreeSet<String> = [
        "libnbd.a",
        "libnbd.so",
        "libnbd.so.0",
        "libnbd.so.0.0.0",
        "pkgconfig/libnbd.pc",
    ]
    .iter()
    .map(|name| format!("{libdir}/{name}"))
    .collect();
    expected.insert("/opt/nbd/include/libnbd.h".to_owned());
    expected.insert("/opt/nbd/share/doc/libnbd/COPYING.LIB".to_owned());
    let functions = manual::interface::functions(FUNCTIONS);
    let pages = functions.iter().map(|function| function.name.as_str());
    for page in pages.chain(["libnbd", "libnbd-security"]) {
        expected.insert(format!("/opt/nbd/share/man/man3/{page}.3"));
    }
    let files = installation.files()?;
    if files != expected {
        let (more, less) = (&files - &expected, &expected - &files);
        return Err(format!("more than expected: {more:?}, missing: {less:?}"));
    }
    for (link, target) in [
        ("libnbd.so", "libnbd.so.0"),
        ("libnbd.so.0", "libnbd.so.0.0.0"),
    ] {
        let link = installation.libraries().join(link);
        let found = fs::read_link(&link).map_err(|e| format!("{}: {e}", link.display()))?;
        if found != Path::new(target) {
            return Err(format!("{} is a link to {found:?}", link.display()));
        }
    }
    let version = installation.flags(&["--modversion"])?;
    if version != [env!("CARGO_PKG_VERSION")] {
        return Err(format!("pkg-config has version {version:?}"));
    }

    // A file of another package stays.
    let other = installation.path("/opt/nbd/include/other.h");
    fs::write(&other, "").map_err(|e| format!("{}: {e}", other.display()))?;
    installation.uninstall()?;
    let left = installation.files()?;
    match left.iter().eq(["/opt/nbd/include/other.h"]) {
        true => Ok(()),
        false => Err(format!("left behind: {left:?}")),
    }
}
