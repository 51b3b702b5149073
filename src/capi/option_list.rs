// SPDX-License-Identifier: LGPL-2.1-or-later

//! Options that the server answers with a list.

use libc::{c_char, c_int};

use super::entry::{locked, waiting};
use super::opaque::nbd_handle;
use super::trace::Strings;
use crate::handle::callback::{nbd_completion_callback, nbd_context_callback, nbd_list_callback};
use crate::handle::Options;

/// Error messages for lists that the server refuses.
const LIST_FAILED: &str = "server replied with error to list request";
const META_CONTEXT_FAILED: &str = "server replied with error to meta context request";

/// Converts the number of replies to an `int`.
fn count(replies: u32) -> c_int {
    c_int::try_from(replies).unwrap_or(c_int::MAX)
}

/// Lists the exports of the server.
///
/// Use it in option mode (`nbd_set_opt_mode`), for example to let the user choose an
/// export. The call returns when the list is complete; `nbd_aio_opt_list` does not
/// wait.
///
/// A server need not support this, and may list only some of its exports. If an
/// error occurs after part of the list has arrived, the callback has already been
/// called for that part.
///
/// The arguments of the callback are:
///
/// - `user_data`: the pointer from the callback struct.
/// - `name`: name of the export, for `nbd_set_export_name`.
/// - `description`: description of the export, or "". Both strings are valid only
///   during the call.
///
/// The return value of the callback is ignored. The callback must not call functions
/// on this handle, with a few exceptions: see libnbd(3), "Inside a callback".
///
/// # Parameters
///
/// - `list_callback`: called for each export. It is freed before the call returns.
///
/// # Result
///
/// The number of exports listed, or -1 on error.
///
/// # Errors
///
/// - `ENOTSUP`: the server replied with an error, or does not support options.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_LIST.
///
/// # Example
///
/// ```c
/// static int
/// print_export (void *user_data, const char *name,
///               const char *description)
/// {
///   printf ("%s: %s\n", name, description);
///   return 0;
/// }
/// ```
///
/// ```c
/// nbd_list_callback callback = { .callback = print_export };
///
/// if (nbd_set_opt_mode (nbd, true) == -1 ||
///     nbd_connect_uri (nbd, "nbd://localhost") == -1 ||
///     nbd_opt_list (nbd, callback) == -1)
///   return -1;
/// return nbd_opt_abort (nbd);
/// ```
///
/// # See also
///
/// `nbd_aio_opt_list`, `nbd_set_export_name`, `nbd_opt_info`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_opt_list(
    h: *mut nbd_handle,
    list_callback: nbd_list_callback,
) -> c_int {
    waiting!(NBD_OPT_LIST(h, list: &list_callback), async |connection| {
        let ask = |mut options: Options<'_>, done| options.list(list_callback, done);
        connection.until_answered(LIST_FAILED, ask).await.map(count)
    })
}

/// Starts listing the exports of the server.
///
/// This is the asynchronous form of `nbd_opt_list`. The call does not wait for the
/// answer. Call `nbd_poll`, or run a main loop of your own, while
/// `nbd_aio_is_connecting` returns 1. Only the callbacks receive the result.
///
/// # Parameters
///
/// - `list_callback`: called for each export; see `nbd_opt_list`.
/// - `completion_callback`: called once when the server has answered, with an errno
///   in `error`, or 0 on success. Its return value is ignored. Pass
///   `NBD_NULL_COMPLETION` for no callback.
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

/// Lists the meta contexts of the export.
///
/// Use it in option mode, after `nbd_set_export_name`, to find out what a server
/// supports. The queries are the names from `nbd_add_meta_context`. If there are
/// none, most servers list all of their contexts. A listed name may stand for a
/// group of contexts, such as a namespace without a leaf name. To use contexts,
/// negotiate them (`nbd_opt_set_meta_context` or `nbd_opt_go`).
///
/// The callback is called with its `user_data` and the `name` of each context. The
/// string is valid only during the call. The return value is ignored. The callback
/// must not call functions on this handle, with a few exceptions: see libnbd(3),
/// "Inside a callback".
///
/// # Parameters
///
/// - `context_callback`: called for each name in the reply. It is freed before the
///   call returns.
///
/// # Result
///
/// The number of names in the reply, or -1 on error.
///
/// # Errors
///
/// - `ENOTSUP`: the server replied with an error, or does not support options.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_LIST_META_CONTEXT.
///
/// # See also
///
/// `nbd_aio_opt_list_meta_context`, `nbd_opt_list_meta_context_queries`,
/// `nbd_opt_set_meta_context`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_opt_list_meta_context(
    h: *mut nbd_handle,
    context_callback: nbd_context_callback,
) -> c_int {
    waiting!(
        NBD_OPT_LIST_META_CONTEXT(h, context: &context_callback),
        async |c| {
            let ask = |mut options: Options<'_>, done| {
                options.list_meta_context(context_callback, done)
            };
            c.until_answered(META_CONTEXT_FAILED, ask).await.map(count)
        }
    )
}

