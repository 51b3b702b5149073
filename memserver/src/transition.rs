// SPDX-License-Identifier: LGPL-2.1-or-later

//! The step from one phase of the conversation to the next.

use crate::agreed::Opened;

/// The phase that follows a message.
#[derive(Debug)]
pub enum Transition {
    /// The same phase, for the next message.
    Stay,
    /// The transmission phase.
    Transmit(Opened),
    /// Skipping this many bytes.
    Skip(u64),
    /// TLS, once the reply is sent.
    StartTls,
    /// Silence, with the connection kept open.
    Mute,
    /// The end, once all output is sent.
    Close,
}
