// SPDX-License-Identifier: LGPL-2.1-or-later

//! Packages that apt puts in the place of Debian's own, and those back, in a system where
//! programs use the library.

use std::path::PathBuf;

use crate::packages::PACKAGES;
use crate::system::System;
use crate::PROGRAM;
use support::library::{memserver, source};
use support::Result;

/// What a user of the C library has.
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

/// What Debian's packages have besides: the history of the C library, and the
/// documentation of its bindings for other languages.
const NOT_OURS: [&str; 6] = [
    "/usr/share/doc/libnbd",
    "/usr/share/man/man1/libnbd-release-notes-",
    "/usr/share/man/man3/NBD.",
    "/usr/share/man/man3/libnbd-golang.3.gz",
    "/usr/share/man/man3/libnbd-ocaml.3.gz",
    "/usr/share/man/man3/libnbd-python.3.gz",
];

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

fn see(system: &System) -> Result<Seen> {
    let versions = PACKAGES
        .iter()
        .map(|package| system.field(package, "Version"));
    let files = PACKAGES.iter().map(|package| system.files(package));
    let said = system.run(&["nbdcopy", "--version"])?;
    // The program's version, and then the library's.
    let told = said.lines().find_map(|line| line.strip_prefix("libnbd "));
    let changes = system.run(&["dpkg", "--verify", "libnbd0", "libnbd-dev"])?;
    // There are no manual pages in such systems.
    let changes = changes
        .lines()
        .filter(|line| !line.contains("/usr/share/man/"));
    Ok(Seen {
        versions: versions.collect::<Result<_>>()?,
        files: files.collect::<Result<_>>()?,
        changes: changes.collect::<Vec<_>>().join("\n"),
        told: told.ok_or(said.as_str())?.to_owned(),
    })
}

/// Uses the library by nbdcopy, nbdinfo, fio and Python, and gives what they say of the
/// data: checksums and sizes.
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

/// Puts both packages in the place of Debian's in a system of that release.
pub fn there_and_back(release: &str, packages: &[PathBuf]) -> Result<()> {
    let fresh = System::with(release, PROGRAMS, &PACKAGES)?;
    let system = fresh.copy(&format!("system-{release}"))?;
    let before = see(&system)?;
    let used = uses(&system)?;

    for (path, name) in packages.iter().zip(PACKAGES) {
        system.copy_in(path, &format!("root/{name}.deb"))?;
    }
    system.apt_install(&["/root/libnbd0.deb", "/root/libnbd-dev.deb"])?;
    let swapped = see(&system)?;
    // Newer programs add what nbd_get_version_extra says.
    let version = swapped.told.split(' ').next();
    let is_ours = version == Some(env!("CARGO_PKG_VERSION")) && swapped.told != before.told;
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

/// A program compiled with what the packages installed runs there.
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
