// SPDX-License-Identifier: LGPL-2.1-or-later

//! Choosing and describing the export.

use libc::{c_char, c_int};

use super::boolean::c_bool;
use super::entry::locked;
use super::opaque::nbd_handle;
use super::trace::Text;
use crate::memory;

/// Sets the name of the export to open.
///
/// Call it before connecting to a server with several exports. In option mode
/// (`nbd_set_opt_mode`) you can also call it between options, for example with a
/// name from `nbd_opt_list`; this discards cached information about the previous
/// export. A URI passed to `nbd_connect_uri` sets the name too.
///
/// Servers that use the oldstyle protocol have only one export and ignore the name.
///
/// # Parameters
///
/// - `export_name`: the name in UTF-8, at most 4096 bytes. It is copied. The default
///   is "", the default export of the server.
///
/// # Errors
///
/// - `ENAMETOOLONG`: `export_name` is longer than 4096 bytes.
///
/// # Standards
///
/// NBD protocol, "String values", NBD_OPT_EXPORT_NAME and NBD_OPT_GO.
///
/// # See also
///
/// `nbd_get_export_name`, `nbd_get_canonical_export_name`, `nbd_opt_go`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_export_name(
    h: *mut nbd_handle,
    export_name: *const c_char,
) -> c_int {
    // SAFETY: NULL, or a string that outlives the call.
    let export_name = unsafe { Text::new(export_name) };
    locked!(
        NBD_SET_EXPORT_NAME(h, export_name: export_name),
        |connection| connection.setup().set_export_name(export_name.get())
    )
}

/// Returns the name of the export to open.
///
/// This is the name set with `nbd_set_export_name` or by a URI. The server may use
/// another name for the export: see `nbd_get_canonical_export_name`.
///
/// # Result
///
/// The name, or NULL on error.
///
/// # See also
///
/// `nbd_set_export_name`, `nbd_get_canonical_export_name`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_export_name(h: *mut nbd_handle) -> *mut c_char {
    locked!(NBD_GET_EXPORT_NAME(h), |connection| Ok(memory::copy(
        &connection.setup().requests().export_name
    )?))
}

/// Sets whether to request block sizes from the server.
///
/// Turn it off only to test servers. A client that requests the block sizes of an
/// export promises to respect them, and a server may refuse a client that does not
/// request them. A server may also send them unrequested. If they are known,
/// `nbd_get_block_size` returns them and requests are checked against them
/// (`nbd_set_strict_mode`).
///
/// # Parameters
///
/// - `request`: true to request them; true is the default.
///
/// # Standards
///
/// NBD protocol, "Block size constraints" and NBD_INFO_BLOCK_SIZE.
///
/// # See also
///
/// `nbd_get_request_block_size`, `nbd_get_block_size`, `nbd_set_full_info`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_request_block_size(h: *mut nbd_handle, request: c_bool) -> c_int {
    let request = request.get();
    locked!(
        NBD_SET_REQUEST_BLOCK_SIZE(h, request: request),
        |connection| {
            connection.setup().requests().request_block_size = request;
            Ok(())
        }
    )
}

/// Checks whether block sizes are requested from the server.
///
/// Returns the setting of `nbd_set_request_block_size`. Use `nbd_get_block_size` for
/// the sizes themselves.
///
/// # Result
///
/// 1 for yes, 0 for no, -1 on error.
///
/// # See also
///
/// `nbd_set_request_block_size`, `nbd_get_block_size`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_request_block_size(h: *mut nbd_handle) -> c_int {
    locked!(NBD_GET_REQUEST_BLOCK_SIZE(h), |connection| Ok(connection
        .setup()
        .requests()
        .request_block_size))
}

/// Sets whether to request the export's name and description.
///
/// Call it with true before connecting if you need `nbd_get_canonical_export_name`
/// or `nbd_get_export_description`. A server may send this information without a
/// request, and may ignore a request.
///
/// # Parameters
///
/// - `request`: true to request it; false is the default.
///
/// # Standards
///
/// NBD protocol, NBD_INFO_NAME and NBD_INFO_DESCRIPTION.
///
/// # See also
///
/// `nbd_get_full_info`, `nbd_get_canonical_export_name`,
/// `nbd_get_export_description`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_full_info(h: *mut nbd_handle, request: c_bool) -> c_int {
    let request = request.get();
    locked!(NBD_SET_FULL_INFO(h, request: request), |connection| {
        connection.setup().requests().full_info = request;
        Ok(())
    })
}

/// Checks whether the export's name and description are requested.
///
/// Returns the setting of `nbd_set_full_info`. It does not show whether the server
/// sent them.
///
/// # Result
///
/// 1 for yes, 0 for no, -1 on error.
///
/// # See also
///
/// `nbd_set_full_info`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_full_info(h: *mut nbd_handle) -> c_int {
    locked!(NBD_GET_FULL_INFO(h), |connection| Ok(connection
        .setup()
        .requests()
        .full_info))
}

/// Returns the server's name for the export.
///
/// Use it to find out which export the server chose, especially if the requested
/// name was "", the default export. Most servers send the name only if
/// `nbd_set_full_info` was called before connecting.
///
/// # Result
///
/// The name, or NULL on error.
///
/// # Errors
///
/// - `ENOTSUP`: the server did not send a name.
///
/// # Standards
///
/// NBD protocol, NBD_INFO_NAME.
///
/// # See also
///
/// `nbd_get_export_name`, `nbd_set_full_info`, `nbd_opt_info`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_canonical_export_name(h: *mut nbd_handle) -> *mut c_char {
    locked!(NBD_GET_CANONICAL_EXPORT_NAME(h), |connection| connection
        .information()
        .canonical_export_name())
}

/// Returns the server's description of the export.
///
/// The description is human-readable text. Most servers send it only if
/// `nbd_set_full_info` was called before connecting.
///
/// # Result
///
/// The description, or NULL on error.
///
/// # Errors
///
/// - `ENOTSUP`: the server did not send a description.
///
/// # Standards
///
/// NBD protocol, NBD_INFO_DESCRIPTION.
///
/// # See also
///
/// `nbd_set_full_info`, `nbd_opt_info`, `nbd_opt_list`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_export_description(h: *mut nbd_handle) -> *mut c_char {
    locked!(NBD_GET_EXPORT_DESCRIPTION(h), |connection| connection
        .information()
        .export_description())
}
