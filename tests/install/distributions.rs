// SPDX-License-Identifier: LGPL-2.1-or-later

//! Packages for other distributions: their files are for this version, and
//! those for which Debian has the tools are built from the archives of `make
//! dist`.
//!
//! `LIBNBD_TEST_PACKAGES="fedora arch alpine"` in the environment enables the
//! builds, in a Debian sid system. The macros that the distributions themselves
//! define are not tested.

use std::fs;
use std::process::Command;

use libtest_mimic::Trial;

use crate::installation::fresh_directory;
use crate::packages::{builder, left_out, trial};
use crate::{dist, run};
use support::library::source;
use support::Result;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("the version is the same in every package", None, versions),
        trial(
            "fedora: rpmbuild builds packages",
            left_out("fedora"),
            fedora,
        ),
        trial("arch: makepkg builds a package", left_out("arch"), arch),
        trial(
            "alpine: its functions build packages",
            left_out("alpine"),
            alpine,
        ),
    ]
}

fn versions() -> Result<()> {
    let shell = |shell: &str, file: &str, print: &str| {
        let script = format!(". \"$0\"; {print}");
        let path = source().join("packaging").join(file);
        run(Command::new(shell).args(["-euc", &script]).arg(path))
    };
    let spec = source().join("packaging/fedora/libnbd-rust.spec");
    let text = fs::read_to_string(&spec).map_err(|e| format!("{}: {e}", spec.display()))?;
    let field = text.lines().find_map(|line| line.strip_prefix("Version:"));
    let found = [
        ("fedora", field.unwrap_or_default().trim().to_owned()),
        (
            "alpine",
            shell("sh", "alpine/APKBUILD", "echo $pkgver $source $sha512sums")?,
        ),
        (
            "arch",
            shell(
                "bash",
                "arch/PKGBUILD",
                "echo $pkgver ${source[@]} ${#sha256sums[@]}",
            )?,
        ),
    ];
    let version = env!("CARGO_PKG_VERSION");
    let archives =
        format!("{version} libnbd-rust-{version}.tar.xz libnbd-rust-{version}-vendor.tar.xz");
    let expected = [
        version.to_owned(),
        format!(
            "{archives} @SHA512_SOURCE@ libnbd-rust-{version}.tar.xz \
             @SHA512_VENDOR@ libnbd-rust-{version}-vendor.tar.xz"
        ),
        format!("{archives} 2"),
    ];
    for ((distribution, found), expected) in found.iter().zip(expected) {
        if found.trim() != expected {
            return Err(format!("{distribution}: {found:?}, not {expected:?}"));
        }
    }
    Ok(())
}

/// Runs a script in the system, in a fresh directory with the archives.
fn build(name: &str, script: &str) -> Result<String> {
    let directory = fresh_directory(&format!("packages-{name}"))?;
    let archives = dist::directory()?;
    for entry in fs::read_dir(&archives).map_err(|e| format!("{}: {e}", archives.display()))? {
        let path = entry.map_err(|e| e.to_string())?.path();
        if path.is_file() {
            let copy = directory.join(path.file_name().unwrap_or_default());
            fs::copy(&path, copy).map_err(|e| format!("{}: {e}", path.display()))?;
        }
    }
    let directory = directory.to_string_lossy();
    builder("sid")?.run(&["sh", "-euc", &format!("cd '{directory}'\n{script}")])
}

/// Checks that all of these files are in the list.
fn has(list: &str, files: &[&str]) -> Result<()> {
    let missing = files
        .iter()
        .find(|file| !list.lines().any(|it| it == **file));
    match missing {
        None => Ok(()),
        Some(file) => Err(format!("{file} is missing: {list}")),
    }
}

fn fedora() -> Result<()> {
    // Macros that redhat-rpm-config and systemd-rpm-macros define.
    let printed = build(
        "fedora",
        r#"
        rpmbuild -bb --nodeps --define "_topdir $PWD" --define "_sourcedir $PWD" \
            --define '_libdir /usr/lib64' libnbd-rust.spec >build.log 2>&1 ||
            { cat build.log; exit 1; }
        for rpm in RPMS/*/*.rpm; do
            rpm --query --list --package "$rpm"
            rpm --query --provides --package "$rpm"
        done
        "#,
    )?;
    has(
        &printed,
        &[
            "/etc/ld.so.conf.d/libnbd-rust-x86_64.conf",
            "/usr/lib64/libnbd-rust/libnbd.so.0",
            "/usr/lib64/libnbd.so",
            "/usr/lib64/libnbd.a",
            "/usr/lib64/pkgconfig/libnbd.pc",
            "/usr/include/libnbd.h",
            "/usr/include/libnbd-ext.h",
            "libnbd.so.0(LIBNBD_1.24)(64bit)",
            "libnbd.so.0(LIBNBD_EXT_1.0)(64bit)",
        ],
    )
}

fn arch() -> Result<()> {
    let printed = build(
        "arch",
        r#"
        mkdir bin
        # Asked which packages are installed.
        printf '#!/bin/sh\n' >bin/pacman
        chmod +x bin/pacman
        chown -R nobody .
        export PKGEXT=.pkg.tar HOME="$PWD" PATH="$PWD/bin:$PATH"
        setpriv --reuid nobody makepkg --nodeps --config /etc/makepkg.conf >build.log 2>&1 ||
            { cat build.log; exit 1; }
        tar --list --file *.pkg.tar
        "#,
    )?;
    has(
        &printed,
        &[
            "etc/ld.so.conf.d/libnbd-rust.conf",
            "usr/lib/libnbd-rust/libnbd.so.0",
            "usr/lib/libnbd-rust/libnbd.so.0.0.0",
            "usr/include/libnbd-ext.h",
        ],
    )
}

fn alpine() -> Result<()> {
    // The steps that abuild performs around the functions.
    let printed = build(
        "alpine",
        r#"
        default_prepare() { :; }
        . ./APKBUILD
        echo "$sha512sums" | sed '/^$/d' | sha512sum --check --quiet
        mkdir src pkg
        srcdir=$PWD/src pkgdir=$PWD/pkg builddir=$PWD/src/$pkgname-$pkgver
        for archive in $source; do tar --extract --directory src --file "$archive"; done
        for function in prepare build check package; do
            cd "$builddir"
            (set -eu; $function) >../$function.log 2>&1 || { cat ../$function.log; exit 1; }
        done
        cd "$pkgdir"
        find . -type f -o -type l
        "#,
    )?;
    has(
        &printed,
        &[
            "./usr/lib/libnbd.so.0",
            "./usr/lib/libnbd.a",
            "./usr/include/libnbd.h",
            "./usr/include/libnbd-ext.h",
            "./usr/lib/pkgconfig/libnbd.pc",
            "./usr/share/man/man3/libnbd.3",
        ],
    )
}
