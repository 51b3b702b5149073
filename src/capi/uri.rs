// SPDX-License-Identifier: LGPL-2.1-or-later

//! NBD URIs.

use libc::{c_char, c_int};

use super::boolean::c_bool;
use super::entry::locked;
use super::opaque::nbd_handle;
use super::trace::{Mask, Text};
use crate::uri::is_nbd_uri;

/// Sets the transports that URIs may use.
///
/// Call it before `nbd_connect_uri` if the URI comes from an untrusted source. Do
/// not check the text of the URI instead: such checks are easily bypassed.
///
/// # Parameters
///
/// - `mask`: a bitwise OR of the constants below; `LIBNBD_ALLOW_TRANSPORT_MASK`, all
///   of them, is the default.
/// - `LIBNBD_ALLOW_TRANSPORT_TCP` (0x1): `nbd:` and `nbds:`
/// - `LIBNBD_ALLOW_TRANSPORT_UNIX` (0x2): `nbd+unix:` and `nbds+unix:`
/// - `LIBNBD_ALLOW_TRANSPORT_VSOCK` (0x4): `nbd+vsock:` and `nbds+vsock:`
/// - `LIBNBD_ALLOW_TRANSPORT_SSH` (0x8): `nbd+ssh:` and `nbds+ssh:`, which run
///   ssh(1)
///
/// # Errors
///
/// - `EINVAL`: `mask` has a bit outside `LIBNBD_ALLOW_TRANSPORT_MASK`.
///
/// # See also
///
/// `nbd_connect_uri`, `nbd_set_uri_allow_tls`, `nbd_set_uri_allow_local_file`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_uri_allow_transports(h: *mut nbd_handle, mask: u32) -> c_int {
    locked!(
        NBD_SET_URI_ALLOW_TRANSPORTS(h, mask: Mask(mask)),
        |connection| connection.setup().settings().set_uri_transports(mask)
    )
}

/// Sets whether URIs may use TLS or must use it.
///
/// Call it before `nbd_connect_uri`, for example with `LIBNBD_TLS_REQUIRE` to refuse
/// URIs that would connect in plaintext.
///
/// # Parameters
///
/// - `tls`: one of the constants below.
/// - `LIBNBD_TLS_DISABLE` (0): refuse URIs with TLS.
/// - `LIBNBD_TLS_ALLOW` (1): accept URIs with and without TLS, which is the default.
/// - `LIBNBD_TLS_REQUIRE` (2): refuse URIs without TLS.
///
/// # Errors
///
/// - `EINVAL`: `tls` is not one of these constants.
///
/// # See also
///
/// `nbd_connect_uri`, `nbd_set_tls`, `nbd_set_uri_allow_transports`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_uri_allow_tls(h: *mut nbd_handle, tls: c_int) -> c_int {
    locked!(NBD_SET_URI_ALLOW_TLS(h, tls: tls), |connection| connection.setup().set_uri_tls(tls))
}

/// Sets whether URIs may set the TLS priority string.
///
/// Call it before `nbd_connect_uri` to allow the URI parameter `tls-priority`. Allow
/// it only for trusted URIs: a priority string can weaken the encryption, and can
/// name files to read (`nbd_set_tls_priority`).
///
/// # Parameters
///
/// - `allow`: true to allow it; false is the default.
///
/// # See also
///
/// `nbd_connect_uri`, `nbd_set_tls_priority`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_uri_allow_tls_priority(
    h: *mut nbd_handle,
    allow: c_bool,
) -> c_int {
    let allow = allow.get();
    locked!(
        NBD_SET_URI_ALLOW_TLS_PRIORITY(h, allow: allow),
        |connection| {
            connection.setup().settings().uri.tls_priority = allow;
            Ok(())
        }
    )
}

/// Sets whether URIs may name local files.
///
/// Call it before `nbd_connect_uri` to allow the URI parameters `tls-certificates`
/// and `tls-psk-file`. Allow them only for trusted URIs, because the library reads
/// these files. Paths of Unix domain sockets are not affected: see
/// `nbd_set_uri_allow_transports`.
///
/// # Parameters
///
/// - `allow`: true to allow them; false is the default.
///
/// # See also
///
/// `nbd_connect_uri`, `nbd_set_tls_psk_file`, `nbd_set_tls_certificates`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_uri_allow_local_file(h: *mut nbd_handle, allow: c_bool) -> c_int {
    let allow = allow.get();
    locked!(
        NBD_SET_URI_ALLOW_LOCAL_FILE(h, allow: allow),
        |connection| {
            connection.setup().settings().uri.local_file = allow;
            Ok(())
        }
    )
}

/// Returns a URI for the server and export of the handle.
///
/// Use it to show the connection to the user, or to connect to the same export from
/// another process. The URI is built from the address and settings of the handle.
/// It is not guaranteed to work, for example if the server accepts only one
/// connection. It contains the paths of certificates and key files that were set,
/// but no keys.
///
/// # Result
///
/// The URI, or NULL on error.
///
/// # Errors
///
/// - `EINVAL`: no URI can describe how the handle was connected, for example to a
///   subprocess.
/// - `EPROTONOSUPPORT`: no URI can describe the address.
///
/// # Standards
///
/// NBD URI specification.
///
/// # Example
///
/// ```c
/// char *uri = nbd_get_uri (nbd);
///
/// if (uri == NULL)
///   return -1;
/// printf ("%s\n", uri);
/// free (uri);
/// ```
///
/// # See also
///
/// `nbd_connect_uri`, `nbd_is_uri`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_uri(h: *mut nbd_handle) -> *mut c_char {
    locked!(NBD_GET_URI(h), |connection| connection.get_uri())
}

/// Checks whether a string looks like an NBD URI.
///
/// Use it in programs that accept a URI or a file name. The function checks only the
/// beginning of the string, such as `nbd://`; it does not check that the URI is
/// valid.
///
/// # Parameters
///
/// - `uri`: the string.
///
/// # Result
///
/// 1 for yes, 0 for no, -1 on error.
///
/// # Example
///
/// ```c
/// const char *argument = "nbd://localhost";
///
/// if (nbd_is_uri (nbd, argument) == 1)
///   return nbd_connect_uri (nbd, argument);
/// ```
///
/// # See also
///
/// `nbd_connect_uri`.
#[no_mangle]
pub unsafe extern "C" fn nbd_is_uri(h: *mut nbd_handle, uri: *const c_char) -> c_int {
    // SAFETY: NULL, or a string that outlives the call.
    let uri = unsafe { Text::new(uri) };
    locked!(NBD_IS_URI(h, uri: uri), |_connection| Ok(is_nbd_uri(uri.get())))
}