/// Starts listing the meta contexts of the export.
///
/// This is the asynchronous form of `nbd_opt_list_meta_context`. The call does not
/// wait for the answer. Call `nbd_poll`, or run a main loop of your own, while
/// `nbd_aio_is_connecting` returns 1. Only the callbacks receive the result.
///
/// # Parameters
///
/// - `context_callback`: called for each name; see `nbd_opt_list_meta_context`.
/// - `completion_callback`: called once when the server has answered, with an errno
///   in `error`, or 0 on success. Its return value is ignored. Pass
///   `NBD_NULL_COMPLETION` for no callback.
///
/// # Result
///
/// 0 on success, or -1 on error. The number of names is not known yet.
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

/// Lists the meta contexts that match a list of queries.
///
/// This is `nbd_opt_list_meta_context` with an explicit list of queries. The names
/// from `nbd_add_meta_context` are neither used nor changed.
///
/// # Parameters
///
/// - `queries`: NULL-terminated list of meta context names, which are copied.
/// - `context_callback`: see `nbd_opt_list_meta_context`.
///
/// # Result
///
/// The number of names in the reply, or -1 on error.
///
/// # Errors
///
/// - `E2BIG`: the total length of the queries is more than 4 GiB.
/// - `ENOMEM`: there is not enough memory to send the queries.
/// - `ENOTSUP`: the server replied with an error, or does not support options.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_LIST_META_CONTEXT.
///
/// # See also
///
/// `nbd_aio_opt_list_meta_context_queries`, `nbd_opt_list_meta_context`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_opt_list_meta_context_queries(
    h: *mut nbd_handle,
    queries: *mut *mut c_char,
    context_callback: nbd_context_callback,
) -> c_int {
    // SAFETY: NULL, or a list that outlives the call.
    let queries = unsafe { Strings::new(queries) };
    waiting!(
        NBD_OPT_LIST_META_CONTEXT_QUERIES(h, queries: queries, context: &context_callback),
        async |c| {
            let ask = |mut options: Options<'_>, done| {
                options.list_meta_context_queries(queries.get()?, context_callback, done)
            };
            c.until_answered(META_CONTEXT_FAILED, ask).await.map(count)
        }
    )
}

/// Starts listing the meta contexts that match queries.
///
/// This is the asynchronous form of `nbd_opt_list_meta_context_queries`. The call
/// does not wait for the answer. Call `nbd_poll`, or run a main loop of your own,
/// while `nbd_aio_is_connecting` returns 1. Only the callbacks receive the result.
///
/// # Parameters
///
/// - `queries`: NULL-terminated list of meta context names, which are copied.
/// - `context_callback`: called for each name; see `nbd_opt_list_meta_context`.
/// - `completion_callback`: called once when the server has answered, with an errno
///   in `error`, or 0 on success. Its return value is ignored. Pass
///   `NBD_NULL_COMPLETION` for no callback.
///
/// # Result
///
/// 0 on success, or -1 on error. The number of names is not known yet.
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
    // SAFETY: NULL, or a list that outlives the call.
    let queries = unsafe { Strings::new(queries) };
    locked!(
        NBD_AIO_OPT_LIST_META_CONTEXT_QUERIES(
            h,
            queries: queries,
            context: &context_callback,
            completion: &completion_callback,
        ),
        |connection| connection.options().list_meta_context_queries(
            queries.get()?,
            context_callback,
            completion_callback,
        )
    )
}

