// SPDX-License-Identifier: LGPL-2.1-or-later

//! The target system of the library under test. If it is not this system, the same tests
//! cross compile their programs and run them in an emulator.
//!
//! Environment variables describe the target:
//!
//! - `LIBNBD_TEST_TARGET=s390x-linux-gnu`: the prefix of its tools, such as
//!   `s390x-linux-gnu-gcc`;
//! - `LIBNBD_UNDER_TEST` and `LIBNBD_TEST_LAUNCHER`: its library and the emulator, see
//!   `library.rs`;
//! - `LIBNBD_TEST_MEMSERVER=/path/to/memserver`: a server built for it, or a script that
//!   starts one.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{library, Result};

const TARGET: &str = "LIBNBD_TEST_TARGET";

/// Returns the C compiler.
pub fn cc() -> String {
    match env::var(TARGET) {
        Ok(target) => format!("{target}-gcc"),
        Err(_) => "cc".to_owned(),
    }
}

/// Returns true if the library under test was built for another system.
pub fn is_foreign() -> bool {
    env::var_os(TARGET).is_some()
}

/// Returns the name of one of the binutils.
pub fn tool(name: &str) -> String {
    match env::var(TARGET) {
        Ok(target) => format!("{target}-{name}"),
        Err(_) => name.to_owned(),
    }
}

/// Returns the directory for executables of the target.
pub fn directory(name: &str) -> Result<PathBuf> {
    let programs = library::profile_directory()?.join("capi");
    Ok(match env::var_os(TARGET) {
        Some(target) => programs.join(target).join(name),
        None => programs.join(name),
    })
}

/// Returns true if a launcher is an emulator of another processor.
pub fn is_emulator(launcher: &OsStr) -> bool {
    let name = Path::new(launcher).file_name();
    name.is_some_and(|name| name.as_encoded_bytes().starts_with(b"qemu-"))
}
