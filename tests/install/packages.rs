// SPDX-License-Identifier: LGPL-2.1-or-later

//! The packages that `make deb` makes: what is in them, and that apt puts them in
//! the place of Debian's own, and those back.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use libtest_mimic::Trial;

use crate::installation::{built, fresh_directory};
use crate::root::{self, Root};
use crate::support::library::{memserver, source};
use crate::support::Result;
use crate::{run, PROGRAM};

const PACKAGES: [&str; 2] = ["libnbd0", "libnbd-dev"];

/// What Debian's packages have besides: the history of the C library, and the
/// documentation of its bindings for other languages.
const NOT_OURS: [&str; 4] = [
    "/usr/share/man/man1/libnbd-release-notes-",
    "/usr/share/man/man3/NBD.",
    "/usr/share/man/man3/libnbd-golang.3.gz",
    "/usr/share/man/man3/libnbd-ocaml.3.gz",
];

pub fn trials() -> Vec<Trial> {
    let name = "packages take the place of Debian's, and Debian's come back";
    let swap = match root::forbidden() {
        None => Trial::test(name, || Ok(swap()?)),
        Some(why) => {
            // Said in the list of tests, and counted as ignored.
            let name = format!("{name} ({why})");
            Trial::test(name, || Err("not to be run".into())).with_ignored_flag(true)
        }
    };
    vec![
        Trial::test("packages have no errors for lintian", || Ok(lintian()?)),
        Trial::test(
            "packages have the version of the library",
            || Ok(version()?),
        ),
        Trial::test("packages name every crate that is linked in", || {
            Ok(copyright()?)
        }),
        Trial::test("packages are the same when made again", || Ok(again()?)),
        swap,
    ]
}

/// Makes them, and gives the paths of both.
fn make() -> Result<Vec<PathBuf>> {
    let mut script = Command::new(source().join("scripts/make-deb.sh"));
    let printed = run(script.arg(built()?))?;
    let mut paths: Vec<_> = printed.lines().map(PathBuf::from).collect();
    // Longest name last: libnbd0, then libnbd-dev.
    paths.sort_by_key(|path| path.as_os_str().len());
    match paths.len() == PACKAGES.len() {
        true => Ok(paths),
        false => Err(format!("make-deb.sh made {paths:?}")),
    }
}

/// Copies of both, made once for all tests.
fn packages() -> Result<Vec<PathBuf>> {
    static MADE: OnceLock<Result<Vec<PathBuf>>> = OnceLock::new();
    let copies = || {
        let directory = fresh_directory("packages")?;
        let copy = |path: PathBuf| {
            let copy = directory.join(path.file_name().unwrap_or_default());
            fs::copy(&path, &copy).map_err(|e| format!("{}: {e}", path.display()))?;
            Ok(copy)
        };
        make()?.into_iter().map(copy).collect()
    };
    MADE.get_or_init(copies).clone()
}

fn lintian() -> Result<()> {
    let mut lintian = Command::new("lintian");
    let printed = run(lintian
        .args(["--fail-on", "error,warning", "--allow-root"])
        .args(packages()?))?;
    match printed.is_empty() {
        true => Ok(()),
        false => Err(printed),
    }
}

fn version() -> Result<()> {
    for package in packages()? {
        let mut dpkg_deb = Command::new("dpkg-deb");
        let version = run(dpkg_deb.arg("--field").arg(&package).arg("Version"))?;
        if !version.starts_with(concat!(env!("CARGO_PKG_VERSION"), "+")) {
            return Err(format!("{} has version {version}", package.display()));
        }
    }
    Ok(())
}

fn copyright() -> Result<()> {
    let path = source().join("packaging/debian/copyright");
    let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let named: BTreeSet<_> = text
        .split_whitespace()
        .filter_map(|word| word.strip_suffix("/*"))
        .filter(|name| *name != "std")
        .collect();
    let mut cargo = Command::new("cargo");
    cargo.args(["tree", "--edges", "normal", "--prefix", "none"]);
    let tree = run(cargo.args(["--package", "libnbd"]).current_dir(source()))?;
    let linked: BTreeSet<_> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| !name.is_empty() && *name != "libnbd")
        .collect();
    match named == linked {
        true => Ok(()),
        false => Err(format!("named: {named:?}, linked: {linked:?}")),
    }
}

fn again() -> Result<()> {
    let first = packages()?;
    for (first, second) in first.iter().zip(make()?) {
        let contents = |path: &PathBuf| fs::read(path).map_err(|e| e.to_string());
        if contents(first)? != contents(&second)? {
            return Err(format!("{} is another one now", first.display()));
        }
    }
    Ok(())
}

