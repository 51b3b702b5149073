// SPDX-License-Identifier: LGPL-2.1-or-later

//! The machine and its transport: moves bytes in both directions.
//!
//! A link does not end the connection and does not call callbacks. It returns events
//! ([`Link::next_event`]) and fatal errors ([`Lost`]); the connection handles both.

mod connect;
mod direct;
mod read_ahead;
mod receive;
mod send;
mod tls;

use std::os::fd::AsRawFd;

use libc::c_int;

use super::attachment::Attachment;
use super::endpoint::Endpoint;
use super::shared::{DIRECTION_READ, DIRECTION_WRITE};
use crate::error::Error;
use crate::machine::{Machine, State};
use crate::transport::{tls::Handshake, Arrivals, Channel, Connector, Subprocess};
use read_ahead::ReadAhead;
pub(super) use receive::Receive;

/// A fatal error of a connection. The connection turns it into the program's error when it ends.
#[derive(Debug)]
pub(super) enum Lost {
    /// Sending, receiving or the protocol has failed.
    Connection(Error),
    /// The TLS handshake has failed.
    Handshake(Error),
}

impl Lost {
    /// Returns the error.
    pub fn error(&self) -> &Error {
        match self {
            Lost::Connection(error) | Lost::Handshake(error) => error,
        }
    }
}

impl From<Error> for Lost {
    fn from(error: Error) -> Self {
        Lost::Connection(error)
    }
}

/// The state of the transport.
#[derive(Debug)]
enum Stage {
    /// None: before connecting, and after the end.
    None,
    /// Connecting to an address. In a box, to keep the handle small.
    Connecting(Box<Connector>),
    /// The server has agreed to TLS, and the TLS handshake is in progress.
    TlsHandshake(Handshake),
    /// Connected.
    Connected(Channel),
}

impl Stage {
    /// Returns whether the transport waits to receive and whether to send, until it is connected.
    #[cold]
    fn waits_while_connecting(&self) -> (bool, bool) {
        match self {
            Stage::None | Stage::Connected(_) => (false, false),
            Stage::Connecting(_) => (false, true),
            Stage::TlsHandshake(it) => (it.wants_to_receive(), it.wants_to_send()),
        }
    }
}

/// A machine with its transport, and their data.
#[derive(Debug)]
pub(super) struct Link {
    pub machine: Machine<Attachment>,
    /// The address that the program connects to.
    pub endpoint: Endpoint,
    /// Decides how much to receive at once.
    read_ahead: ReadAhead,
    /// Received bytes that are not used yet. They are used before more is received.
    arrivals: Arrivals,
    /// Before `subprocess`, which waits for the server to exit when dropped.
    stage: Stage,
    /// A closed transport that a thread is still waiting for.
    retired: Stage,
    pub subprocess: Option<Subprocess>,
    /// The number of commands in flight that belong to synchronous calls.
    pub synchronous: usize,
    /// True if the queue waits for the program instead of the socket (nbd_ext_set_batching(3)).
    pub holds: bool,
}

impl Link {
    pub fn new() -> Self {
        Link {
            machine: Machine::default(),
            endpoint: Endpoint::None,
            read_ahead: ReadAhead::default(),
            synchronous: 0,
            arrivals: Arrivals::default(),
            stage: Stage::None,
            retired: Stage::None,
            subprocess: None,
            holds: false,
        }
    }

    /// Returns the number of the program's commands in flight, without those of synchronous
    /// calls: nbd_aio_in_flight(3) of the C library waits until such a call has ended.
    pub fn in_flight(&self) -> usize {
        // A command is counted as synchronous slightly earlier than as in flight.
        self.machine.in_flight().saturating_sub(self.synchronous)
    }

    /// Returns the descriptor to poll, if any.
    pub fn fd(&self) -> Option<c_int> {
        match &self.stage {
            Stage::None => None,
            Stage::Connecting(connector) => connector.fd(),
            Stage::TlsHandshake(handshake) => Some(handshake.as_raw_fd()),
            Stage::Connected(channel) => Some(channel.as_raw_fd()),
        }
    }

