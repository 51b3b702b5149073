// SPDX-License-Identifier: LGPL-2.1-or-later

//! Options that the server answers with a list: of exports, or of meta contexts.

use libc::{c_char, c_int};

use super::entry::{locked, waiting};
use super::opaque::nbd_handle;
use super::trace::Strings;
use crate::handle::callback::{nbd_completion_callback, nbd_context_callback, nbd_list_callback};
use crate::handle::Options;

/// Why calls fail that could not even be sent.
const LIST_FAILED: &str = "server replied with error to list request";
const META_CONTEXT_FAILED: &str = "server replied with error to meta context request";

/// The number of replies in C's terms.
fn count(replies: u32) -> c_int {
    c_int::try_from(replies).unwrap_or(c_int::MAX)
}

/// Asks the server which exports it has, and waits for the whole list.
///
/// A server need not tell: it may know no lists, keep its exports to itself, or
/// end the list with an error. What it named before that has been passed on.
///
/// # Parameters
///
/// - `list_callback`: called for each export with its `user_data`, the name, and
///   the description, which is "" where there is none. Both strings end with the
///   call: copy what is needed later. What it returns is ignored. It must not
///   call functions of libnbd on the same handle.
///
/// # Result
///
/// How many exports the server has named, or -1.
///
/// # Errors
///
/// - `ENOTSUP`: the server answered with an error, or has no options at all.
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

/// Asks the server which meta contexts the export has, and waits.
///
/// The queries are the names listed with `nbd_add_meta_context`; with an empty
/// list, servers mostly name every context that they have. A name that comes
/// back need not be that of a context: it may stand for several. What can be used
/// is told by `nbd_can_meta_context` after the contexts were asked for.
///
/// # Parameters
///
/// - `context_callback`: called for each reply with its `user_data` and the name,
///   which ends with the call. What it returns is ignored. It must not call
///   functions of libnbd on the same handle.
///
/// # Result
///
/// How many names the server has sent, or -1.
///
/// # Errors
///
/// - `ENOTSUP`: the server answered with an error, or has no options at all.
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

/// Asks the server which meta contexts answer to the queries, and waits.
///
/// This is `nbd_opt_list_meta_context` with queries of its own: those of the
/// handle are neither used nor changed.
///
/// # Parameters
///
/// - `queries`: names to ask for, with NULL at the end of the list. They are
///   copied.
/// - `context_callback`: as in `nbd_opt_list_meta_context`.
///
/// # Result
///
/// How many names the server has sent, or -1.
///
/// # Errors
///
/// - `E2BIG`: the queries are longer than 4 GiB together.
/// - `ENOMEM`: there is no memory to send them from.
/// - `ENOTSUP`: the server answered with an error, or has no options at all.
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
    // SAFETY: NULL or a list of the caller's, there for the length of the call.
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
            queries.get()?,
            context_callback,
            completion_callback,
        )
    )
}

/// Asks the server for the meta contexts of the handle, and waits.
///
/// `nbd_opt_go` does this by itself, unless `nbd_set_request_meta_context` says
/// not to. This call is for doing it at another moment. The queries are the names
/// listed with `nbd_add_meta_context`. Nothing stops a program from asking with an
/// empty list or without structured replies, to see what the server makes of it.
///
/// The contexts that the server agrees to are in force, and known to
/// `nbd_can_meta_context`, until they are asked for again, or the name of the
/// export is set.
///
/// # Parameters
///
/// - `context_callback`: called for each context that the server agrees to, with
///   its `user_data` and the name, which ends with the call. What it returns is
///   ignored. It must not call functions of libnbd on the same handle.
///
/// # Result
///
/// How many contexts the server has agreed to, or -1.
///
/// # Errors
///
/// - `ENOTSUP`: the server answered with an error, or has no options at all.
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

/// Asks the server for the meta contexts that it is given, and waits.
///
/// This is `nbd_opt_set_meta_context` with queries of its own: those of the
/// handle are neither used nor changed.
///
/// # Parameters
///
/// - `queries`: names to ask for, with NULL at the end of the list. They are
///   copied.
/// - `context_callback`: as in `nbd_opt_set_meta_context`.
///
/// # Result
///
/// How many contexts the server has agreed to, or -1.
///
/// # Errors
///
/// - `E2BIG`: the queries are longer than 4 GiB together.
/// - `ENOMEM`: there is no memory to send them from.
/// - `ENOTSUP`: the server answered with an error, or has no options at all.
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
    // SAFETY: NULL or a list of the caller's, there for the length of the call.
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
            queries.get()?,
            context_callback,
            completion_callback,
        )
    )
}
