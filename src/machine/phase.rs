// SPDX-License-Identifier: LGPL-2.1-or-later

//! Phases of a connection, and all transitions between them.
//!
//! ```text
//!    Created <--> Connecting
//!       |             |
//!       +------+------+
//!              v
//!          Greeting ------------> Oldstyle --------------------+
//!              |                                               |
//!              v                                               |
//!        HandshakeFlags                                        |
//!              |                                               |
//!              v                                               |
//!  +------> next step ----------> ExportName ------------------+
//!  |       |  ^     |                  ^                       |
//!  |       v  |     v                  |                       |
//!  |  Negotiating  Option -------------+-----------------------+
//!  |       |       | |  |                                      |
//!  |       v       | |  +-------> TlsHandshake ---+            v
//!  |    Aborting <-+ |                            |       Transmission
//!  |       |         |                            |            |
//!  +-------)---------+----------------------------+            |
//!          |                                                   |
//!          +--------------------> Closed <---------------------+
//!
//!  From every phase, after an error, to Dead.
//! ```
//! "next step" is not a phase: [`super::options`] lists the steps, and in `Negotiating` the
//! program chooses.

use std::ffi::CStr;
use std::ops::Deref;

use super::pending::Pending;
use super::position::Position;
use super::receiving::Receiving;
use super::state::State;
use super::tls_settled::TlsSettled;
use crate::error::Error;

/// A phase, with the data that only this phase needs.
#[derive(Debug)]
pub(super) enum Phase {
    /// Initial phase.
    Created,
    /// The transport is being set up.
    Connecting,
    /// Waiting for the magic that starts every connection.
    Greeting,
    /// Waiting for the rest of the oldstyle handshake.
    Oldstyle,
    /// Waiting for the newstyle handshake flags.
    HandshakeFlags,
    /// Waiting for the reply to an option.
    Option(Pending),
    /// Waiting for the reply to `NBD_OPT_EXPORT_NAME`, which has no header.
    ExportName(Position),
    /// The TLS handshake is in progress.
    TlsHandshake(Position),
    /// Paused in option mode.
    Negotiating,
    /// `NBD_OPT_ABORT` is queued or sent, and the connection will end, with this error if any.
    Aborting(Option<Error>),
    /// Requests and replies.
    Transmission {
        /// The position in a reply.
        receiving: Receiving,
        /// `NBD_CMD_DISC` is queued or sent: the server may close the connection.
        disconnecting: bool,
    },
    /// Closed normally.
    Closed,
    /// Closed by an error.
    Dead,
}

/// The phase of a connection. All code may read it; only the functions here change it.
#[derive(Debug)]
pub(super) struct CurrentPhase(Phase);

impl Default for CurrentPhase {
    fn default() -> Self {
        CurrentPhase(Phase::Created)
    }
}

impl Deref for CurrentPhase {
    type Target = Phase;

    fn deref(&self) -> &Phase {
        &self.0
    }
}

impl CurrentPhase {
    /// Enters `Connecting`: the transport is being set up.
    pub fn connecting(&mut self) {
        self.0 = Phase::Connecting;
    }

    /// Returns to `Created`, so that another attempt to connect can start.
    pub fn not_connected(&mut self) {
        self.0 = Phase::Created;
    }

    /// Enters `Greeting`: the transport is connected.
    pub fn connected(&mut self) {
        self.0 = Phase::Greeting;
    }

    /// Enters `Oldstyle` after the greeting of an oldstyle server.
    pub fn await_oldstyle(&mut self) {
        self.0 = Phase::Oldstyle;
    }

    /// Enters `HandshakeFlags` after the greeting of a newstyle server.
    pub fn await_handshake_flags(&mut self) {
        self.0 = Phase::HandshakeFlags;
    }

    /// Enters `Option` after an option has been sent, or stays there after one of several
    /// replies.
    pub fn await_option_reply(&mut self, pending: Pending) {
        self.0 = Phase::Option(pending);
    }

