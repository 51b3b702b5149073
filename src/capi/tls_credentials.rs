// SPDX-License-Identifier: LGPL-2.1-or-later

//! TLS credentials: who is who on an encrypted connection. These settings are
//! kept whether TLS is used or not, and have no effect without it.

use libc::{c_char, c_int};

use super::entry::locked;
use super::opaque::nbd_handle;
use super::trace::Text;
use crate::memory;

/// Sets the directory with the certificates and keys for TLS.
///
/// The files in it have fixed names: `ca-cert.pem` is the authority that signs
/// servers' certificates; `client-cert.pem` and `client-key.pem` are shown to
/// servers that want to know the client, and so are further pairs with a number
/// in the name, such as `client-cert-0.pem`. Without this setting they are looked
/// for in `$HOME/.pki/libnbd` and `$HOME/.config/pki/libnbd`, or by root in
/// `/etc/pki/libnbd/`. A directory without `ca-cert.pem` leaves it to the
/// authorities that the system trusts. Certificates listed in `ca-crl.pem`, if it
/// is there, are refused. The numbers begin at 0 and leave none out.
///
/// The directory is not looked at before the connection is made.
///
/// # Parameters
///
/// - `dir`: its path, which is copied.
///
/// # See also
///
/// `nbd_set_tls`, `nbd_set_tls_verify_peer`, `nbd_set_tls_psk_file`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_tls_certificates(h: *mut nbd_handle, dir: *const c_char) -> c_int {
    // SAFETY: NULL or a string of the caller's, there for the length of the call.
    let dir = unsafe { Text::new(dir) };
    locked!(NBD_SET_TLS_CERTIFICATES(h, dir: dir), |connection| {
        connection.setup().settings().tls.certificates = Some(memory::copy(dir.get())?);
        Ok(())
    })
}

/// Sets the name under which the client authenticates with a pre-shared key.
///
/// It selects the line of the key file, see `nbd_set_tls_psk_file`. Without this
/// setting it is the name of the user who runs the program, see
/// `nbd_get_tls_username`.
///
/// # Parameters
///
/// - `username`: the name, which is copied.
///
/// # See also
///
/// `nbd_get_tls_username`, `nbd_set_tls_psk_file`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_tls_username(
    h: *mut nbd_handle,
    username: *const c_char,
) -> c_int {
    // SAFETY: NULL or a string of the caller's, there for the length of the call.
    let username = unsafe { Text::new(username) };
    locked!(NBD_SET_TLS_USERNAME(h, username: username), |connection| {
        connection.setup().settings().tls.username = Some(memory::copy(username.get())?);
        Ok(())
    })
}

/// Returns the name under which the client authenticates.
///
/// Where `nbd_set_tls_username` has set none, it is the environment variable
/// `LOGNAME`, and without that the name under which the user has logged in.
///
/// # Result
///
/// The name, for the caller to free; or NULL.
///
/// # Errors
///
/// - Those of getlogin(3), where no name was set and the user has none.
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

/// Sets the name that the server's certificate has to be made out to.
///
/// Usually that is the name of the host connected to, and nothing has to be set.
/// It has to be when the way to the server goes through something else, such as
/// a proxy or a Unix domain socket. Without any name, the certificate of every
/// server is good that was signed by the authority in the certificates directory;
/// and none is where all authorities of the system are trusted.
///
/// # Parameters
///
/// - `hostname`: the name, which is copied; "" for the host connected to.
///
/// # See also
///
/// `nbd_get_tls_hostname`, `nbd_set_tls_verify_peer`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_tls_hostname(
    h: *mut nbd_handle,
    hostname: *const c_char,
) -> c_int {
    // SAFETY: NULL or a string of the caller's, there for the length of the call.
    let hostname = unsafe { Text::new(hostname) };
    locked!(NBD_SET_TLS_HOSTNAME(h, hostname: hostname), |connection| {
        connection.setup().settings().tls.hostname = memory::copy(hostname.get())?;
        Ok(())
    })
}

/// Returns the name that the server's certificate has to be made out to.
///
/// # Result
///
/// The name that was set; or, once there was a connection over TCP, the host
/// connected to; or "". It is for the caller to free. NULL on error.
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

/// Sets the file with the pre-shared keys for TLS.
///
/// Each line of the file holds a user's name, a colon, and a secret that client
/// and server both know, in hexadecimal; psktool(1) makes such files. With this
/// setting the two prove by it who they are, and no certificates are used.
///
/// The file is not looked at before the connection is made.
///
/// # Parameters
///
/// - `filename`: its path, which is copied.
///
/// # Example
///
/// With a file made by `psktool -u alice -p keys.psk`, which the server has too:
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
/// `nbd_set_tls`, `nbd_set_tls_username`, `nbd_set_tls_certificates`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_tls_psk_file(
    h: *mut nbd_handle,
    filename: *const c_char,
) -> c_int {
    // SAFETY: NULL or a string of the caller's, there for the length of the call.
    let filename = unsafe { Text::new(filename) };
    locked!(NBD_SET_TLS_PSK_FILE(h, filename: filename), |connection| {
        connection.setup().settings().tls.psk_file = Some(memory::copy(filename.get())?);
        Ok(())
    })
}
