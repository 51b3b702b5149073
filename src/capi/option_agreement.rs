// SPDX-License-Identifier: LGPL-2.1-or-later

//! Options that the server agrees to or refuses: how the rest of the connection looks.

use libc::c_int;

use super::entry::{locked, waiting};
use super::opaque::nbd_handle;
use crate::handle::callback::nbd_completion_callback;

/// Asks the server for TLS, and waits until it is in force or refused.
///
/// This is for testing servers. With a setting of `nbd_set_tls` other than
/// `LIBNBD_TLS_DISABLE`, TLS was asked for before option mode began; and only
/// `LIBNBD_TLS_REQUIRE` makes sure that nothing is said before it is in force. A
/// second request is a mistake, which servers refuse; TLS then goes on as it was.
///
/// # Result
///
/// 1 when TLS is in force, 0 when the server refused, -1 when there is no answer
/// or TLS could not be set up; mostly the connection is lost then.
///
/// # Errors
///
/// - `ENOTSUP`: there is no TLS here, see `nbd_supports_tls`.
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

/// Asks the server for TLS, without waiting for the answer.
///
/// The request is as in `nbd_opt_starttls`. `nbd_aio_is_connecting` is true until
/// the answer is there; only the callback hears what it was.
///
/// # Parameters
///
/// - `completion_callback`: called once with the answer, its errno in `error`, or
///   0; retired whatever it returns. May be NULL.
///
/// # Errors
///
/// - `ENOTSUP`: there is no TLS here, see `nbd_supports_tls`.
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

/// Asks the server for extended headers, and waits for the answer.
///
/// This is for testing servers: unless `nbd_set_request_extended_headers` was set
/// to false, they were asked for before option mode began. A server may refuse a
/// second request; they stay in force then.
///
/// # Result
///
/// 1 when the server agrees, which includes structured replies; 0 when it
/// refuses; -1 when there is no answer.
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

/// Asks the server for extended headers, without waiting for the answer.
///
/// The request is as in `nbd_opt_extended_headers`. `nbd_aio_is_connecting` is
/// true until the answer is there; only the callback hears what it was.
///
/// # Parameters
///
/// - `completion_callback`: called once with the answer, its errno in `error`, or
///   0; retired whatever it returns. May be NULL.
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

/// Asks the server for structured replies, and waits for the answer.
///
/// This is for testing servers: unless `nbd_set_request_structured_replies` was
/// set to false, they were asked for before option mode began. A server may
/// refuse a second request, or one after extended headers; they stay in force
/// then.
///
/// # Result
///
/// 1 when the server agrees, 0 when it refuses, -1 when there is no answer.
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

/// Asks the server for structured replies, without waiting for the answer.
///
/// The request is as in `nbd_opt_structured_reply`. `nbd_aio_is_connecting` is
/// true until the answer is there; only the callback hears what it was.
///
/// # Parameters
///
/// - `completion_callback`: called once with the answer, its errno in `error`, or
///   0; retired whatever it returns. May be NULL.
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