    /// Returns the outstanding option.
    pub fn pending_mut(&mut self) -> Option<&mut Pending> {
        match &mut self.0 {
            Phase::Option(pending) => Some(pending),
            _ => None,
        }
    }

    /// Takes out the outstanding option to handle a reply. The reply decides the next phase.
    pub fn take_pending(&mut self) -> Option<Pending> {
        match std::mem::replace(&mut self.0, Phase::Negotiating) {
            Phase::Option(pending) => Some(pending),
            other => {
                self.0 = other;
                None
            }
        }
    }

    /// Enters `ExportName` after that option has been sent.
    pub fn await_export_name_reply(&mut self, position: Position) {
        self.0 = Phase::ExportName(position);
    }

    /// Enters `TlsHandshake`: the server has agreed to TLS.
    pub fn await_tls(&mut self, position: Position) {
        self.0 = Phase::TlsHandshake(position);
    }

    /// Leaves `TlsHandshake`, and returns the position to continue at. `None` in any other phase.
    pub fn take_tls(&mut self) -> Option<Position> {
        let Phase::TlsHandshake(position) = self.0 else {
            return None;
        };
        self.0 = Phase::Negotiating;
        Some(position)
    }

    /// Enters `Negotiating`: the program chooses the next option.
    pub fn pause(&mut self) {
        self.0 = Phase::Negotiating;
    }

    /// Enters `Aborting`: `NBD_OPT_ABORT` is queued; `reason` is the error, if any.
    pub fn abort(&mut self, reason: Option<Error>) {
        self.0 = Phase::Aborting(reason);
    }

    /// Returns the reason for `NBD_OPT_ABORT` in `Aborting`, and `None` elsewhere.
    pub fn abort_reason(&mut self) -> Option<&mut Option<Error>> {
        match &mut self.0 {
            Phase::Aborting(reason) => Some(reason),
            _ => None,
        }
    }

    /// Enters `Transmission`, with proof that TLS is in use if it is required.
    pub fn enter_transmission(&mut self, _: TlsSettled) {
        self.0 = Phase::Transmission {
            receiving: Receiving::Header,
            disconnecting: false,
        };
    }

    /// Returns the position in a reply, in `Transmission`.
    pub fn receiving_mut(&mut self) -> Option<&mut Receiving> {
        match &mut self.0 {
            Phase::Transmission { receiving, .. } => Some(receiving),
            _ => None,
        }
    }

    /// Returns the flag that `NBD_CMD_DISC` is queued or sent, in `Transmission`.
    pub fn disconnecting_mut(&mut self) -> Option<&mut bool> {
        match &mut self.0 {
            Phase::Transmission { disconnecting, .. } => Some(disconnecting),
            _ => None,
        }
    }

    /// Enters `Closed`: the connection was closed normally.
    pub fn close(&mut self) {
        self.0 = Phase::Closed;
    }

    /// Enters `Dead`: the connection was closed by an error.
    pub fn fail(&mut self) {
        self.0 = Phase::Dead;
    }
}

impl Phase {
    /// Returns the state for programs, without regard to queued requests.
    pub fn state(&self) -> State {
        match self {
            Phase::Transmission { .. } => State::Ready,
            other => other.state_elsewhere(),
        }
    }

    #[cold]
    fn state_elsewhere(&self) -> State {
        match self {
            Phase::Created => State::Created,
            Phase::Negotiating => State::Negotiating,
            Phase::Transmission { .. } => State::Ready,
            Phase::Closed => State::Closed,
            Phase::Dead => State::Dead,
            _ => State::Connecting,
        }
    }

    /// Returns true if the server may close the connection in this phase.
    pub fn may_end(&self) -> bool {
        matches!(self, Phase::Transmission { .. })
    }

    /// Returns the state text, after a short name and a colon (nbd_connection_state(3)).
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
