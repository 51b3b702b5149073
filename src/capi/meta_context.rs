// SPDX-License-Identifier: LGPL-2.1-or-later

//! Meta contexts: the list of those to ask the server for.

use libc::{c_char, c_int, size_t, ssize_t};

use super::entry::locked;
use super::opaque::nbd_handle;
use super::trace::Text;

/// Adds a meta context to the list of those to ask the server for.
///
/// A meta context is something that the server can tell of every block of the
/// export; `nbd_block_status_64` fetches it. `base:allocation`
/// (`LIBNBD_CONTEXT_BASE_ALLOCATION`), which many servers have, tells which
/// blocks are allocated, and which read as zeroes. Others belong to a server:
/// qemu-nbd has `qemu:dirty-bitmap:NAME` and `qemu:allocation-depth`.
///
/// The list is empty at first. The server is asked for what is in it when the
/// handle connects; `nbd_can_meta_context` tells what it has agreed to.
///
/// # Parameters
///
/// - `name`: the name in UTF-8, at most 4096 bytes. It is copied.
///
/// # Errors
///
/// - `ENAMETOOLONG`: the name is longer than the protocol allows.
///
/// # Standards
///
/// NBD protocol, "Metadata querying".
///
/// # Example
///
/// Before connecting:
///
/// ```c
/// if (nbd_add_meta_context (nbd, LIBNBD_CONTEXT_BASE_ALLOCATION) == -1 ||
///     nbd_connect_uri (nbd, "nbd://localhost") == -1)
///   return -1;
/// if (nbd_can_meta_context (nbd, LIBNBD_CONTEXT_BASE_ALLOCATION) != 1)
///   fprintf (stderr, "the server does not tell data from holes\n");
/// ```
///
/// # See also
///
/// `nbd_get_nr_meta_contexts`, `nbd_get_meta_context`, `nbd_clear_meta_contexts`,
/// `nbd_can_meta_context`, `nbd_set_request_meta_context`.
#[no_mangle]
pub unsafe extern "C" fn nbd_add_meta_context(h: *mut nbd_handle, name: *const c_char) -> c_int {
    // SAFETY: NULL or a string of the caller's, there for the length of the call.
    let name = unsafe { Text::new(name) };
    locked!(NBD_ADD_META_CONTEXT(h, name: name), |connection| {
        connection.setup().add_meta_context(name.get())
    })
}

/// Returns how many meta contexts are in the list to ask the server for.
///
/// It says nothing of what the server has: see `nbd_can_meta_context`.
///
/// # Result
///
/// The number of names, or -1.
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

/// Returns one name of the list of meta contexts to ask the server for.
///
/// # Parameters
///
/// - `i`: which one, from 0 on, in the order in which they were added.
///
/// # Result
///
/// The name, for the caller to free, or NULL.
///
/// # Errors
///
/// - `EINVAL`: there are not so many.
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

/// Empties the list of meta contexts to ask the server for.
///
/// In option mode you can then ask for something else. What the server has
/// agreed to already stays in force.
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