    /// Returns the descriptor, for a program that polls it itself.
    pub fn fd_for_program(&self) -> Option<c_int> {
        if let Stage::Connected(channel) = &self.stage {
            channel.make_non_blocking();
        }
        self.fd()
    }

    /// Returns the `LIBNBD_AIO_DIRECTION_*` bits to wait for.
    pub fn direction(&self) -> u32 {
        let receives = match &self.stage {
            Stage::Connected(_) => self.machine.wants_to_receive(),
            stage => stage.waits_while_connecting().0,
        };
        let mut direction = 0;
        if receives {
            direction |= DIRECTION_READ;
        }
        if self.waits_until_writable() {
            direction |= DIRECTION_WRITE;
        }
        direction
    }

    /// Returns true if pending data waits until the socket is writable. Sending is not tried
    /// again before that.
    pub fn waits_until_writable(&self) -> bool {
        match &self.stage {
            Stage::Connected(channel) => self.machine.wants_to_send() || channel.wants_to_send(),
            stage => stage.waits_while_connecting().1,
        }
    }

    /// Returns the name of the state, without its description.
    pub fn state_name(&self) -> &'static str {
        let description = self.machine.description(self.machine.state()).to_str();
        let name = description.unwrap_or_default().split(':').next();
        name.unwrap_or_default()
    }

    /// Makes the error of a call that reports an event that the connection does not wait for: 0
    /// for reading, 1 for writing.
    pub fn invalid_event(&self, event: u32) -> Error {
        let state = self.state_name();
        let what = format!("external event {event} is invalid in state {state}");
        Error::new(libc::EINVAL, what)
    }

    /// Returns true while connecting to an address.
    pub fn is_connecting(&self) -> bool {
        matches!(self.stage, Stage::Connecting(_))
    }

    /// Returns true during the TLS handshake.
    pub fn is_in_tls_handshake(&self) -> bool {
        matches!(self.stage, Stage::TlsHandshake(_))
    }

    /// Returns true if connected without encryption.
    pub fn is_plain(&self) -> bool {
        matches!(self.stage, Stage::Connected(Channel::Plain(_)))
    }

    /// Returns true if the connection has ended normally, and its transport is still open.
    pub fn is_over(&self) -> bool {
        self.machine.state() == State::Closed && !matches!(self.stage, Stage::None)
    }

    pub fn is_negotiating(&self) -> bool {
        self.machine.state() == State::Connecting
    }

    /// Closes the transport, and discards received bytes.
    pub fn close(&mut self, waited_for: bool) {
        self.close_transport(waited_for);
        self.arrivals = Arrivals::default();
    }

    /// Closes the transport. Received bytes can still be used. A thread that waits for the
    /// transport wakes, and must call [`Link::forget_retired`].
    pub fn close_transport(&mut self, waited_for: bool) {
        if waited_for && !matches!(self.stage, Stage::None) {
            // While it is polled, its descriptor must not be reused for another file.
            self.shutdown_both();
            self.retired = std::mem::replace(&mut self.stage, Stage::None);
        } else {
            self.stage = Stage::None;
        }
    }

    /// Drops the closed transport, after the thread that waited for it has woken.
    pub fn forget_retired(&mut self) {
        self.retired = Stage::None;
    }

    /// Shuts down both directions of the stream, which wakes a waiting thread.
    pub fn shutdown_both(&mut self) {
        match &mut self.stage {
            Stage::Connected(channel) => channel.shutdown_both(),
            Stage::TlsHandshake(handshake) => handshake.shutdown_both(),
            // A thread waiting in this stage is woken by the event that ends the stage.
            Stage::Connecting(_) | Stage::None => {}
        }
    }

    /// Returns the server subprocess, or an error if there is none.
    pub fn running_subprocess(&self) -> Result<&Subprocess, Error> {
        let subprocess = self.subprocess.as_ref();
        subprocess.ok_or_else(|| Error::new(libc::ESRCH, "no subprocess exists"))
    }
}
