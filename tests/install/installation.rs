// SPDX-License-Identifier: LGPL-2.1-or-later

//! An installation of the library in a directory of its own.

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
const EXTENSIONS: &str = include_str!("../../src/capi/extensions.tsv");

/// Final prefix of a staged installation.
const PREFIX: &str = "/opt/nbd";

/// The variables of `make install`.
pub struct Installation {
    /// The staging directory; PREFIX and LIBDIR are below it.
    destdir: PathBuf,
    prefix: String,
    libdir: String,
}

impl Installation {
    /// Installs below a fresh directory, to be used in place.
    pub fn in_place(name: &str) -> Result<Installation> {
        let prefix = fresh_directory(name)?;
        let prefix = prefix.to_string_lossy().into_owned();
        let libdir = prefix.clone() + "/lib";
        Installation::make(PathBuf::new(), prefix, libdir)
    }

    /// Installs like a package build: for a prefix, below a staging directory.
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

    /// Returns the current location of a path of the installed system.
    pub fn path(&self, installed: &str) -> PathBuf {
        let installed = format!("{}{installed}", self.destdir.display());
        PathBuf::from(installed)
    }

    /// Returns the directory of the libraries.
    pub fn libraries(&self) -> PathBuf {
        self.path(&self.libdir)
    }

    /// Makes pkg-config find only this installation, in this command and its
    /// children.
    pub fn found_by<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("PKG_CONFIG_LIBDIR", self.libraries().join("pkgconfig"))
            .env("PKG_CONFIG_SYSROOT_DIR", &self.destdir)
            .env_remove("PKG_CONFIG_PATH")
    }

    /// Returns the output of pkg-config for this installation.
    pub fn flags(&self, flags: &[&str]) -> Result<Vec<String>> {
        let mut command = Command::new("pkg-config");
        let printed = run(self.found_by(&mut command).args(flags).arg("libnbd"))?;
        Ok(printed.split_whitespace().map(str::to_owned).collect())
    }

    /// Returns all files and links, as paths of the installed system.
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

/// Creates an empty directory.
pub fn fresh_directory(name: &str) -> Result<PathBuf> {
    directory::fresh(&format!("installations/{name}"))
}

/// Returns the directory of this test run's build and its manual pages.
pub fn built() -> Result<PathBuf> {
    static BUILT: OnceLock<Result<PathBuf>> = OnceLock::new();
    let build = || {
        let built = profile_directory()?.join("deps");
        manual::write(source(), &built.join("man")).map_err(|e| format!("manual pages: {e}"))?;
        Ok(built)
    };
    BUILT.get_or_init(build).clone()
}

/// The list of installed files is repeated here on purpose, so that a missing
/// file is noticed.
pub fn removes_every_file() -> support::Result<()> {
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
    expected.insert("/opt/nbd/include/libnbd-ext.h".to_owned());
    expected.insert("/opt/nbd/share/doc/libnbd/COPYING.LIB".to_owned());
    let functions = [FUNCTIONS, EXTENSIONS].map(manual::interface::functions);
    let pages = functions.iter().flatten();
    let pages = pages.map(|function| function.name.as_str());
    for page in pages.chain(["libnbd", "libnbd-ext", "libnbd-security"]) {
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

    // A file of another package must stay.
    let other = installation.path("/opt/nbd/include/other.h");
    fs::write(&other, "").map_err(|e| format!("{}: {e}", other.display()))?;
    installation.uninstall()?;
    let left = installation.files()?;
    match left.iter().eq(["/opt/nbd/include/other.h"]) {
        true => Ok(()),
        false => Err(format!("left over: {left:?}")),
    }
}
