// SPDX-License-Identifier: LGPL-2.1-or-later

//! Where in its life a connection is.

use std::ffi::CStr;

use super::pending::Pending;
use super::position::Position;
use super::receiving::Receiving;
use super::state::State;
use crate::error::Error;

/// Each phase, with what only that phase needs.
#[derive(Debug)]
pub(super) enum Phase {
    /// Nothing has happened yet.
    Created,
    /// The transport is being set up.
    Connecting,
    /// The magic that begins every connection is awaited.
    Greeting,
    /// The rest of the oldstyle handshake is awaited.
    Oldstyle,
    /// The newstyle handshake flags are awaited.
    HandshakeFlags,
    /// An option was sent and its reply is awaited.
    Option(Pending),
    /// `NBD_OPT_EXPORT_NAME` was sent; its reply has no header.
    ExportName(Position),
    /// The server has agreed to TLS, whose handshake is going on.
    TlsHandshake(Position),
    /// Paused in option mode.
    Negotiating,
    /// `NBD_OPT_ABORT` is queued or sent: with it the connection ends, by this
    /// error if there is one.
    Aborting(Option<Error>),
    /// Requests and replies.
    Transmission {
        /// Where in a reply.
        receiving: Receiving,
        /// `NBD_CMD_DISC` is queued or sent: the server may end the
        /// connection now.
        disconnecting: bool,
    },
    /// Ended in good order.
    Closed,
    /// Ended by an error.
    Dead,
}

impl Phase {
    /// The group that programs see, as far as the phase alone tells it.
    pub fn state(&self) -> State {
        match self {
            Phase::Created => State::Created,
            Phase::Negotiating => State::Negotiating,
            Phase::Transmission { .. } => State::Ready,
            Phase::Closed => State::Closed,
            Phase::Dead => State::Dead,
            _ => State::Connecting,
        }
    }

    /// Whether the server may close the connection here.
    pub fn may_end(&self) -> bool {
        matches!(self, Phase::Transmission { .. })
    }

    /// The state in words, after a short name and a colon
    /// (nbd_connection_state(3)).
    pub fn description(&self) -> &'static CStr {
        match self {
            Phase::Created => c"START: The handle has not begun to connect",
            Phase::Connecting => c"CONNECT.START: Waiting for the transport to connect",
            Phase::Greeting => c"MAGIC.RECV_MAGIC: Waiting for the server's greeting",
            Phase::Oldstyle => c"OLDSTYLE.RECV_REMAINING: Receiving an oldstyle handshake",
            Phase::HandshakeFlags => c"NEWSTYLE.RECV_GFLAGS: Receiving the handshake flags",
            Phase::ExportName(_) => {
                c"NEWSTYLE.OPT_EXPORT_NAME.RECV_REPLY: Waiting for the reply to NBD_OPT_EXPORT_NAME"
            }
            Phase::Option(pending) => pending.description(),
            Phase::TlsHandshake(_) => {
                c"NEWSTYLE.OPT_STARTTLS.TLS_HANDSHAKE: Waiting for the TLS handshake"
            }
            Phase::Aborting(_) => c"NEWSTYLE.PREPARE_OPT_ABORT: Sending NBD_OPT_ABORT",
            Phase::Negotiating => c"NEGOTIATING: Ready to negotiate an option",
            Phase::Transmission { .. } => c"READY: Ready to issue commands",
            Phase::Closed => c"CLOSED: The connection is closed",
            Phase::Dead => c"DEAD: The connection has failed and can only be closed",
        }
    }
}
