// SPDX-License-Identifier: LGPL-2.1-or-later

//! Negotiation: what the connection asks for on its own during the handshake,
//! and what came of it.

use libc::c_int;

use super::boolean::c_bool;
use super::entry::locked;
use super::opaque::nbd_handle;
use super::outcome::Bits;
use super::trace::Mask;

/// Sets whether to ask the server for extended headers.
///
/// With them, lengths have 64 bits, so one request can trim, zero or describe
/// more than 4 GiB. Nothing is asked where structured replies are not to be
/// asked for either (`nbd_set_request_structured_replies`), since these come
/// with them. The setting is there to test servers.
///
/// # Parameters
///
/// - `request`: whether to ask; true at first.
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

/// Returns whether the server is asked for extended headers.
///
/// What it answered is told by `nbd_get_extended_headers_negotiated`.
///
/// # Result
///
/// 1 for yes or 0 for no. With a valid handle this function does not fail.
///
/// # See also
///
/// `nbd_set_request_extended_headers`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_request_extended_headers(h: *mut nbd_handle) -> c_int {
    locked!(NBD_GET_REQUEST_EXTENDED_HEADERS(h), |connection| Ok(
        connection.setup().requests().request_extended_headers
    ))
}

/// Returns whether the connection uses extended headers.
///
/// Where it does not, no request covers 4 GiB or more. Where it does, the server
/// may still have limits of its own. Block status should then be asked for with
/// `nbd_block_status_64`, since the flags of a context may have 64 bits too.
/// Once agreed on, they stay: that a second `nbd_opt_extended_headers` is refused
/// changes nothing.
///
/// # Result
///
/// 1 for yes, 0 for no, or -1 on error.
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

/// Sets whether to ask the server for structured replies.
///
/// They let a server answer a read in pieces and say which of them are holes,
/// and there are no meta contexts without them, nor `LIBNBD_CMD_FLAG_DF`. When
/// they are not asked for, extended headers are not asked for either. The
/// setting is there to test servers, and to leave it to `nbd_opt_structured_reply`
/// when to ask.
///
/// # Parameters
///
/// - `request`: whether to ask; true at first.
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

/// Returns whether the server is asked for structured replies.
///
/// What it answered is told by `nbd_get_structured_replies_negotiated`.
///
/// # Result
///
/// 1 for yes or 0 for no. With a valid handle this function does not fail.
///
/// # See also
///
/// `nbd_set_request_structured_replies`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_request_structured_replies(h: *mut nbd_handle) -> c_int {
    locked!(NBD_GET_REQUEST_STRUCTURED_REPLIES(h), |connection| {
        Ok(connection.setup().requests().request_structured_replies)
    })
}

/// Returns whether the connection uses structured replies.
///
/// It does with extended headers too, which include them. Once agreed on, they
/// stay: that a second `nbd_opt_structured_reply` is refused changes nothing.
///
/// # Result
///
/// 1 for yes, 0 for no, or -1 on error.
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

/// Sets whether connecting asks the server for the meta contexts by itself.
///
/// Those are the ones listed with `nbd_add_meta_context`, and asking for them is
/// part of connecting, or in option mode of `nbd_opt_go` and `nbd_opt_info`. It
/// can be turned off when that would be asking twice, as in `nbd_opt_info`
/// followed by `nbd_opt_go`, or when `nbd_opt_set_meta_context` does it. Where
/// nobody asks, `nbd_block_status` has nothing to tell.
///
/// # Parameters
///
/// - `request`: whether to ask; true at first.
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

/// Returns whether connecting asks the server for the meta contexts.
///
/// That is the setting of `nbd_set_request_meta_context`, true at first. What
/// the server agreed to is told by `nbd_can_meta_context`.
///
/// # Result
///
/// 1 for yes, 0 for no, or -1 on error.
///
/// # See also
///
/// `nbd_set_request_meta_context`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_request_meta_context(h: *mut nbd_handle) -> c_int {
    locked!(NBD_GET_REQUEST_META_CONTEXT(h), |connection| Ok(connection
        .setup()
        .requests()
        .request_meta_context))
}

/// Sets which handshake flags the client accepts from the server.
///
/// A flag is in force when the server offers it and the client accepts it. All
/// are accepted at first; the setting is there to act like an older client.
///
/// - `LIBNBD_HANDSHAKE_FLAG_FIXED_NEWSTYLE` (0x1): the server answers options
///   that it does not know instead of ending the connection. Without it there
///   are no options but the export's name: no TLS, no structured replies.
/// - `LIBNBD_HANDSHAKE_FLAG_NO_ZEROES` (0x2): the server leaves out 124 zero
///   bytes after NBD_OPT_EXPORT_NAME.
///
/// Flags may be added in later versions, so to turn one off, take it out of what
/// `nbd_get_handshake_flags` returns.
///
/// # Parameters
///
/// - `flags`: the sum of those accepted.
///
/// # Errors
///
/// - `EINVAL`: a bit outside `LIBNBD_HANDSHAKE_FLAG_MASK` is set.
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
/// Before connecting these are the ones that the client accepts; afterwards,
/// those of them that the server offered as well.
///
/// # Result
///
/// A sum of `LIBNBD_HANDSHAKE_FLAG_...`. With a valid handle this
/// function does not fail.
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