/// Negotiates the meta contexts of the handle.
///
/// Use it in option mode to learn which contexts the server accepts before opening
/// the export. `nbd_opt_go` negotiates them too, so turn that off with
/// `nbd_set_request_meta_context` if you call this function. The queries are the
/// names from `nbd_add_meta_context`.
///
/// The accepted contexts replace those negotiated previously. They stay in effect
/// until the next negotiation, or until `nbd_set_export_name` is called.
/// `nbd_can_meta_context` reports them.
///
/// To test servers, the function can also be called with an empty list of names or
/// without structured replies.
///
/// The callback is called with its `user_data` and the `name` of each accepted
/// context. The string is valid only during the call. The return value is ignored.
/// The callback must not call functions on this handle, with a few exceptions:
/// see libnbd(3), "Inside a callback".
///
/// # Parameters
///
/// - `context_callback`: called for each accepted context. It is freed before the
///   call returns.
///
/// # Result
///
/// The number of accepted contexts, or -1 on error.
///
/// # Errors
///
/// - `ENOTSUP`: the server replied with an error, or does not support options.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_SET_META_CONTEXT.
///
/// # See also
///
/// `nbd_aio_opt_set_meta_context`, `nbd_opt_set_meta_context_queries`,
/// `nbd_can_meta_context`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_opt_set_meta_context(
    h: *mut nbd_handle,
    context_callback: nbd_context_callback,
) -> c_int {
    waiting!(
        NBD_OPT_SET_META_CONTEXT(h, context: &context_callback),
        async |c| {
            let ask = |mut options: Options<'_>, done| {
                options.set_meta_context(context_callback, done)
            };
            c.until_answered(META_CONTEXT_FAILED, ask).await.map(count)
        }
    )
}

/// Starts negotiating the meta contexts of the handle.
///
/// This is the asynchronous form of `nbd_opt_set_meta_context`. The call does not
/// wait for the answer. Call `nbd_poll`, or run a main loop of your own, while
/// `nbd_aio_is_connecting` returns 1. Then `nbd_can_meta_context` returns which
/// contexts the server accepted.
///
/// # Parameters
///
/// - `context_callback`: called for each accepted context; see
///   `nbd_opt_set_meta_context`.
/// - `completion_callback`: called once when the server has answered, with an errno
///   in `error`, or 0 on success. Its return value is ignored. Pass
///   `NBD_NULL_COMPLETION` for no callback.
///
/// # Result
///
/// 0 on success, or -1 on error. The number of contexts is not known yet.
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

/// Negotiates the meta contexts in a list of queries.
///
/// This is `nbd_opt_set_meta_context` with an explicit list of queries. The names
/// from `nbd_add_meta_context` are neither used nor changed.
///
/// # Parameters
///
/// - `queries`: NULL-terminated list of meta context names, which are copied.
/// - `context_callback`: see `nbd_opt_set_meta_context`.
///
/// # Result
///
/// The number of accepted contexts, or -1 on error.
///
/// # Errors
///
/// - `E2BIG`: the total length of the queries is more than 4 GiB.
/// - `ENOMEM`: there is not enough memory to send the queries.
/// - `ENOTSUP`: the server replied with an error, or does not support options.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_SET_META_CONTEXT.
///
/// # See also
///
/// `nbd_aio_opt_set_meta_context_queries`, `nbd_opt_set_meta_context`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_opt_set_meta_context_queries(
    h: *mut nbd_handle,
    queries: *mut *mut c_char,
    context_callback: nbd_context_callback,
) -> c_int {
    // SAFETY: NULL, or a list that outlives the call.
    let queries = unsafe { Strings::new(queries) };
    waiting!(
        NBD_OPT_SET_META_CONTEXT_QUERIES(h, queries: queries, context: &context_callback),
        async |c| {
            let ask = |mut options: Options<'_>, done| {
                options.set_meta_context_queries(queries.get()?, context_callback, done)
            };
            c.until_answered(META_CONTEXT_FAILED, ask).await.map(count)
        }
    )
}

/// Starts negotiating the meta contexts in a list of queries.
///
/// This is the asynchronous form of `nbd_opt_set_meta_context_queries`. The call
/// does not wait for the answer. Call `nbd_poll`, or run a main loop of your own,
/// while `nbd_aio_is_connecting` returns 1. Then `nbd_can_meta_context` returns
/// which contexts the server accepted.
///
/// # Parameters
///
/// - `queries`: NULL-terminated list of meta context names, which are copied.
/// - `context_callback`: called for each accepted context; see
///   `nbd_opt_set_meta_context`.
/// - `completion_callback`: called once when the server has answered, with an errno
///   in `error`, or 0 on success. Its return value is ignored. Pass
///   `NBD_NULL_COMPLETION` for no callback.
///
/// # Result
///
/// 0 on success, or -1 on error. The number of contexts is not known yet.
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
    // SAFETY: NULL, or a list that outlives the call.
    let queries = unsafe { Strings::new(queries) };
    locked!(
        NBD_AIO_OPT_SET_META_CONTEXT_QUERIES(
            h,
            queries: queries,
            context: &context_callback,
            completion: &completion_callback,
        ),
        |connection| connection.options().set_meta_context_queries(
            queries.get()?,
            context_callback,
            completion_callback,
        )
    )
}
