// SPDX-License-Identifier: LGPL-2.1-or-later

//! Where in its life a connection is, as far as programs can tell.

/// The groups of states that programs can tell apart: nbd_aio_is_created(3)
/// and its siblings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// Not connecting yet.
    Created,
    /// Connecting, or negotiating on its own.
    Connecting,
    /// Paused in option mode.
    Negotiating,
    /// Commands may be issued; all that were have been sent.
    Ready,
    /// Commands may be issued; some that were have not been sent yet.
    Processing,
    /// Ended in good order.
    Closed,
    /// Ended by an error.
    Dead,
}
