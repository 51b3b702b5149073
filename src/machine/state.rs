// SPDX-License-Identifier: LGPL-2.1-or-later

//! The state of a connection, as programs see it.

/// The groups of states that programs can distinguish, with nbd_aio_is_created(3) and similar
/// functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// Not connecting yet.
    Created,
    /// Connecting, or negotiating automatically.
    Connecting,
    /// Paused in option mode.
    Negotiating,
    /// Commands may be issued; all issued ones have been sent.
    Ready,
    /// Commands may be issued; some issued ones have not been sent yet.
    Processing,
    /// Closed normally.
    Closed,
    /// Closed by an error.
    Dead,
}
