// SPDX-License-Identifier: LGPL-2.1-or-later

//! Automatic negotiation.

use libc::c_int;

use super::boolean::c_bool;
use super::entry::locked;
use super::opaque::nbd_handle;
use super::outcome::Bits;
use super::trace::Mask;

/// Sets whether to request extended headers from the server.
///
/// Turn it off only to test servers. With extended headers, lengths have 64 bits,
/// so that a single command can zero, trim or query 4 GiB and more. Extended
/// headers include structured replies, so they are requested only if structured
/// replies are requested too (`nbd_set_request_structured_replies`).
///
/// # Parameters
///
/// - `request`: true to request them; true is the default.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_EXTENDED_HEADERS.
///
/// # See also
///
/// `nbd_get_extended_headers_negotiated`, `nbd_opt_extended_headers`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_request_extended_headers(
    h: *mut nbd_handle,
    request: c_bool,
) -> c_int {
    let request = request.get();
    locked!(
        NBD_SET_REQUEST_EXTENDED_HEADERS(h, request: request),
        |connection| {
            connection.setup().requests().request_extended_headers = request;
            Ok(())
        }
    )
}

/// Checks whether extended headers are requested from the server.
///
/// Returns the setting of `nbd_set_request_extended_headers`. After connecting,
/// `nbd_get_extended_headers_negotiated` returns the result.
///
/// # Result
///
/// 1 for yes, 0 for no. This function does not fail if `h` is a valid handle.
///
/// # See also
///
/// `nbd_set_request_extended_headers`, `nbd_get_extended_headers_negotiated`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_request_extended_headers(h: *mut nbd_handle) -> c_int {
    locked!(NBD_GET_REQUEST_EXTENDED_HEADERS(h), |connection| Ok(
        connection.setup().requests().request_extended_headers
    ))
}

/// Checks whether the connection uses extended headers.
///
/// Call it after connecting, before commands of 4 GiB and more. Once negotiated,
/// extended headers stay in use, even if the server refuses a second
/// `nbd_opt_extended_headers`.
///
/// # Result
///
/// 1 for yes, 0 for no, -1 on error.
///
/// # See also
///
/// `nbd_set_request_extended_headers`, `nbd_opt_extended_headers`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_extended_headers_negotiated(h: *mut nbd_handle) -> c_int {
    locked!(NBD_GET_EXTENDED_HEADERS_NEGOTIATED(h), |connection| {
        Ok(connection.information().negotiated().extended_headers)
    })
}

/// Sets whether to request structured replies from the server.
///
/// Turn it off only to test servers, or to request them later with
/// `nbd_opt_structured_reply`. With structured replies, a server can answer a read
/// in several chunks and mark holes. Meta contexts, extended headers and
/// `LIBNBD_CMD_FLAG_DF` depend on them.
///
/// # Parameters
///
/// - `request`: true to request them; true is the default.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_STRUCTURED_REPLY.
///
/// # See also
///
/// `nbd_get_structured_replies_negotiated`, `nbd_opt_structured_reply`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_request_structured_replies(
    h: *mut nbd_handle,
    request: c_bool,
) -> c_int {
    let request = request.get();
    locked!(
        NBD_SET_REQUEST_STRUCTURED_REPLIES(h, request: request),
        |connection| {
            connection.setup().requests().request_structured_replies = request;
            Ok(())
        }
    )
}

/// Checks whether structured replies are requested from the server.
///
/// Returns the setting of `nbd_set_request_structured_replies`. After connecting,
/// `nbd_get_structured_replies_negotiated` returns the result.
///
/// # Result
///
/// 1 for yes, 0 for no. This function does not fail if `h` is a valid handle.
///
/// # See also
///
/// `nbd_set_request_structured_replies`, `nbd_get_structured_replies_negotiated`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_request_structured_replies(h: *mut nbd_handle) -> c_int {
    locked!(NBD_GET_REQUEST_STRUCTURED_REPLIES(h), |connection| {
        Ok(connection.setup().requests().request_structured_replies)
    })
}

/// Checks whether the connection uses structured replies.
///
/// Call it after connecting. The result is also 1 with extended headers, which
/// include structured replies. Once negotiated, they stay in use, even if the server
/// refuses a second `nbd_opt_structured_reply`.
///
/// # Result
///
/// 1 for yes, 0 for no, -1 on error.
///
/// # See also
///
/// `nbd_set_request_structured_replies`, `nbd_opt_structured_reply`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_structured_replies_negotiated(h: *mut nbd_handle) -> c_int {
    locked!(NBD_GET_STRUCTURED_REPLIES_NEGOTIATED(h), |connection| {
        Ok(connection.information().negotiated().structured_replies)
    })
}

