// SPDX-License-Identifier: LGPL-2.1-or-later

//! The export: which one of the server is wanted, and what is asked about it.

use libc::{c_char, c_int};

use super::boolean::c_bool;
use super::entry::locked;
use super::opaque::nbd_handle;
use super::trace::Text;
use crate::memory;

/// Sets the name of the export to ask the server for.
///
/// A server may offer several disks, each under a name; "" asks for the one that
/// the server takes as its default, and is what a new handle asks for. Set the
/// name before connecting. In option mode (`nbd_set_opt_mode`) it can be changed
/// between options too, for instance to one that `nbd_opt_list` has shown; what
/// was known of the export of before is then forgotten. A URI given to
/// `nbd_connect_uri` sets the name by itself.
///
/// Servers that speak the oldstyle protocol have one export without a name, and
/// never see this one.
///
/// # Parameters
///
/// - `export_name`: the name in UTF-8, at most 4096 bytes. It is copied.
///
/// # Errors
///
/// - `ENAMETOOLONG`: the name is longer than the protocol allows.
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
    // SAFETY: NULL or a string of the caller's, there for the length of the call.
    let export_name = unsafe { Text::new(export_name) };
    locked!(
        NBD_SET_EXPORT_NAME(h, export_name: export_name),
        |connection| connection.setup().set_export_name(export_name.get())
    )
}

/// Returns the name of the export that the handle asks for.
///
/// It is the name that the program chose. The server may know the export under
/// another one, see `nbd_get_canonical_export_name`.
///
/// # Result
///
/// The name, for the caller to free, or NULL.
///
/// # See also
///
/// `nbd_set_export_name`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_export_name(h: *mut nbd_handle) -> *mut c_char {
    locked!(NBD_GET_EXPORT_NAME(h), |connection| Ok(memory::copy(
        &connection.setup().requests().export_name
    )?))
}

/// Sets whether to ask the server for its block sizes.
///
/// A client that asks for the block sizes of an export promises to keep to them,
/// and a server with special needs may refuse one that does not ask. A server
/// may also tell them unasked. Whenever they are known, `nbd_get_block_size`
/// gives them and requests are checked against them, see `nbd_set_strict_mode`.
/// The setting is there to see what servers do with clients that do not ask.
///
/// # Parameters
///
/// - `request`: whether to ask; true at first.
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

/// Returns whether the server is asked for its block sizes.
///
/// That is the setting of `nbd_set_request_block_size`, true at first. What the
/// server told is in `nbd_get_block_size`.
///
/// # Result
///
/// 1 for yes, 0 for no, or -1 on error.
///
/// # See also
///
/// `nbd_set_request_block_size`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_request_block_size(h: *mut nbd_handle) -> c_int {
    locked!(NBD_GET_REQUEST_BLOCK_SIZE(h), |connection| Ok(connection
        .setup()
        .requests()
        .request_block_size))
}

/// Sets whether to ask the server to name and describe the export.
///
/// Neither is needed to read and write, so a connection does not ask for them on
/// its own. A server may tell them unasked, and may keep them to itself although
/// it was asked. Block sizes are asked for apart from these, see
/// `nbd_set_request_block_size`.
///
/// # Parameters
///
/// - `request`: whether to ask; false at first.
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

/// Returns whether the server is asked to name and describe the export.
///
/// That is the setting of `nbd_set_full_info`, false at first. It says nothing
/// of whether the server told them.
///
/// # Result
///
/// 1 for yes, 0 for no, or -1 on error.
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

/// Returns the name that the server itself uses for the export.
///
/// It may differ from the one asked for, above all when that was "", the
/// default export. Few servers tell it unless asked, see `nbd_set_full_info`.
///
/// # Result
///
/// The name, for the caller to free, or NULL.
///
/// # Errors
///
/// - `ENOTSUP`: the server did not tell a name.
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

/// Returns what the server says of the export, in words.
///
/// The text is for people. Few servers tell it unless asked, see
/// `nbd_set_full_info`.
///
/// # Result
///
/// The description, for the caller to free, or NULL.
///
/// # Errors
///
/// - `ENOTSUP`: the server did not tell a description.
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
