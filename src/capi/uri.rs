// SPDX-License-Identifier: LGPL-2.1-or-later

//! URIs: what they may ask for, and URIs as text. `connect.rs` connects to
//! them.

use libc::{c_char, c_int};

use super::boolean::c_bool;
use super::entry::locked;
use super::opaque::nbd_handle;
use super::trace::{Mask, Text};
use crate::uri::is_nbd_uri;

/// Sets which transports URIs may use.
///
/// A program that takes URIs from others can limit here, before it connects, what
/// they can reach. Looking through the text of a URI for the same purpose is
/// easily fooled.
///
/// - `LIBNBD_ALLOW_TRANSPORT_TCP` (0x1): `nbd:` and `nbds:`
/// - `LIBNBD_ALLOW_TRANSPORT_UNIX` (0x2): `nbd+unix:` and `nbds+unix:`
/// - `LIBNBD_ALLOW_TRANSPORT_VSOCK` (0x4): `nbd+vsock:` and `nbds+vsock:`
/// - `LIBNBD_ALLOW_TRANSPORT_SSH` (0x8): `nbd+ssh:` and `nbds+ssh:`, which run
///   ssh(1)
///
/// # Parameters
///
/// - `mask`: the sum of those allowed; all of them at first.
///
/// # Errors
///
/// - `EINVAL`: a bit outside `LIBNBD_ALLOW_TRANSPORT_MASK` is set.
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

/// Sets whether URIs may, or have to, ask for TLS.
///
/// - `LIBNBD_TLS_DISABLE` (0): only URIs without TLS are accepted.
/// - `LIBNBD_TLS_ALLOW` (1): both kinds are; this is the default.
/// - `LIBNBD_TLS_REQUIRE` (2): only URIs with TLS are, such as `nbds:`.
///
/// # Parameters
///
/// - `tls`: one of the three.
///
/// # Errors
///
/// - `EINVAL`: `tls` is none of the three.
///
/// # See also
///
/// `nbd_connect_uri`, `nbd_set_tls`, `nbd_set_uri_allow_transports`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_uri_allow_tls(h: *mut nbd_handle, tls: c_int) -> c_int {
    locked!(NBD_SET_URI_ALLOW_TLS(h, tls: tls), |connection| connection.setup().set_uri_tls(tls))
}

/// Sets whether URIs may choose the ciphers of TLS.
///
/// They would do so with the parameter `tls-priority`. A priority string can
/// weaken the encryption and name local files, so it should only be allowed in
/// URIs from people who may do both.
///
/// # Parameters
///
/// - `allow`: whether they may; false at first.
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
/// They would do so with the parameters `tls-psk-file` and `tls-certificates`,
/// and the library would read those files. The path of a Unix domain socket is
/// not meant: `nbd_set_uri_allow_transports` is about that.
///
/// # Parameters
///
/// - `allow`: whether they may; false at first.
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

/// Returns a URI that leads to the same server and export.
///
/// It is put together from what the handle knows of the connection, and is no
/// promise: the server may be gone, or reachable from here only. Paths of keys
/// and certificates are in it, where they were set; keys are not.
///
/// # Result
///
/// The URI, for the caller to free, or NULL.
///
/// # Errors
///
/// - `EINVAL`: no URI can express how the handle was connected, for instance with
///   a socket of the program's or to a command.
/// - `EPROTONOSUPPORT`: nor can it express the address.
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

/// Returns whether a text looks like an NBD URI.
///
/// It does when it begins like one, with `nbd://` or another of the schemes that
/// `nbd_connect_uri` knows. Programs that take a URI or a file name can tell the
/// two apart with this; that the URI is right it does not say.
///
/// # Parameters
///
/// - `uri`: the text.
///
/// # Result
///
/// 1 for yes, 0 for no, or -1 on error.
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
    // SAFETY: NULL or a string of the caller's, there for the length of the call.
    let uri = unsafe { Text::new(uri) };
    locked!(NBD_IS_URI(h, uri: uri), |_connection| Ok(is_nbd_uri(uri.get())))
}
