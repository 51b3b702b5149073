// SPDX-License-Identifier: LGPL-2.1-or-later

//! Ending a connection in good order.

use libc::c_int;

use super::entry::{locked, waiting};
use super::opaque::nbd_handle;
use super::trace::Mask;

/// Says goodbye to the server and waits until the connection is closed.
///
/// A connection that reads and writes ends with a disconnect request, one that
/// is negotiating with an abort of the negotiation. The server may carry out what
/// it has been asked before; commands that it does not answer fail with
/// `ENOTCONN`. `nbd_close` works without this: the server only sees the difference
/// between a goodbye and none.
///
/// # Parameters
///
/// - `flags`: 0, or `LIBNBD_SHUTDOWN_ABANDON_PENDING` (0x10000) to drop commands
///   that wait to be sent, instead of sending them first.
///
/// # Errors
///
/// - `EINVAL`: an unknown flag is set.
/// - Those of a connection that ends in the middle of a reply.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_DISC and NBD_OPT_ABORT.
///
/// # Example
///
/// ```c
/// if (nbd_shutdown (nbd, 0) == -1)
///   fprintf (stderr, "%s\n", nbd_get_error ());
/// nbd_close (nbd);
/// ```
///
/// # See also
///
/// `nbd_aio_disconnect`, `nbd_aio_opt_abort`, `nbd_close`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_shutdown(h: *mut nbd_handle, flags: u32) -> c_int {
    waiting!(NBD_SHUTDOWN(h, flags: Mask(flags)), async |connection| connection
        .shutdown(flags).await)
}

/// Says goodbye to the server, without waiting for the end.
///
/// No further commands are accepted. The server has no reply to this: it closes
/// the connection, and `nbd_aio_is_closed` becomes true. Those in flight may still
/// be answered before that; the rest fail with `ENOTCONN`. To lose nothing, send
/// this when nothing is in flight (`nbd_aio_in_flight`).
///
/// # Parameters
///
/// - `flags`: 0; the protocol has none for this yet.
///
/// # Errors
///
/// - `EINVAL`: a flag is set, or this was called before.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_DISC.
///
/// # Example
///
/// ```c
/// while (nbd_aio_in_flight (nbd) > 0)
///   if (nbd_poll (nbd, -1) == -1)
///     return -1;
/// if (nbd_aio_disconnect (nbd, 0) == -1)
///   return -1;
/// while (! nbd_aio_is_closed (nbd) && ! nbd_aio_is_dead (nbd))
///   if (nbd_poll (nbd, -1) == -1)
///     return -1;
/// ```
///
/// # See also
///
/// `nbd_shutdown`, `nbd_aio_is_closed`, `nbd_aio_in_flight`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_disconnect(h: *mut nbd_handle, flags: u32) -> c_int {
    locked!(NBD_AIO_DISCONNECT(h, flags: Mask(flags)), |connection| {
        connection.aio_disconnect(flags)
    })
}
