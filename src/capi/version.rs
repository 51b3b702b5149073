// SPDX-License-Identifier: LGPL-2.1-or-later

//! Version: which library this is, and what it was built to do. None of these
//! calls ever waits.

use std::ffi::CStr;

use libc::{c_char, c_int};

use super::entry::looking;
use super::opaque::nbd_handle;

/// The version of the interface and of the behaviour, which programs and build
/// systems compare with what they need.
const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => panic!("a version has no NUL in it"),
    };

/// Whose build it is, and the version of this implementation: the first in CHANGELOG.md.
const VERSION_EXTRA: &CStr = c"Rust 0.4.0";

/// Returns the name of the library.
///
/// That is the name of the interface. The library that is written in C returns
/// the same; `nbd_get_version_extra` tells the two apart.
///
/// # Result
///
/// "libnbd", which belongs to the library and stays.
///
/// # See also
///
/// `nbd_get_version`, `nbd_get_version_extra`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_package_name(h: *mut nbd_handle) -> *const c_char {
    looking!(NBD_GET_PACKAGE_NAME(h), |_shared| c"libnbd")
}

/// Returns the version of the library.
///
/// Three numbers with dots in between: major, minor and release. The library
/// behaves as the version of libnbd does that has the same numbers. An even minor
/// number is a stable version, an odd one is under development.
///
/// # Result
///
/// The version, such as "1.24.4". It belongs to the library and stays.
///
/// # See also
///
/// `nbd_get_package_name`, `nbd_get_version_extra`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_version(h: *mut nbd_handle) -> *const c_char {
    looking!(NBD_GET_VERSION(h), |_shared| VERSION)
}

/// Returns whose build of the library this is.
///
/// It is a text for people and for bug reports, without a format. This library
/// returns "Rust" and its own version, such as "Rust 0.4.0".
///
/// # Result
///
/// The text, which belongs to the library and stays.
///
/// # See also
///
/// `nbd_get_version`, `nbd_get_package_name`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_version_extra(h: *mut nbd_handle) -> *const c_char {
    looking!(NBD_GET_VERSION_EXTRA(h), |_shared| VERSION_EXTRA)
}

/// Returns whether connections can be encrypted with TLS.
///
/// They can where GnuTLS is installed. It is loaded by this call, or when a
/// connection is first asked to use TLS, and not by programs that do neither.
///
/// # Result
///
/// 1 for yes or 0 for no. With a valid handle this function does not fail.
///
/// # See also
///
/// `nbd_set_tls`.
#[no_mangle]
pub unsafe extern "C" fn nbd_supports_tls(h: *mut nbd_handle) -> c_int {
    looking!(NBD_SUPPORTS_TLS(h), |_shared| {
        crate::transport::tls::check_available().is_ok()
    })
}

/// Returns whether the library can connect over vsock.
///
/// The system that it runs on may still not be able to.
///
/// # Result
///
/// 1 for yes or 0 for no. With a valid handle this function does not fail.
///
/// # See also
///
/// `nbd_connect_vsock`.
#[no_mangle]
pub unsafe extern "C" fn nbd_supports_vsock(h: *mut nbd_handle) -> c_int {
    looking!(NBD_SUPPORTS_VSOCK(h), |_shared| cfg!(target_os = "linux"))
}

/// Returns whether the library can connect to URIs.
///
/// A build of libnbd without that fails with `ENOTSUP` in `nbd_connect_uri`.
/// This library parses URIs by itself, so there is no such build of it.
///
/// # Result
///
/// 1 or 0; this library always can. With a valid handle this
/// function does not fail.
///
/// # See also
///
/// `nbd_connect_uri`.
#[no_mangle]
pub unsafe extern "C" fn nbd_supports_uri(h: *mut nbd_handle) -> c_int {
    looking!(NBD_SUPPORTS_URI(h), |_shared| true)
}
