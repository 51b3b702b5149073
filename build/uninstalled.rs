// SPDX-License-Identifier: LGPL-2.1-or-later

//! Files for using the library without installation: a link with the name that the dynamic linker
//! expects, and a pkg-config file for the header in the source tree.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::{env, fs, io};

/// Writes `libnbd.so.0` next to `libnbd.so`, and `pkgconfig/libnbd.pc` beside it.
///
/// `cargo build` puts the library into the directory of the profile and into `deps` below it,
/// `cargo test` only into the latter, where tests look for it.
///
/// `out` is `PROFILE/build/PACKAGE/out`. If it has another shape, the place of `libnbd.so` is
/// unknown, and nothing is written.
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
