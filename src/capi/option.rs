// SPDX-License-Identifier: LGPL-2.1-or-later

//! Option mode: the program, not the library, decides what is negotiated, and
//! these calls wait for the server's answer.

use libc::{c_char, c_int};

use super::boolean::c_bool;
use super::entry::locked;
use super::opaque::nbd_handle;
use super::trace::Strings;
use crate::handle::callback::{nbd_context_callback, nbd_list_callback};
use crate::handle::Options;

/// Why calls fail that could not even be sent.
const LIST_FAILED: &str = "server replied with error to list request";
const META_CONTEXT_FAILED: &str = "server replied with error to meta context request";

/// The number of replies in C's terms.
fn count(replies: u32) -> c_int {
    c_int::try_from(replies).unwrap_or(c_int::MAX)
}

/// Sets whether connecting stops to let the program negotiate options.
///
/// Usually connecting goes all the way to a connection that reads and writes. In
/// option mode it stops in the negotiating state (`nbd_aio_is_negotiating`), and
/// the program calls the `nbd_opt_...` functions: to list the exports, say, and
/// to choose one. `nbd_opt_go` ends option mode with a connection that is ready,
/// `nbd_opt_abort` without one.
///
/// Before it stops, the connection still asks for TLS, extended headers and
/// structured replies as far as the settings say so. Turn those settings off to
/// do that with `nbd_opt_starttls` and its siblings.
///
/// A server that speaks the oldstyle protocol has no options: connecting to it
/// does not stop. Look at the state to know.
///
/// # Parameters
///
/// - `enable`: whether to stop; false at first.
///
/// # Standards
///
/// NBD protocol, "Fixed newstyle negotiation".
///
/// # See also
///
/// `nbd_get_opt_mode`, `nbd_aio_is_negotiating`, `nbd_opt_go`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_opt_mode(h: *mut nbd_handle, enable: c_bool) -> c_int {
    let enable = enable.get();
    locked!(NBD_SET_OPT_MODE(h, enable: enable), |c| {
        c.setup().requests().opt_mode = enable;
        Ok(())
    })
}

/// Returns whether connecting stops to let the program negotiate options.
///
/// That is the setting. Whether the handle is in option mode now is told by
/// `nbd_aio_is_negotiating`.
///
/// # Result
///
/// 1 for yes or 0 for no. With a valid handle this function does not fail.
///
/// # See also
///
/// `nbd_set_opt_mode`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_opt_mode(h: *mut nbd_handle) -> c_int {
    locked!(NBD_GET_OPT_MODE(h), |connection| Ok(connection
        .setup()
        .requests()
        .opt_mode))
}

/// Ends option mode: opens the export and waits until it is ready.
///
/// The export is the one of `nbd_set_export_name`. The meta contexts listed with
/// `nbd_add_meta_context` are asked for on the way, unless
/// `nbd_set_request_meta_context` says not to.
///
/// When the server refuses, the handle is mostly still negotiating, and another
/// export can be tried; some old servers end the connection instead.
///
/// # Errors
///
/// - `ENOENT`: the server has no such export.
/// - `ENOTSUP`, `EINVAL`, or none: the server has another reason to refuse, which
///   is in the text of the error.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_GO; NBD_OPT_EXPORT_NAME for servers that do not know it.
///
/// # See also
///
/// `nbd_aio_opt_go`, `nbd_set_opt_mode`, `nbd_opt_info`, `nbd_opt_abort`.
#[no_mangle]
pub unsafe extern "C" fn nbd_opt_go(h: *mut nbd_handle) -> c_int {
    locked!(NBD_OPT_GO(h), |connection| connection
        .until_option_done(|mut options, done| options.go(done))
        .map(drop))
}

