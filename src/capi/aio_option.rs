// SPDX-License-Identifier: LGPL-2.1-or-later

//! Option mode without waiting: each call sends an option and returns.
//!
//! All of them end in the same way. While the server's answer is awaited, the
//! handle is connecting (`nbd_aio_is_connecting`), and no other option can be
//! sent. With the answer it is negotiating again, or ready, closed or dead, and
//! the completion callback is called.

use libc::{c_char, c_int};

use super::entry::locked;
use super::opaque::nbd_handle;
use super::trace::Strings;
use crate::handle::callback::{nbd_completion_callback, nbd_context_callback, nbd_list_callback};

/// Begins to end option mode and to open the export.
///
/// The request is as in `nbd_opt_go`. This call does not wait for the answer:
/// `nbd_aio_is_connecting` is true until it is there, `nbd_aio_is_ready` when the
/// export is open, and `nbd_aio_is_negotiating` when the server refused.
///
/// # Parameters
///
/// - `completion_callback`: called once with the answer, its errno in `error`, or
///   0; retired whatever it returns. May be NULL.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_GO.
///
/// # See also
///
/// `nbd_opt_go`, `nbd_aio_is_connecting`; libnbd(3), "CALLBACKS".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_opt_go(
    h: *mut nbd_handle,
    completion_callback: nbd_completion_callback,
) -> c_int {
    locked!(
        NBD_AIO_OPT_GO(h, completion: &completion_callback),
        |connection| connection.options().go(completion_callback)
    )
}

/// Begins to end option mode and the connection.
///
/// This call does not wait: `nbd_aio_is_closed` is true when it is done.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_ABORT.
///
/// # See also
///
/// `nbd_opt_abort`, `nbd_aio_disconnect`, `nbd_aio_is_closed`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_opt_abort(h: *mut nbd_handle) -> c_int {
    locked!(NBD_AIO_OPT_ABORT(h), |connection| connection
        .options()
        .abort())
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

/// Asks the server which exports it has, without waiting for the list.
///
/// The request is as in `nbd_opt_list`. `nbd_aio_is_connecting` is true until the
/// list has ended; only the callbacks hear what it was.
///
/// # Parameters
///
/// - `list_callback`: called for each export, as in `nbd_opt_list`.
/// - `completion_callback`: called once at the end, with an errno in `error`, or
///   0; retired whatever it returns. May be NULL.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_LIST.
///
/// # See also
///
/// `nbd_opt_list`, `nbd_aio_is_connecting`; libnbd(3), "CALLBACKS".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_opt_list(
    h: *mut nbd_handle,
    list_callback: nbd_list_callback,
    completion_callback: nbd_completion_callback,
) -> c_int {
    locked!(
        NBD_AIO_OPT_LIST(h, list: &list_callback, completion: &completion_callback),
        |connection| connection.options().list(list_callback, completion_callback)
    )
}

/// Asks the server about the export, without opening it and without waiting.
///
/// The request is as in `nbd_opt_info`. `nbd_aio_is_connecting` is true until the
/// answer is there; then the functions that tell of an export do so, if there is
/// one.
///
/// # Parameters
///
/// - `completion_callback`: called once with the answer, its errno in `error`, or
///   0; retired whatever it returns. May be NULL.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_INFO.
///
/// # See also
///
/// `nbd_opt_info`, `nbd_aio_is_connecting`; libnbd(3), "CALLBACKS".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_opt_info(
    h: *mut nbd_handle,
    completion_callback: nbd_completion_callback,
) -> c_int {
    locked!(
        NBD_AIO_OPT_INFO(h, completion: &completion_callback),
        |connection| connection.options().info(completion_callback)
    )
}

/// Asks the server which meta contexts the export has, without waiting.
///
/// The request is as in `nbd_opt_list_meta_context`. `nbd_aio_is_connecting` is
/// true until the list has ended; only the callbacks hear what it was.
///
/// # Parameters
///
/// - `context_callback`: called for each name, as in `nbd_opt_list_meta_context`.
/// - `completion_callback`: called once at the end, with an errno in `error`, or
///   0; retired whatever it returns. May be NULL.
///
/// # Result
///
/// 0, or -1: how many names there were is not known yet.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_LIST_META_CONTEXT.
///
/// # See also
///
/// `nbd_opt_list_meta_context`, `nbd_aio_opt_list_meta_context_queries`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_opt_list_meta_context(
    h: *mut nbd_handle,
    context_callback: nbd_context_callback,
    completion_callback: nbd_completion_callback,
) -> c_int {
    locked!(
        NBD_AIO_OPT_LIST_META_CONTEXT(
            h,
            context: &context_callback,
            completion: &completion_callback,
        ),
        |connection| connection.options().list_meta_context(context_callback, completion_callback)
    )
}

