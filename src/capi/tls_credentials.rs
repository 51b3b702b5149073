// SPDX-License-Identifier: LGPL-2.1-or-later

//! TLS credentials.
//!
//! These settings are stored whether TLS is used or not, and have no effect without
//! it.

use libc::{c_char, c_int};

use super::entry::locked;
use super::opaque::nbd_handle;
use super::trace::Text;
use crate::memory;

/// Sets the directory of the certificates for TLS.
///
/// Use it to authenticate the server, and optionally the client, with X.509
/// certificates. The directory is read when the connection is made. It can contain
/// these files:
///
/// - `ca-cert.pem`: the certificate authority for server certificates. Without this
///   file, the authorities that the system trusts are used.
/// - `ca-crl.pem`: certificates that are revoked.
/// - `client-cert.pem`, `client-key.pem`: certificate and key of the client, for
///   servers that request them.
/// - `client-cert-0.pem`, `client-key-0.pem`: more certificates and keys, numbered
///   from 0 without gaps.
///
/// Without this setting, the library uses `$HOME/.pki/libnbd` or
/// `$HOME/.config/pki/libnbd`, or `/etc/pki/libnbd` if the user is root or `HOME`
/// is not set. It uses the first of these directories that contains `ca-cert.pem`.
///
/// # Parameters
///
/// - `dir`: path of the directory, which is copied.
///
/// # See also
///
/// `nbd_set_tls`, `nbd_set_tls_verify_peer`, `nbd_set_tls_psk_file`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_tls_certificates(h: *mut nbd_handle, dir: *const c_char) -> c_int {
    // SAFETY: NULL, or a string that outlives the call.
    let dir = unsafe { Text::new(dir) };
    locked!(NBD_SET_TLS_CERTIFICATES(h, dir: dir), |connection| {
        connection.setup().settings().tls.certificates = Some(memory::copy(dir.get())?);
        Ok(())
    })
}

/// Sets the user name for TLS with pre-shared keys.
///
/// Use it if the name in the key file is not that of the local user. It selects a
/// line of the file from `nbd_set_tls_psk_file`.
///
/// # Parameters
///
/// - `username`: the name, which is copied. The default is the local user; see
///   `nbd_get_tls_username`.
///
/// # See also
///
/// `nbd_get_tls_username`, `nbd_set_tls_psk_file`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_tls_username(
    h: *mut nbd_handle,
    username: *const c_char,
) -> c_int {
    // SAFETY: NULL, or a string that outlives the call.
    let username = unsafe { Text::new(username) };
    locked!(NBD_SET_TLS_USERNAME(h, username: username), |connection| {
        connection.setup().settings().tls.username = Some(memory::copy(username.get())?);
        Ok(())
    })
}

/// Returns the user name for TLS with pre-shared keys.
///
/// Returns the setting of `nbd_set_tls_username`. The default is the environment
/// variable `LOGNAME` or, if it is not set, the login name of the user.
///
/// # Result
///
/// The name, or NULL on error.
///
/// # Errors
///
/// - Errors of getlogin(3), if no name was set and the user has no login name.
///
/// # See also
///
/// `nbd_set_tls_username`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_tls_username(h: *mut nbd_handle) -> *mut c_char {
    locked!(NBD_GET_TLS_USERNAME(h), |connection| connection
        .setup()
        .settings()
        .tls
        .username())
}

/// Sets the name that the server's certificate must have.
///
/// Use it if the host you connect to is not the name in the certificate, for example
/// with a proxy or a Unix domain socket. By default it is the host you connect to.
///
/// If there is no name at all, the certificate is accepted if it is signed by the
/// authority in the directory of `nbd_set_tls_certificates`. It is refused if the
/// authorities of the system are used.
///
/// # Parameters
///
/// - `hostname`: the name, which is copied; "" for the host you connect to.
///
/// # See also
///
/// `nbd_get_tls_hostname`, `nbd_set_tls_verify_peer`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_tls_hostname(
    h: *mut nbd_handle,
    hostname: *const c_char,
) -> c_int {
    // SAFETY: NULL, or a string that outlives the call.
    let hostname = unsafe { Text::new(hostname) };
    locked!(NBD_SET_TLS_HOSTNAME(h, hostname: hostname), |connection| {
        connection.setup().settings().tls.hostname = memory::copy(hostname.get())?;
        Ok(())
    })
}

/// Returns the name that the server's certificate must have.
///
/// Returns the setting of `nbd_set_tls_hostname`. The default is the host of the
/// TCP connection, or "" if there is none.
///
/// # Result
///
/// The name, or NULL on error.
///
/// # See also
///
/// `nbd_set_tls_hostname`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_tls_hostname(h: *mut nbd_handle) -> *mut c_char {
    locked!(NBD_GET_TLS_HOSTNAME(h), |connection| connection
        .setup()
        .tls_hostname())
}

/// Sets the file of pre-shared keys for TLS.
///
/// Use it to authenticate client and server with a shared secret instead of
/// certificates. Each line of the file consists of a user name, a colon and the key
/// in hexadecimal; psktool(1) creates such files. The file is read when the
/// connection is made.
///
/// # Parameters
///
/// - `filename`: path of the file, which is copied.
///
/// # Example
///
/// The server has the same file, made by `psktool -u alice -p keys.psk`:
///
/// ```c
/// if (nbd_set_tls (nbd, LIBNBD_TLS_REQUIRE) == -1 ||
///     nbd_set_tls_username (nbd, "alice") == -1 ||
///     nbd_set_tls_psk_file (nbd, "keys.psk") == -1)
///   return -1;
/// ```
///
/// # See also
///
/// `nbd_set_tls`, `nbd_set_tls_username`, `nbd_set_tls_certificates`; psktool(1).
#[no_mangle]
pub unsafe extern "C" fn nbd_set_tls_psk_file(
    h: *mut nbd_handle,
    filename: *const c_char,
) -> c_int {
    // SAFETY: NULL, or a string that outlives the call.
    let filename = unsafe { Text::new(filename) };
    locked!(NBD_SET_TLS_PSK_FILE(h, filename: filename), |connection| {
        connection.setup().settings().tls.psk_file = Some(memory::copy(filename.get())?);
        Ok(())
    })
}
