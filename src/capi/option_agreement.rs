// SPDX-License-Identifier: LGPL-2.1-or-later

//! Options that the server accepts or refuses.

use libc::c_int;

use super::entry::{locked, waiting};
use super::opaque::nbd_handle;
use crate::handle::callback::nbd_completion_callback;

/// Requests TLS in option mode.
///
/// Use it only to test servers. Other programs call `nbd_set_tls`: the library then
/// requests TLS before option mode begins. Only `LIBNBD_TLS_REQUIRE` guarantees that
/// nothing is sent in plaintext.
///
/// The call returns when TLS is in use or the server has refused. A second request
/// is a protocol error, which servers refuse; TLS then stays in use.
///
/// # Result
///
/// 1 if TLS is in use, 0 if the server refused, -1 on error. After an error the
/// connection is usually lost.
///
/// # Errors
///
/// - `ENOTSUP`: TLS is not available (`nbd_supports_tls`).
///
/// # Standards
///
/// NBD protocol, NBD_OPT_STARTTLS.
///
/// # See also
///
/// `nbd_aio_opt_starttls`, `nbd_set_tls`, `nbd_get_tls_negotiated`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_opt_starttls(h: *mut nbd_handle) -> c_int {
    waiting!(NBD_OPT_STARTTLS(h), async |connection| connection
        .until_answered(
            "failed to get response to opt_starttls request",
            |mut options, done| options.starttls(done)
        )
        .await
        .map(|agreed| agreed != 0))
}

/// Starts a request for TLS in option mode.
///
/// This is the asynchronous form of `nbd_opt_starttls`. The call does not wait for
/// the answer. Call `nbd_poll`, or run a main loop of your own, while
/// `nbd_aio_is_connecting` returns 1. The callback receives the answer.
///
/// # Parameters
///
/// - `completion_callback`: called once when the server has answered, with an errno
///   in `error`, or 0 on success. Its return value is ignored. Pass
///   `NBD_NULL_COMPLETION` for no callback.
///
/// # Errors
///
/// - `ENOTSUP`: TLS is not available (`nbd_supports_tls`).
///
/// # Standards
///
/// NBD protocol, NBD_OPT_STARTTLS.
///
/// # See also
///
/// `nbd_opt_starttls`, `nbd_aio_is_connecting`; libnbd(3), "CALLBACKS".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_opt_starttls(
    h: *mut nbd_handle,
    completion_callback: nbd_completion_callback,
) -> c_int {
    locked!(
        NBD_AIO_OPT_STARTTLS(h, completion: &completion_callback),
        |connection| connection.options().starttls(completion_callback)
    )
}

/// Requests extended headers in option mode.
///
/// Use it only to test servers. Extended headers are requested before option mode
/// begins, unless `nbd_set_request_extended_headers` turns that off. The call
/// returns when the server has answered. If the server refuses a second request,
/// extended headers stay in use.
///
/// # Result
///
/// 1 if the server agrees, which includes structured replies; 0 if it refuses; -1 on
/// error.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_EXTENDED_HEADERS.
///
/// # See also
///
/// `nbd_aio_opt_extended_headers`, `nbd_get_extended_headers_negotiated`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_opt_extended_headers(h: *mut nbd_handle) -> c_int {
    waiting!(NBD_OPT_EXTENDED_HEADERS(h), async |connection| connection
        .until_answered(
            "failed to get response to opt_extended_headers request",
            |mut options, done| options.extended_headers(done)
        )
        .await
        .map(|agreed| agreed != 0))
}

/// Starts a request for extended headers in option mode.
///
/// This is the asynchronous form of `nbd_opt_extended_headers`. The call does not
/// wait for the answer. Call `nbd_poll`, or run a main loop of your own, while
/// `nbd_aio_is_connecting` returns 1. The callback receives the answer.
///
/// # Parameters
///
/// - `completion_callback`: called once when the server has answered, with an errno
///   in `error`, or 0 on success. Its return value is ignored. Pass
///   `NBD_NULL_COMPLETION` for no callback.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_EXTENDED_HEADERS.
///
/// # See also
///
/// `nbd_opt_extended_headers`, `nbd_aio_is_connecting`; libnbd(3), "CALLBACKS".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_opt_extended_headers(
    h: *mut nbd_handle,
    completion_callback: nbd_completion_callback,
) -> c_int {
    locked!(
        NBD_AIO_OPT_EXTENDED_HEADERS(h, completion: &completion_callback),
        |connection| connection.options().extended_headers(completion_callback)
    )
}

/// Requests structured replies in option mode.
///
/// Use it only to test servers. Structured replies are requested before option mode
/// begins, unless `nbd_set_request_structured_replies` turns that off. The call
/// returns when the server has answered. If the server refuses a second request, or
/// a request made after extended headers were negotiated, structured replies stay
/// in use.
///
/// # Result
///
/// 1 if the server agrees, 0 if it refuses, -1 on error.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_STRUCTURED_REPLY.
///
/// # See also
///
/// `nbd_aio_opt_structured_reply`, `nbd_get_structured_replies_negotiated`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_opt_structured_reply(h: *mut nbd_handle) -> c_int {
    waiting!(NBD_OPT_STRUCTURED_REPLY(h), async |connection| connection
        .until_answered(
            "failed to get response to opt_structured_reply request",
            |mut options, done| options.structured_reply(done)
        )
        .await
        .map(|agreed| agreed != 0))
}

/// Starts a request for structured replies in option mode.
///
/// This is the asynchronous form of `nbd_opt_structured_reply`. The call does not
/// wait for the answer. Call `nbd_poll`, or run a main loop of your own, while
/// `nbd_aio_is_connecting` returns 1. The callback receives the answer.
///
/// # Parameters
///
/// - `completion_callback`: called once when the server has answered, with an errno
///   in `error`, or 0 on success. Its return value is ignored. Pass
///   `NBD_NULL_COMPLETION` for no callback.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_STRUCTURED_REPLY.
///
/// # See also
///
/// `nbd_opt_structured_reply`, `nbd_aio_is_connecting`; libnbd(3), "CALLBACKS".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_opt_structured_reply(
    h: *mut nbd_handle,
    completion_callback: nbd_completion_callback,
) -> c_int {
    locked!(
        NBD_AIO_OPT_STRUCTURED_REPLY(h, completion: &completion_callback),
        |connection| connection.options().structured_reply(completion_callback)
    )
}