/// Asks the server which meta contexts answer to queries, without waiting.
///
/// The request is as in `nbd_opt_list_meta_context_queries`.
/// `nbd_aio_is_connecting` is true until the list has ended; only the callbacks
/// hear what it was.
///
/// # Parameters
///
/// - `queries`: names to ask for, with NULL at the end of the list. They are
///   copied.
/// - `context_callback`: called for each name, as in `nbd_opt_list_meta_context`.
/// - `completion_callback`: called once at the end, with an errno in `error`, or
///   0; retired whatever it returns. May be NULL.
///
/// # Result
///
/// 0, or -1: how many names there were is not known yet.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_LIST_META_CONTEXT.
///
/// # See also
///
/// `nbd_opt_list_meta_context_queries`, `nbd_aio_opt_list_meta_context`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_opt_list_meta_context_queries(
    h: *mut nbd_handle,
    queries: *mut *mut c_char,
    context_callback: nbd_context_callback,
    completion_callback: nbd_completion_callback,
) -> c_int {
    // SAFETY: NULL or a list of the caller's, there for the length of the call.
    let queries = unsafe { Strings::new(queries) };
    locked!(
        NBD_AIO_OPT_LIST_META_CONTEXT_QUERIES(
            h,
            queries: queries,
            context: &context_callback,
            completion: &completion_callback,
        ),
        |connection| connection.options().list_meta_context_queries(
            queries.get(),
            context_callback,
            completion_callback,
        )
    )
}

/// Asks the server for the meta contexts of the handle, without waiting.
///
/// The request is as in `nbd_opt_set_meta_context`. `nbd_aio_is_connecting` is
/// true until the answer is there; `nbd_can_meta_context` then tells what the
/// server has agreed to.
///
/// # Parameters
///
/// - `context_callback`: called for each context that the server agrees to, as in
///   `nbd_opt_set_meta_context`.
/// - `completion_callback`: called once at the end, with an errno in `error`, or
///   0; retired whatever it returns. May be NULL.
///
/// # Result
///
/// 0, or -1: how many contexts there were is not known yet.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_SET_META_CONTEXT.
///
/// # See also
///
/// `nbd_opt_set_meta_context`, `nbd_aio_opt_set_meta_context_queries`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_opt_set_meta_context(
    h: *mut nbd_handle,
    context_callback: nbd_context_callback,
    completion_callback: nbd_completion_callback,
) -> c_int {
    locked!(
        NBD_AIO_OPT_SET_META_CONTEXT(
            h,
            context: &context_callback,
            completion: &completion_callback,
        ),
        |connection| connection.options().set_meta_context(context_callback, completion_callback)
    )
}

/// Asks the server for the meta contexts that it is given, without waiting.
///
/// The request is as in `nbd_opt_set_meta_context_queries`.
/// `nbd_aio_is_connecting` is true until the answer is there;
/// `nbd_can_meta_context` then tells what the server has agreed to.
///
/// # Parameters
///
/// - `queries`: names to ask for, with NULL at the end of the list. They are
///   copied.
/// - `context_callback`: called for each context that the server agrees to, as in
///   `nbd_opt_set_meta_context`.
/// - `completion_callback`: called once at the end, with an errno in `error`, or
///   0; retired whatever it returns. May be NULL.
///
/// # Result
///
/// 0, or -1: how many contexts there were is not known yet.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_SET_META_CONTEXT.
///
/// # See also
///
/// `nbd_opt_set_meta_context_queries`, `nbd_aio_opt_set_meta_context`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_opt_set_meta_context_queries(
    h: *mut nbd_handle,
    queries: *mut *mut c_char,
    context_callback: nbd_context_callback,
    completion_callback: nbd_completion_callback,
) -> c_int {
    // SAFETY: NULL or a list of the caller's, there for the length of the call.
    let queries = unsafe { Strings::new(queries) };
    locked!(
        NBD_AIO_OPT_SET_META_CONTEXT_QUERIES(
            h,
            queries: queries,
            context: &context_callback,
            completion: &completion_callback,
        ),
        |connection| connection.options().set_meta_context_queries(
            queries.get(),
            context_callback,
            completion_callback,
        )
    )
}
