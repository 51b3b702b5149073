// SPDX-License-Identifier: LGPL-2.1-or-later

//! The system that the library under test was built for, where that is another one
//! than this: the same tests cross compile their programs, and run them in an emulator.
//!
//! The environment says what is different:
//!
//! - `LIBNBD_TEST_TARGET=s390x-linux-gnu`: how its tools are called, as in
//!   `s390x-linux-gnu-gcc`;
//! - `LIBNBD_UNDER_TEST` and `LIBNBD_TEST_LAUNCHER`: its library and the emulator, see
//!   `library.rs`;
//! - `LIBNBD_TEST_MEMSERVER=/path/to/memserver`: a server that was built for it, or a
//!   script that starts one.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{library, Result};

const TARGET: &str = "LIBNBD_TEST_TARGET";

/// The C compiler.
pub fn cc() -> String {
    match env::var(TARGET) {
        Ok(target) => format!("{target}-gcc"),
        Err(_) => "cc".to_owned(),
    }
}

/// Whether the library under test was built for another system.
pub fn is_foreign() -> bool {
    env::var_os(TARGET).is_some()
}

/// One of the binutils.
pub fn tool(name: &str) -> String {
    match env::var(TARGET) {
        Ok(target) => format!("{target}-{name}"),
        Err(_) => name.to_owned(),
    }
}

/// The directory for what is compiled for the target.
pub fn directory(name: &str) -> Result<PathBuf> {
    let programs = library::profile_directory()?.join("capi");
    Ok(match env::var_os(TARGET) {
        Some(target) => programs.join(target).join(name),
        None => programs.join(name),
    })
}

/// Whether a launcher is an emulator of another processor.
pub fn is_emulator(launcher: &OsStr) -> bool {
    let name = Path::new(launcher).file_name();
    name.is_some_and(|name| name.as_encoded_bytes().starts_with(b"qemu-"))
}
