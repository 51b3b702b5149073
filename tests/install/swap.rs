// SPDX-License-Identifier: LGPL-2.1-or-later

//! Replaces Debian's own packages by apt, and restores them, in a system with
//! programs that use the library.

use std::path::PathBuf;

use crate::packages::PACKAGES;
use crate::system::System;
use crate::PROGRAM;
use support::library::{memserver, source};
use support::Result;

/// Programs that users of the C library have installed.
const PROGRAMS: &[&str] = &[
    "fio",
    "gcc",
    "libc6-dev",
    "libnbd-bin",
    "libnbd-dev",
    "libnbd0",
    "nbdkit",
    "pkgconf",
    "python3-libnbd",
];

/// Contents of Debian's packages without a counterpart here: the C library's
/// history, and the documentation of its bindings for other languages.
const NOT_OURS: [&str; 6] = [
    "/usr/share/doc/libnbd",
    "/usr/share/man/man1/libnbd-release-notes-",
    "/usr/share/man/man3/NBD.",
    "/usr/share/man/man3/libnbd-golang.3.gz",
    "/usr/share/man/man3/libnbd-ocaml.3.gz",
    "/usr/share/man/man3/libnbd-python.3.gz",
];

/// The installed library as seen by a system.
#[derive(PartialEq, Eq, Debug)]
struct Seen {
    versions: Vec<String>,
    files: Vec<Vec<String>>,
    /// Changes that dpkg finds in the files of its packages.
    changes: String,
    /// The version that the library reports to a program.
    reported: String,
}

fn see(system: &System) -> Result<Seen> {
    let versions = PACKAGES
        .iter()
        .map(|package| system.field(package, "Version"));
    let files = PACKAGES.iter().map(|package| system.files(package));
    let said = system.run(&["nbdcopy", "--version"])?;
    // Skip the program's own version; the library's follows.
    let reported = said.lines().find_map(|line| line.strip_prefix("libnbd "));
    let changes = system.run(&["dpkg", "--verify", "libnbd0", "libnbd-dev"])?;
    // Such systems have no manual pages.
    let changes = changes
        .lines()
        .filter(|line| !line.contains("/usr/share/man/"));
    Ok(Seen {
        versions: versions.collect::<Result<_>>()?,
        files: files.collect::<Result<_>>()?,
        changes: changes.collect::<Vec<_>>().join("\n"),
        reported: reported.ok_or(said.as_str())?.to_owned(),
    })
}

/// Uses the library through nbdcopy, nbdinfo, fio and Python, and returns
/// checksums and sizes of the data.
fn uses(system: &System) -> Result<String> {
    let script = r#"
        set -e
        cd "$(mktemp -d)"
        nbdcopy -- [ nbdkit --exit-with-parent pattern 16M ] disk
        sha256sum disk
        nbdinfo --size -- [ nbdkit --exit-with-parent file disk ]
        nbdkit --unix "$PWD/socket" --pidfile pid memory 64M
        fio --name=job --ioengine=nbd --uri="nbd+unix:///?socket=$PWD/socket" --rw=randrw \
            --verify=crc32c --iodepth=16 --size=16M --minimal >fio.log
        python3 -c '
import hashlib, nbd, sys
h = nbd.NBD()
h.connect_unix(sys.argv[1])
h.pwrite(b"data" * 1024, 40 << 20)
print(h.get_size(), hashlib.sha256(h.pread(65536, 40 << 20)).hexdigest())
h.shutdown()
        ' "$PWD/socket"
        kill "$(cat pid)"
    "#;
    system.run(&["sh", "-c", script])
}

/// Replaces Debian's packages with both of ours in a system of that release,
/// then restores them.
pub fn switch_and_undo(release: &str, packages: &[PathBuf]) -> Result<()> {
    let fresh = System::with(release, PROGRAMS, &PACKAGES)?;
    let system = fresh.copy(&format!("system-{release}"))?;
    let before = see(&system)?;
    let used = uses(&system)?;

    for (path, name) in packages.iter().zip(PACKAGES) {
        system.copy_in(path, &format!("root/{name}.deb"))?;
    }
    system.apt_install(&["/root/libnbd0.deb", "/root/libnbd-dev.deb"])?;
    let swapped = see(&system)?;
    // Newer programs append the result of nbd_get_version_extra.
    let version = swapped.reported.split(' ').next();
    let is_ours = version == Some(env!("CARGO_PKG_VERSION")) && swapped.reported != before.reported;
    if !is_ours || !swapped.changes.is_empty() {
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
    if uses(&system)? != used {
        return Err("programs see something else now".to_owned());
    }
    compiles(&system)?;

    let back: Vec<_> = PACKAGES
        .iter()
        .zip(&before.versions)
        .map(|(package, version)| format!("{package}={version}"))
        .collect();
    system.apt_install(&back.iter().map(String::as_str).collect::<Vec<_>>())?;
    let after = see(&system)?;
    if after != before {
        return Err(format!("before: {before:?}\nafter: {after:?}"));
    }
    match uses(&system)? == used {
        true => system.remove(),
        false => Err("programs see something else after that".to_owned()),
    }
}

/// A program compiled against the installed packages runs there.
fn compiles(system: &System) -> Result<()> {
    system.copy_in(&source().join(PROGRAM), "root/program.c")?;
    system.copy_in(&memserver()?, "root/memserver")?;
    let script = "
        set -e
        cd /root
        gcc program.c $(pkg-config --cflags --libs libnbd) -o program
        printf begin >data
        ./program ./memserver --stdin --file data
    ";
    let printed = system.run(&["sh", "-c", script])?;
    match printed.ends_with(": begin\n") {
        true => Ok(()),
        false => Err(printed),
    }
}
