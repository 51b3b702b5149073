// SPDX-License-Identifier: LGPL-2.1-or-later

//! Batches: requests that are sent together, and replies that are handled together.

use libc::c_int;

use crate::capi::boolean::c_bool;
use crate::capi::entry::locked;
use crate::capi::opaque::nbd_handle;
use crate::handle::Batch;

/// Sets whether requests are sent together.
///
/// By default, each asynchronous command sends its request before the call returns,
/// and `nbd_poll` handles one reply. This costs a system call for each request. With
/// batching, your program agrees to this rule instead:
///
/// - The requests of asynchronous commands stay queued until your program next waits
///   or asks on this handle: until the next call of `nbd_poll`, `nbd_poll2`,
///   `nbd_aio_get_direction`, `nbd_aio_notify_read`, `nbd_aio_notify_write`,
///   `nbd_aio_disconnect`, `nbd_ext_send`, or any synchronous call, such as
///   `nbd_pread`, `nbd_flush` or `nbd_shutdown`. This call sends all of them, as far
///   as the socket accepts them.
/// - One call of `nbd_poll`, `nbd_poll2`, `nbd_aio_notify_read` or
///   `nbd_aio_notify_write` can complete any number of commands.
///
/// There is nothing else to the rule: no limit of time or number after which requests
/// are sent by themselves. A program that issues a command and then waits for
/// something else, such as another handle, must call `nbd_ext_send` first.
///
/// Batching pays off for many small commands. A program that issues all commands
/// that it can, and then calls `nbd_poll`, needs no other change if it does not
/// depend on one completion for each call.
///
/// While requests are queued, their commands are in flight: `nbd_aio_in_flight`
/// counts them, and `nbd_aio_is_processing` returns 1. Their buffers must stay valid
/// until they complete, as always. If the connection ends, or `nbd_close` is called,
/// they complete with `ENOTCONN`, without having been sent.
///
/// A request that cannot be sent ends the connection. The call that sends it reports
/// the error, except `nbd_aio_get_direction`, after which the next call does.
///
/// The rule does not depend on threads: a call in any thread sends the requests that
/// all threads have queued. A call of `nbd_poll` that is already waiting in another
/// thread need not send them. So a thread that issues commands while another one
/// waits must call `nbd_ext_send` after them.
///
/// `nbd_aio_get_direction` never waits for a call in another thread, nor for the call
/// whose callback it is called in. During such a call it sends nothing, and its result
/// includes `LIBNBD_AIO_DIRECTION_WRITE`. `nbd_aio_notify_write` then sends the
/// requests. It succeeds if another thread has already done so.
///
/// # Parameters
///
/// - `enable`: true to send requests together; false is the default. Turning it off
///   sends the queued requests.
///
/// # Errors
///
/// - Errors of the connection when sending, after which the handle is dead
///   (`nbd_aio_is_dead`).
///
/// # Example
///
/// Read 64 sectors with a few system calls:
///
/// ```c
/// char sectors[64][512];
///
/// if (nbd_ext_set_batching (nbd, true) == -1)
///   return -1;
/// for (int i = 0; i < 64; ++i)
///   if (nbd_aio_pread (nbd, sectors[i], 512, i * 512,
///                      NBD_NULL_COMPLETION, 0) == -1)
///     return -1;
/// while (nbd_aio_in_flight (nbd) > 0)
///   if (nbd_poll (nbd, -1) == -1)
///     return -1;
/// ```
///
/// # See also
///
/// `nbd_ext_get_batching`, `nbd_ext_send`, `nbd_poll`, `nbd_aio_pread`.
#[no_mangle]
pub unsafe extern "C" fn nbd_ext_set_batching(h: *mut nbd_handle, enable: c_bool) -> c_int {
    let enable = enable.get();
    locked!(
        NBD_EXT_SET_BATCHING(h, enable: enable),
        |connection| Batch::of(connection).enable(enable)
    )
}

/// Checks whether requests are sent together.
///
/// Returns the setting of `nbd_ext_set_batching`.
///
/// # Result
///
/// 1 for yes, 0 for no. This function does not fail if `h` is a valid handle.
///
/// # See also
///
/// `nbd_ext_set_batching`.
#[no_mangle]
pub unsafe extern "C" fn nbd_ext_get_batching(h: *mut nbd_handle) -> c_int {
    locked!(NBD_EXT_GET_BATCHING(h), |connection| Ok(Batch::of(
        connection
    )
    .is_enabled()))
}

/// Sends queued requests.
///
/// With batching (`nbd_ext_set_batching`), requests stay queued until the next call
/// that waits. Use this function to send them at once, for example before the
/// program waits for something else, or if another thread is already waiting for the
/// replies in `nbd_poll`.
///
/// The call sends as much as the socket accepts, also of earlier requests. `nbd_poll`
/// and `nbd_aio_notify_write` send the rest. If another thread is in `nbd_poll`, and the
/// socket becomes full, the call waits until it has sent the rest or until that
/// `nbd_poll` returns, as calls that issue commands do without batching.
///
/// If nothing is queued, the call does nothing.
///
/// # Errors
///
/// - `ENOTCONN` or `EINVAL`: the handle is not connected.
/// - Errors of the connection, after which the handle is dead (`nbd_aio_is_dead`).
///
/// # Example
///
/// Flush the disk while the program waits for its input:
///
/// ```c
/// char line[256];
///
/// if (nbd_aio_flush (nbd, NBD_NULL_COMPLETION, 0) == -1 ||
///     nbd_ext_send (nbd) == -1)
///   return -1;
/// if (fgets (line, sizeof line, stdin) == NULL)
///   return -1;
/// while (nbd_aio_in_flight (nbd) > 0)
///   if (nbd_poll (nbd, -1) == -1)
///     return -1;
/// ```
///
/// # See also
///
/// `nbd_ext_set_batching`, `nbd_poll`, `nbd_aio_notify_write`.
#[no_mangle]
pub unsafe extern "C" fn nbd_ext_send(h: *mut nbd_handle) -> c_int {
    locked!(NBD_EXT_SEND(h), |connection| Batch::of(connection)
        .ext_send())
}
