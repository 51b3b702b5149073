// SPDX-License-Identifier: LGPL-2.1-or-later

//! TLS.

use libc::{c_char, c_int};

use super::boolean::c_bool;
use super::entry::locked;
use super::opaque::nbd_handle;
use super::trace::Text;
use crate::memory;

/// Sets whether the connection uses TLS.
///
/// Call it before connecting, with `LIBNBD_TLS_REQUIRE` if the network is not
/// trusted. Then set the credentials with `nbd_set_tls_certificates` or
/// `nbd_set_tls_psk_file`. `nbd_connect_uri` sets `LIBNBD_TLS_REQUIRE` for a URI
/// with TLS, such as `nbds://`; other URIs do not change this setting.
///
/// # Parameters
///
/// - `tls`: one of the constants below.
/// - `LIBNBD_TLS_DISABLE` (0): no TLS, which is the default. In option mode,
///   `nbd_opt_starttls` can still start it.
/// - `LIBNBD_TLS_ALLOW` (1): TLS if the server supports it, plaintext if not. This
///   gives no protection against an active attacker. Some servers close the
///   connection instead of continuing in plaintext.
/// - `LIBNBD_TLS_REQUIRE` (2): TLS; connecting fails if the server does not support
///   it.
///
/// # Errors
///
/// - `EINVAL`: `tls` is not one of these constants.
/// - `ENOTSUP`: `tls` is not `LIBNBD_TLS_DISABLE`, and TLS is not available
///   (`nbd_supports_tls`).
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
/// `nbd_set_tls_psk_file`, `nbd_set_tls_verify_peer`; libnbd(3), "TLS".
#[no_mangle]
pub unsafe extern "C" fn nbd_set_tls(h: *mut nbd_handle, tls: c_int) -> c_int {
    locked!(NBD_SET_TLS(h, tls: tls), |connection| connection
        .setup().set_tls(tls))
}

/// Returns the TLS setting of the handle.
///
/// This is the setting of `nbd_set_tls` or of a URI. After connecting,
/// `nbd_get_tls_negotiated` returns whether TLS is in use.
///
/// # Result
///
/// `LIBNBD_TLS_DISABLE`, `LIBNBD_TLS_ALLOW` or `LIBNBD_TLS_REQUIRE`. This function
/// does not fail if `h` is a valid handle.
///
/// # See also
///
/// `nbd_set_tls`, `nbd_get_tls_negotiated`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_tls(h: *mut nbd_handle) -> c_int {
    locked!(NBD_GET_TLS(h), |connection| Ok(
        connection.setup().requests().tls as c_int
    ))
}

/// Checks whether the connection uses TLS.
///
/// Call it after connecting with `LIBNBD_TLS_ALLOW`, or in option mode after
/// `nbd_opt_starttls`. With `LIBNBD_TLS_REQUIRE`, a connection always uses TLS.
///
/// # Result
///
/// 1 for yes, 0 for no, -1 on error.
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

/// Sets whether to verify the server's certificate.
///
/// Turn it off only for tests. The certificate must be signed by a trusted authority
/// and valid for the name of the server (`nbd_set_tls_hostname`). Without
/// verification the connection is encrypted, but an attacker can pretend to be the
/// server.
///
/// # Parameters
///
/// - `verify`: true to verify the certificate; true is the default.
///
/// # See also
///
/// `nbd_get_tls_verify_peer`, `nbd_set_tls_hostname`, `nbd_set_tls_certificates`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_tls_verify_peer(h: *mut nbd_handle, verify: c_bool) -> c_int {
    let verify = verify.get();
    locked!(NBD_SET_TLS_VERIFY_PEER(h, verify: verify), |connection| {
        connection.setup().settings().tls.verify_peer = verify;
        Ok(())
    })
}

/// Checks whether the server's certificate is verified.
///
/// Returns the setting of `nbd_set_tls_verify_peer` or of a URI.
///
/// # Result
///
/// 1 for yes, 0 for no. This function does not fail if `h` is a valid handle.
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

/// Sets the ciphers and protocol versions for TLS.
///
/// Use it to require or exclude certain algorithms. The string is a GnuTLS priority
/// string. It is checked only when the connection is made, and has no effect
/// without TLS.
///
/// Do not accept it from an untrusted source: it can weaken the encryption, and can
/// name files to read.
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
    // SAFETY: NULL, or a string that outlives the call.
    let priority = unsafe { Text::new(priority) };
    locked!(NBD_SET_TLS_PRIORITY(h, priority: priority), |connection| {
        connection.setup().settings().tls.priority = memory::copy(priority.get())?;
        Ok(())
    })
}

/// Returns the ciphers and protocol versions for TLS.
///
/// Returns the setting of `nbd_set_tls_priority`, which may be invalid.
///
/// # Result
///
/// The priority string, `NORMAL` by default, or NULL on error.
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