/// Sets whether meta contexts are requested automatically.
///
/// The automatic request sends the names from `nbd_add_meta_context` while
/// connecting, or in option mode in `nbd_opt_go` and `nbd_opt_info`. Turn it off in
/// option mode if you request the contexts yourself with `nbd_opt_set_meta_context`,
/// or to avoid a second request in `nbd_opt_go` after `nbd_opt_info`.
///
/// If no contexts are requested at all, `nbd_block_status_64` fails.
///
/// # Parameters
///
/// - `request`: true to request them automatically; true is the default.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_SET_META_CONTEXT.
///
/// # See also
///
/// `nbd_get_request_meta_context`, `nbd_add_meta_context`,
/// `nbd_opt_set_meta_context`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_request_meta_context(
    h: *mut nbd_handle,
    request: c_bool,
) -> c_int {
    let request = request.get();
    locked!(
        NBD_SET_REQUEST_META_CONTEXT(h, request: request),
        |connection| {
            connection.setup().requests().request_meta_context = request;
            Ok(())
        }
    )
}

/// Checks whether meta contexts are requested automatically.
///
/// Returns the setting of `nbd_set_request_meta_context`. After connecting,
/// `nbd_can_meta_context` returns the result for each context.
///
/// # Result
///
/// 1 for yes, 0 for no, -1 on error.
///
/// # See also
///
/// `nbd_set_request_meta_context`, `nbd_can_meta_context`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_request_meta_context(h: *mut nbd_handle) -> c_int {
    locked!(NBD_GET_REQUEST_META_CONTEXT(h), |connection| Ok(connection
        .setup()
        .requests()
        .request_meta_context))
}

/// Sets the handshake flags that the client accepts.
///
/// Use it only to test servers with the behaviour of an older client. A flag takes
/// effect if the server offers it and the client accepts it. All flags are accepted
/// by default:
///
/// - `LIBNBD_HANDSHAKE_FLAG_FIXED_NEWSTYLE` (0x1): the server replies to unknown
///   options instead of closing the connection. Without this flag, only the export
///   name can be negotiated: no TLS and no structured replies.
/// - `LIBNBD_HANDSHAKE_FLAG_NO_ZEROES` (0x2): the server omits 124 zero bytes after
///   NBD_OPT_EXPORT_NAME.
///
/// Later versions may add flags. To turn off a single flag, clear its bit in the
/// value of `nbd_get_handshake_flags`, as the example does.
///
/// # Parameters
///
/// - `flags`: a bitwise OR of the flags to accept.
///
/// # Errors
///
/// - `EINVAL`: `flags` has a bit outside `LIBNBD_HANDSHAKE_FLAG_MASK`.
///
/// # Standards
///
/// NBD protocol, "Handshake flags".
///
/// # Example
///
/// ```c
/// uint32_t flags = nbd_get_handshake_flags (nbd);
///
/// flags &= ~LIBNBD_HANDSHAKE_FLAG_NO_ZEROES;
/// return nbd_set_handshake_flags (nbd, flags);
/// ```
///
/// # See also
///
/// `nbd_get_handshake_flags`, `nbd_get_protocol`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_handshake_flags(h: *mut nbd_handle, flags: u32) -> c_int {
    locked!(
        NBD_SET_HANDSHAKE_FLAGS(h, flags: Mask(flags)),
        |connection| connection.setup().set_handshake_flags(flags)
    )
}

/// Returns the handshake flags.
///
/// Before connecting, these are the flags that the client accepts. After
/// connecting, they are the flags in effect, which the server offered and the
/// client accepted.
///
/// # Result
///
/// A bitwise OR of `LIBNBD_HANDSHAKE_FLAG_...` values. This function does not fail
/// if `h` is a valid handle.
///
/// # See also
///
/// `nbd_set_handshake_flags`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_handshake_flags(h: *mut nbd_handle) -> u32 {
    locked!(NBD_GET_HANDSHAKE_FLAGS(h), |connection| Ok(Bits(
        connection.setup().handshake_flags()
    )))
}
