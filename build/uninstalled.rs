// SPDX-License-Identifier: LGPL-2.1-or-later

//! What lets programs use the library where cargo leaves it: a link with the
//! name that the dynamic linker looks for, and a pkg-config file that points at
//! the source tree's header.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::{env, fs, io};

/// Writes `libnbd.so.0` next to `libnbd.so`, and `pkgconfig/libnbd.pc` beside it.
///
/// `cargo build` leaves the library both in the directory of the profile and in
/// `deps` below it, `cargo test` only in the latter; tests look there.
///
/// `out` is `PROFILE/build/PACKAGE/out`. With a build directory of another
/// shape there is no telling where `libnbd.so` goes, and nothing is written.
pub fn write(source: &Path, out: &Path) -> io::Result<()> {
    let Some(build) = out.ancestors().nth(2).filter(|dir| dir.ends_with("build")) else {
        return Ok(());
    };
    let directory = build
        .parent()
        .expect("a directory called build has a parent");

    for place in [directory.to_path_buf(), directory.join("deps")] {
        fs::create_dir_all(&place)?;
        match symlink("libnbd.so", place.join("libnbd.so.0")) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }

    let template = fs::read_to_string(source.join("pkgconfig/libnbd.pc.in"))?;
    let version = env::var("CARGO_PKG_VERSION").expect("cargo sets it");
    let text = template
        .replace("@PREFIX@", &source.display().to_string())
        .replace("@LIBDIR@", &directory.display().to_string())
        .replace("@INCLUDEDIR@", "${prefix}/include")
        .replace("@VERSION@", &version);
    fs::create_dir_all(directory.join("pkgconfig"))?;
    fs::write(directory.join("pkgconfig/libnbd.pc"), text)
}
