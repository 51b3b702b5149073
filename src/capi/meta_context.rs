// SPDX-License-Identifier: LGPL-2.1-or-later

//! Meta contexts to request.

use libc::{c_char, c_int, size_t, ssize_t};

use super::entry::locked;
use super::opaque::nbd_handle;
use super::trace::Text;

/// Adds a meta context to the list to request.
///
/// A meta context is a kind of metadata that the server can report for each range
/// of the export. Call this function before connecting, or in option mode before
/// `nbd_opt_go`, then query the metadata with `nbd_block_status_64`. After
/// connecting, `nbd_can_meta_context` returns whether the server supports a
/// context.
///
/// Names of contexts are:
///
/// - `base:allocation` (`LIBNBD_CONTEXT_BASE_ALLOCATION`): which ranges are
///   allocated, and which read as zeroes. Many servers support it.
/// - `qemu:dirty-bitmap:NAME`: which ranges a dirty bitmap of qemu-nbd(8) marks as
///   changed.
/// - `qemu:allocation-depth`: in which layer of a backing chain qemu-nbd(8) finds
///   the data.
///
/// # Parameters
///
/// - `name`: the name in UTF-8, at most 4096 bytes. It is copied. The list is
///   initially empty.
///
/// # Errors
///
/// - `ENAMETOOLONG`: `name` is longer than 4096 bytes.
///
/// # Standards
///
/// NBD protocol, "Metadata querying".
///
/// # Example
///
/// ```c
/// if (nbd_add_meta_context (nbd, LIBNBD_CONTEXT_BASE_ALLOCATION) == -1 ||
///     nbd_connect_uri (nbd, "nbd://localhost") == -1)
///   return -1;
/// if (nbd_can_meta_context (nbd, LIBNBD_CONTEXT_BASE_ALLOCATION) != 1)
///   fprintf (stderr, "the server does not report holes\n");
/// ```
///
/// # See also
///
/// `nbd_get_nr_meta_contexts`, `nbd_get_meta_context`, `nbd_clear_meta_contexts`,
/// `nbd_can_meta_context`, `nbd_set_request_meta_context`.
#[no_mangle]
pub unsafe extern "C" fn nbd_add_meta_context(h: *mut nbd_handle, name: *const c_char) -> c_int {
    // SAFETY: NULL, or a string that outlives the call.
    let name = unsafe { Text::new(name) };
    locked!(NBD_ADD_META_CONTEXT(h, name: name), |connection| {
        connection.setup().add_meta_context(name.get())
    })
}

/// Returns the number of meta contexts to request.
///
/// Use it with `nbd_get_meta_context` to iterate over the list. It does not show
/// which contexts the server supports: see `nbd_can_meta_context`.
///
/// # Result
///
/// The length of the list, or -1 on error.
///
/// # See also
///
/// `nbd_add_meta_context`, `nbd_get_meta_context`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_nr_meta_contexts(h: *mut nbd_handle) -> ssize_t {
    locked!(NBD_GET_NR_META_CONTEXTS(h), |connection| Ok(connection
        .setup()
        .requests()
        .meta_contexts
        .len()))
}

/// Returns the name of a meta context to request.
///
/// Use it with `nbd_get_nr_meta_contexts` to iterate over the list that
/// `nbd_add_meta_context` builds.
///
/// # Parameters
///
/// - `i`: index in the list, starting at 0. Names are in the order in which they
///   were added.
///
/// # Result
///
/// The name, or NULL on error.
///
/// # Errors
///
/// - `EINVAL`: `i` is out of range.
///
/// # Example
///
/// ```c
/// ssize_t count = nbd_get_nr_meta_contexts (nbd), i;
///
/// for (i = 0; i < count; ++i) {
///   char *name = nbd_get_meta_context (nbd, i);
///
///   if (name == NULL)
///     return -1;
///   printf ("%s\n", name);
///   free (name);
/// }
/// ```
///
/// # See also
///
/// `nbd_get_nr_meta_contexts`, `nbd_add_meta_context`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_meta_context(h: *mut nbd_handle, i: size_t) -> *mut c_char {
    locked!(NBD_GET_META_CONTEXT(h, i: i), |connection| connection.setup().meta_context(i))
}

/// Empties the list of meta contexts to request.
///
/// Use it in option mode to request different contexts, for example for another
/// export. Contexts that are already negotiated stay in effect.
///
/// # See also
///
/// `nbd_add_meta_context`, `nbd_opt_set_meta_context`.
#[no_mangle]
pub unsafe extern "C" fn nbd_clear_meta_contexts(h: *mut nbd_handle) -> c_int {
    locked!(NBD_CLEAR_META_CONTEXTS(h), |connection| {
        connection.setup().requests().meta_contexts.clear();
        Ok(())
    })
}
