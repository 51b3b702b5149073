// SPDX-License-Identifier: LGPL-2.1-or-later

//! The step from one phase of the conversation to the next.

use crate::agreed::Opened;

/// What follows a message.
#[derive(Debug)]
pub enum Transition {
    /// The next message, in the same phase.
    Stay,
    /// The transmission phase.
    Transmit(Opened),
    /// So many bytes to ignore.
    Skip(u64),
    /// TLS, when the reply is sent.
    StartTls,
    /// Silence, with the connection open.
    Mute,
    /// The end, when everything is sent.
    Close,
}
