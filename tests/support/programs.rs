// SPDX-License-Identifier: LGPL-2.1-or-later

//! Programs that the tests run, and their packages.

use std::path::PathBuf;

use super::Result;

const PACKAGES: &[(&str, &str)] = &[
    ("cc", "gcc libc6-dev"),
    ("certtool", "gnutls-bin"),
    ("e2fsck", "e2fsprogs"),
    ("fallocate", "util-linux"),
    ("fio", "fio"),
    ("fusermount3", "fuse3"),
    ("mke2fs", "e2fsprogs"),
    ("nbd-server", "nbd-server"),
    ("nbdcopy", "libnbd-bin"),
    ("nbddiscard", "libnbd-bin"),
    ("nbddump", "libnbd-bin"),
    ("nbdfuse", "libnbd-bin"),
    ("nbdinfo", "libnbd-bin"),
    ("nbdkit", "nbdkit"),
    ("nbdsh", "python3-libnbd"),
    ("nbdzero", "libnbd-bin"),
    ("ocamlopt", "ocaml"),
    ("pkg-config", "pkg-config"),
    ("psktool", "gnutls-bin"),
    ("python3", "python3 python3-libnbd"),
    ("qemu-img", "qemu-utils"),
    ("qemu-io", "qemu-utils"),
    ("qemu-nbd", "qemu-utils"),
    ("readelf", "binutils"),
    ("ssh", "openssh-client"),
    ("ssh-keygen", "openssh-client"),
    ("sshd", "openssh-server"),
    ("valgrind", "valgrind"),
];

/// Directories of the distribution's programs. Others in PATH may shadow them:
/// another python3, for example, has no `nbd` module.
pub const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// Returns the path of an installed program. A missing one fails the test and
/// names its package.
pub fn find(program: &str) -> Result<PathBuf> {
    let found = PATH.split(':').map(|dir| PathBuf::from(dir).join(program));
    match found.into_iter().find(|path| path.exists()) {
        Some(path) => Ok(path),
        None => {
            let package = PACKAGES.iter().find(|(name, _)| *name == program);
            let package = package.map_or(program, |(_, package)| package);
            Err(format!(
                "{program} is not installed; run: apt-get install {package}"
            ))
        }
    }
}
