// SPDX-License-Identifier: LGPL-2.1-or-later

//! TLS: whether the connection is encrypted, and how strictly.

use libc::{c_char, c_int};

use super::boolean::c_bool;
use super::entry::locked;
use super::opaque::nbd_handle;
use super::trace::Text;
use crate::memory;

/// Sets whether the connection is to use TLS.
///
/// The default is not to, except for the URIs that ask for TLS.
///
/// - `LIBNBD_TLS_DISABLE` (0): no TLS. In option mode, `nbd_opt_starttls` can
///   still turn it on later.
/// - `LIBNBD_TLS_ALLOW` (1): TLS if the server has it, and in the clear if not.
///   This protects from nobody who can change what goes over the network, and
///   some servers end the connection instead of going on in the clear.
/// - `LIBNBD_TLS_REQUIRE` (2): TLS, or no connection.
///
/// # Parameters
///
/// - `tls`: one of the three.
///
/// # Errors
///
/// - `EINVAL`: `tls` is none of the three.
/// - `ENOTSUP`: TLS is asked for where there is none, see `nbd_supports_tls`.
///
/// # Standards
///
/// NBD protocol, "TLS support" and NBD_OPT_STARTTLS.
///
/// # Example
///
/// ```c
/// if (nbd_set_tls (nbd, LIBNBD_TLS_REQUIRE) == -1 ||
///     nbd_set_tls_certificates (nbd, "/etc/pki/my-program") == -1)
///   return -1;
/// return nbd_connect_tcp (nbd, "server.example.com", "nbd");
/// ```
///
/// # See also
///
/// `nbd_get_tls`, `nbd_get_tls_negotiated`, `nbd_set_tls_certificates`,
/// `nbd_set_tls_psk_file`, `nbd_set_tls_verify_peer`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_tls(h: *mut nbd_handle, tls: c_int) -> c_int {
    locked!(NBD_SET_TLS(h, tls: tls), |connection| connection
        .setup().set_tls(tls))
}

/// Returns whether the connection is to use TLS.
///
/// That is the setting; `nbd_get_tls_negotiated` tells what came of it.
///
/// # Result
///
/// One of `LIBNBD_TLS_DISABLE`, `LIBNBD_TLS_ALLOW` and `LIBNBD_TLS_REQUIRE`. With a valid
/// handle this function does not fail.
///
/// # See also
///
/// `nbd_set_tls`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_tls(h: *mut nbd_handle) -> c_int {
    locked!(NBD_GET_TLS(h), |connection| Ok(
        connection.setup().requests().tls as c_int
    ))
}

/// Returns whether the connection does use TLS.
///
/// Of interest after connecting with `LIBNBD_TLS_ALLOW`, and in option mode
/// after `nbd_opt_starttls`; with `LIBNBD_TLS_REQUIRE` there is no connection
/// without TLS.
///
/// # Result
///
/// 1 for yes, 0 for no, or -1 on error.
///
/// # See also
///
/// `nbd_set_tls`, `nbd_opt_starttls`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_tls_negotiated(h: *mut nbd_handle) -> c_int {
    locked!(NBD_GET_TLS_NEGOTIATED(h), |connection| Ok(connection
        .information()
        .negotiated()
        .tls))
}

/// Sets whether the server has to prove who it is.
///
/// With certificates, the server's has to be signed by an authority that is
/// trusted, and made out to the name of the server. Turning this off leaves a
/// connection that is encrypted, with anybody at the other end.
///
/// # Parameters
///
/// - `verify`: whether to check the server's certificate; true at first.
///
/// # See also
///
/// `nbd_get_tls_verify_peer`, `nbd_set_tls_hostname`,
/// `nbd_set_tls_certificates`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_tls_verify_peer(h: *mut nbd_handle, verify: c_bool) -> c_int {
    let verify = verify.get();
    locked!(NBD_SET_TLS_VERIFY_PEER(h, verify: verify), |connection| {
        connection.setup().settings().tls.verify_peer = verify;
        Ok(())
    })
}

/// Returns whether the server has to prove who it is.
///
/// It has to unless `nbd_set_tls_verify_peer` was called with false, or a URI
/// said so.
///
/// # Result
///
/// 1 for yes or 0 for no. With a valid handle this function does not fail.
///
/// # See also
///
/// `nbd_set_tls_verify_peer`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_tls_verify_peer(h: *mut nbd_handle) -> c_int {
    locked!(NBD_GET_TLS_VERIFY_PEER(h), |connection| Ok(connection
        .setup()
        .settings()
        .tls
        .verify_peer))
}

/// Sets which ciphers and protocol versions TLS may use.
///
/// The text is a priority string of GnuTLS, which decides about every algorithm
/// and their order, and can name files to read. It is kept as it is, and found
/// to be wrong when the connection is made. Do not take it from someone who is
/// not trusted: it can weaken the encryption. It has no effect on connections
/// without TLS.
///
/// # Parameters
///
/// - `priority`: the priority string, which is copied.
///
/// # See also
///
/// `nbd_get_tls_priority`, `nbd_set_uri_allow_tls_priority`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_tls_priority(
    h: *mut nbd_handle,
    priority: *const c_char,
) -> c_int {
    // SAFETY: NULL or a string of the caller's, there for the length of the call.
    let priority = unsafe { Text::new(priority) };
    locked!(NBD_SET_TLS_PRIORITY(h, priority: priority), |connection| {
        connection.setup().settings().tls.priority = memory::copy(priority.get())?;
        Ok(())
    })
}

/// Returns which ciphers and protocol versions TLS may use.
///
/// The string is as it was set. That it means something to GnuTLS is only found
/// out when a connection uses TLS.
///
/// # Result
///
/// The priority string, `NORMAL` unless another one was set, for the caller to
/// free; or NULL.
///
/// # See also
///
/// `nbd_set_tls_priority`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_tls_priority(h: *mut nbd_handle) -> *mut c_char {
    locked!(NBD_GET_TLS_PRIORITY(h), |connection| Ok(memory::copy(
        &connection.setup().settings().tls.priority
    )?))
}