/// Ends option mode and the connection, and waits until it is closed.
///
/// The server is told that no export is wanted. This is how a program leaves
/// that only wanted to see the list of exports, for instance.
///
/// Nothing is sent to a server that does not use the fixed newstyle handshake, and the
/// handle is dead instead of closed.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_ABORT.
///
/// # See also
///
/// `nbd_aio_opt_abort`, `nbd_shutdown`, `nbd_opt_go`.
#[no_mangle]
pub unsafe extern "C" fn nbd_opt_abort(h: *mut nbd_handle) -> c_int {
    locked!(NBD_OPT_ABORT(h), |connection| connection.abort_and_wait())
}

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
pub unsafe extern "C" fn nbd_opt_starttls(h: *mut nbd_handle) -> c_int {
    locked!(NBD_OPT_STARTTLS(h), |connection| connection
        .until_answered(
            "failed to get response to opt_starttls request",
            |mut options, done| options.starttls(done)
        )
        .map(|agreed| agreed != 0))
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
pub unsafe extern "C" fn nbd_opt_extended_headers(h: *mut nbd_handle) -> c_int {
    locked!(NBD_OPT_EXTENDED_HEADERS(h), |connection| connection
        .until_answered(
            "failed to get response to opt_extended_headers request",
            |mut options, done| options.extended_headers(done)
        )
        .map(|agreed| agreed != 0))
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
pub unsafe extern "C" fn nbd_opt_structured_reply(h: *mut nbd_handle) -> c_int {
    locked!(NBD_OPT_STRUCTURED_REPLY(h), |connection| connection
        .until_answered(
            "failed to get response to opt_structured_reply request",
            |mut options, done| options.structured_reply(done)
        )
        .map(|agreed| agreed != 0))
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
pub unsafe extern "C" fn nbd_opt_list(
    h: *mut nbd_handle,
    list_callback: nbd_list_callback,
) -> c_int {
    locked!(NBD_OPT_LIST(h, list: &list_callback), |connection| {
        let ask = |mut options: Options<'_>, done| options.list(list_callback, done);
        connection.until_answered(LIST_FAILED, ask).map(count)
    })
}

/// Asks the server about the export without opening it, and waits.
///
/// The export is the one of `nbd_set_export_name`. Afterwards `nbd_get_size`,
/// `nbd_is_read_only` and the other functions that tell of an export do so; and
/// so does `nbd_can_meta_context`, unless `nbd_set_request_meta_context` was set
/// to false. The handle is still negotiating: `nbd_opt_go` opens the export,
/// which the server may still refuse.
///
/// # Errors
///
/// - `ENOENT`: the server has no such export.
/// - `ENOTSUP`: the server does not know this option, though it may have the
///   export.
/// - `EINVAL`, or none: the server has another reason to refuse, which is in the
///   text of the error.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_INFO.
///
/// # Example
///
/// The size of an export that is not opened, in option mode:
///
/// ```c
/// if (nbd_set_export_name (nbd, "disk") == -1 ||
///     nbd_opt_info (nbd) == -1)
///   return -1;
/// printf ("%" PRIi64 "\n", nbd_get_size (nbd));
/// ```
///
/// # See also
///
/// `nbd_aio_opt_info`, `nbd_set_full_info`, `nbd_opt_go`.
#[no_mangle]
pub unsafe extern "C" fn nbd_opt_info(h: *mut nbd_handle) -> c_int {
    locked!(NBD_OPT_INFO(h), |connection| connection
        .until_option_done(|mut options, done| options.info(done))
        .map(drop))
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
pub unsafe extern "C" fn nbd_opt_list_meta_context(
    h: *mut nbd_handle,
    context_callback: nbd_context_callback,
) -> c_int {
    locked!(
        NBD_OPT_LIST_META_CONTEXT(h, context: &context_callback),
        |c| {
            let ask = |mut options: Options<'_>, done| {
                options.list_meta_context(context_callback, done)
            };
            c.until_answered(META_CONTEXT_FAILED, ask).map(count)
        }
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
pub unsafe extern "C" fn nbd_opt_list_meta_context_queries(
    h: *mut nbd_handle,
    queries: *mut *mut c_char,
    context_callback: nbd_context_callback,
) -> c_int {
    // SAFETY: NULL or a list of the caller's, there for the length of the call.
    let queries = unsafe { Strings::new(queries) };
    locked!(
        NBD_OPT_LIST_META_CONTEXT_QUERIES(h, queries: queries, context: &context_callback),
        |c| {
            let ask = |mut options: Options<'_>, done| {
                options.list_meta_context_queries(queries.get(), context_callback, done)
            };
            c.until_answered(META_CONTEXT_FAILED, ask).map(count)
        }
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
pub unsafe extern "C" fn nbd_opt_set_meta_context(
    h: *mut nbd_handle,
    context_callback: nbd_context_callback,
) -> c_int {
    locked!(
        NBD_OPT_SET_META_CONTEXT(h, context: &context_callback),
        |c| {
            let ask = |mut options: Options<'_>, done| {
                options.set_meta_context(context_callback, done)
            };
            c.until_answered(META_CONTEXT_FAILED, ask).map(count)
        }
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
pub unsafe extern "C" fn nbd_opt_set_meta_context_queries(
    h: *mut nbd_handle,
    queries: *mut *mut c_char,
    context_callback: nbd_context_callback,
) -> c_int {
    // SAFETY: NULL or a list of the caller's, there for the length of the call.
    let queries = unsafe { Strings::new(queries) };
    locked!(
        NBD_OPT_SET_META_CONTEXT_QUERIES(h, queries: queries, context: &context_callback),
        |c| {
            let ask = |mut options: Options<'_>, done| {
                options.set_meta_context_queries(queries.get(), context_callback, done)
            };
            c.until_answered(META_CONTEXT_FAILED, ask).map(count)
        }
    )
}