/// What is seen of the library on a system.
#[derive(PartialEq, Eq, Debug)]
struct Seen {
    versions: Vec<String>,
    files: Vec<Vec<String>>,
    /// What dpkg finds changed in the files of its packages.
    changes: String,
    /// The version that the library reports to a program.
    told: String,
}

fn see(root: &Root) -> Result<Seen> {
    let versions = PACKAGES
        .iter()
        .map(|package| root.field(package, "Version"));
    let files = PACKAGES.iter().map(|package| root.files(package));
    let said = root.run(&["nbdcopy", "--version"])?;
    // The program's version, and then the library's.
    let told = said.lines().find_map(|line| line.strip_prefix("libnbd "));
    Ok(Seen {
        versions: versions.collect::<Result<_>>()?,
        files: files.collect::<Result<_>>()?,
        changes: root.run(&["dpkg", "--verify", "libnbd0", "libnbd-dev"])?,
        told: told.ok_or(said.as_str())?.to_owned(),
    })
}

/// Copies a disk from one server to a file, and gives its checksum.
fn copies(root: &Root) -> Result<String> {
    let script = "rm -f /tmp/disk && \
                  nbdcopy -- [ nbdkit --exit-with-parent pattern 16M ] /tmp/disk && \
                  nbdinfo --size -- [ nbdkit --exit-with-parent file /tmp/disk ] && \
                  sha256sum /tmp/disk";
    root.run(&["sh", "-c", script])
}

fn swap() -> Result<()> {
    let root = Root::new()?;
    let before = see(&root)?;
    let copied = copies(&root)?;

    for (path, name) in packages()?.iter().zip(PACKAGES) {
        root.copy_in(path, &format!("tmp/{name}.deb"))?;
    }
    root.apt_install(&["/tmp/libnbd0.deb", "/tmp/libnbd-dev.deb"])?;
    let swapped = see(&root)?;
    if swapped.told != env!("CARGO_PKG_VERSION") || !swapped.changes.is_empty() {
        return Err(format!("installed, this is there: {swapped:?}"));
    }
    for (theirs, ours) in before.files.iter().zip(&swapped.files) {
        for file in theirs {
            let excluded = NOT_OURS.iter().any(|begin| file.starts_with(begin));
            if !ours.contains(file) && !excluded {
                return Err(format!("{file} is missing from {ours:?}"));
            }
        }
    }
    if copies(&root)? != copied {
        return Err("nbdcopy copies something else now".to_owned());
    }
    compiles(&root)?;

    let back: Vec<_> = PACKAGES
        .iter()
        .zip(&before.versions)
        .map(|(package, version)| format!("{package}={version}"))
        .collect();
    root.apt_install(&back.iter().map(String::as_str).collect::<Vec<_>>())?;
    let after = see(&root)?;
    if after != before {
        return Err(format!("before: {before:?}\nafter: {after:?}"));
    }
    match copies(&root)? == copied {
        true => Ok(()),
        false => Err("nbdcopy copies something else after that".to_owned()),
    }
}

/// A program compiled with what the packages installed runs there.
fn compiles(root: &Root) -> Result<()> {
    let libraries = root.path("usr/lib").join(triplet()?);
    let mut pkg_config = Command::new("pkg-config");
    let flags = run(pkg_config
        .args(["--cflags", "--libs", "libnbd"])
        .env("PKG_CONFIG_LIBDIR", libraries.join("pkgconfig"))
        .env("PKG_CONFIG_SYSROOT_DIR", root.path("")))?;
    let program = root.path("tmp/program");
    // Its flags come from there even where they are those of the system.
    let mut cc = Command::new("cc");
    cc.arg("-I").arg(root.path("usr/include"));
    cc.arg("-L").arg(&libraries);
    cc.arg(source().join(PROGRAM)).arg("-o").arg(&program);
    run(cc.args(flags.split_whitespace()))?;
    root.copy_in(&memserver()?, "tmp/memserver")?;
    root.write("tmp/data", "begin")?;
    let words = ["/tmp/program", "/tmp/memserver", "--stdin"];
    let printed = root.run(&[&words[..], &["--file", "/tmp/data"]].concat())?;
    match printed.ends_with(": begin\n") {
        true => Ok(()),
        false => Err(printed),
    }
}

fn triplet() -> Result<String> {
    let mut dpkg = Command::new("dpkg-architecture");
    let printed = run(dpkg.args(["--query", "DEB_HOST_MULTIARCH"]))?;
    Ok(printed.trim().to_owned())
}
