// SPDX-License-Identifier: LGPL-2.1-or-later

//! Version and features.
//!
//! None of these functions waits.

use std::ffi::CStr;

use libc::{c_char, c_int};

use super::entry::unlocked;
use super::opaque::nbd_handle;

/// The version of the interface and of the behaviour, which programs and build
/// systems check.
const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => panic!("a version has no NUL in it"),
    };

/// The name of this implementation and its version, which is the first in
/// CHANGELOG.md.
const VERSION_EXTRA: &CStr = c"Rust 0.4.0";

/// Returns the name of the library.
///
/// Use it in messages and bug reports. The name is that of the interface, which the
/// C library returns as well: `nbd_get_version_extra` distinguishes the two.
///
/// # Result
///
/// The string "libnbd", which stays valid. Do not free it.
///
/// # See also
///
/// `nbd_get_version`, `nbd_get_version_extra`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_package_name(h: *mut nbd_handle) -> *const c_char {
    unlocked!(NBD_GET_PACKAGE_NAME(h), |_shared| c"libnbd")
}

/// Returns the version of the library.
///
/// Use it in messages and bug reports. To find out whether a function exists, use
/// its `LIBNBD_HAVE_...` macro instead. The version consists of the major, minor and
/// release numbers. The library behaves as the C library of the same version. Even
/// minor numbers are stable versions, odd ones are development versions.
///
/// # Result
///
/// The version, such as "1.24.4", which stays valid. Do not free it.
///
/// # See also
///
/// `nbd_get_package_name`, `nbd_get_version_extra`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_version(h: *mut nbd_handle) -> *const c_char {
    unlocked!(NBD_GET_VERSION(h), |_shared| VERSION)
}

/// Returns the name of the library's build.
///
/// Use it in bug reports, to distinguish this library from the C library. The text
/// has no fixed format.
///
/// # Result
///
/// The text, which stays valid. Do not free it. For this library, it is "Rust"
/// followed by the version of the implementation.
///
/// # See also
///
/// `nbd_get_version`, `nbd_get_package_name`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_version_extra(h: *mut nbd_handle) -> *const c_char {
    unlocked!(NBD_GET_VERSION_EXTRA(h), |_shared| VERSION_EXTRA)
}

/// Checks whether TLS is available.
///
/// Call it before `nbd_set_tls`, which fails without TLS. TLS is available if GnuTLS
/// is installed. GnuTLS is loaded by this call, by `nbd_set_tls`, and by connecting to
/// a URI with TLS. A program that does none of these does not load it.
///
/// # Result
///
/// 1 for yes, 0 for no. This function does not fail if `h` is a valid handle.
///
/// # See also
///
/// `nbd_set_tls`.
#[no_mangle]
pub unsafe extern "C" fn nbd_supports_tls(h: *mut nbd_handle) -> c_int {
    unlocked!(NBD_SUPPORTS_TLS(h), |_shared| {
        crate::transport::tls::check_available().is_ok()
    })
}

/// Checks whether the library supports vsock.
///
/// Call it before `nbd_connect_vsock`. That call can still fail if the system does
/// not support vsock.
///
/// # Result
///
/// 1 for yes, 0 for no. This function does not fail if `h` is a valid handle.
///
/// # See also
///
/// `nbd_connect_vsock`.
#[no_mangle]
pub unsafe extern "C" fn nbd_supports_vsock(h: *mut nbd_handle) -> c_int {
    unlocked!(NBD_SUPPORTS_VSOCK(h), |_shared| cfg!(target_os = "linux"))
}

/// Checks whether the library supports URIs.
///
/// Call it before `nbd_connect_uri` in programs that also run with builds of the C
/// library without URI support, where that call fails with `ENOTSUP`. This library
/// always supports URIs.
///
/// # Result
///
/// Always 1. This function does not fail if `h` is a valid handle.
///
/// # See also
///
/// `nbd_connect_uri`.
#[no_mangle]
pub unsafe extern "C" fn nbd_supports_uri(h: *mut nbd_handle) -> c_int {
    unlocked!(NBD_SUPPORTS_URI(h), |_shared| true)
}
