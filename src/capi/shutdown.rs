// SPDX-License-Identifier: LGPL-2.1-or-later

//! Ending a connection.

use libc::c_int;

use super::entry::{locked, waiting};
use super::opaque::nbd_handle;
use super::trace::Mask;
use crate::handle::Batch;

/// Ends the connection and waits until it is closed.
///
/// Call it before `nbd_close` for an orderly end: the library sends a disconnect
/// request, or ends the negotiation in option mode. Pending requests are sent
/// first. Commands to which the server does not reply before it closes the
/// connection fail with `ENOTCONN`.
///
/// The call does not flush: call `nbd_flush` first if data has to be on stable
/// storage. `nbd_aio_disconnect` does not wait for the server.
///
/// # Parameters
///
/// - `flags`: 0, or `LIBNBD_SHUTDOWN_ABANDON_PENDING` (0x10000) to discard requests
///   of which nothing has been sent yet.
///
/// # Errors
///
/// - `EINVAL`: an unknown flag is set.
/// - Errors of the connection, if it fails before it is closed, for example in the
///   middle of a reply.
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
/// `nbd_aio_disconnect`, `nbd_aio_opt_abort`, `nbd_flush`, `nbd_close`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_shutdown(h: *mut nbd_handle, flags: u32) -> c_int {
    waiting!(NBD_SHUTDOWN(h, flags: Mask(flags)), async |connection| connection
        .shutdown(flags).await)
}

/// Sends a disconnect request to the server.
///
/// Use it to end a connection from a main loop, when no commands are in flight
/// (`nbd_aio_in_flight`). Commands in flight fail with `ENOTCONN`, unless the
/// server replies to them before it closes the connection.
///
/// The call does not wait for the server, which does not reply to this request but
/// closes the connection. When the library has detected that, in `nbd_poll` or a
/// main loop, `nbd_aio_is_closed` returns 1. No commands can be issued after this
/// call.
///
/// # Parameters
///
/// - `flags`: must be 0.
///
/// # Errors
///
/// - `EINVAL`: a flag is set, or the function was called before.
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
        Batch::of(connection).send()?;
        connection.aio_disconnect(flags)
    })
}
