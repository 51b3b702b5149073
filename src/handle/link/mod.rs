// SPDX-License-Identifier: LGPL-2.1-or-later

//! The machine and the transport under it: moves bytes both ways.
//!
//! A link ends nothing and calls nobody back. It hands out what happened
//! ([`Link::next_event`]) and why the connection cannot go on ([`Lost`]); the
//! connection acts on both.

mod connect;
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

/// Why a connection cannot go on. Only the connection makes an error for the
/// program of it, when it ends itself.
#[derive(Debug)]
pub(super) enum Lost {
    /// Sending, receiving or the protocol has failed.
    Connection(Error),
    /// The handshake of TLS has failed.
    Handshake(Error),
}

impl Lost {
    /// What has failed.
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

/// How the bytes travel.
#[derive(Debug)]
enum Stage {
    /// Not at all: before connecting, and after the end.
    None,
    /// An address is being tried. In a box, so that a handle is small after that.
    Connecting(Box<Connector>),
    /// The server has agreed to TLS, and the handshake is going on.
    TlsHandshake(Handshake),
    /// There is a connection.
    Connected(Channel),
}

impl Stage {
    /// Whether it waits to receive, and whether to send, before there is a connection.
    #[cold]
    fn waits_before(&self) -> (bool, bool) {
        match self {
            Stage::None | Stage::Connected(_) => (false, false),
            Stage::Connecting(_) => (false, true),
            Stage::TlsHandshake(it) => (it.wants_to_receive(), it.wants_to_send()),
        }
    }
}

/// A machine, the transport that it speaks over, and what belongs to that.
#[derive(Debug)]
pub(super) struct Link {
    pub machine: Machine<Attachment>,
    /// Where the program asked to connect to.
    pub endpoint: Endpoint,
    /// How much to receive at once.
    read_ahead: ReadAhead,
    /// Received and not used yet. Nothing more is received before that.
    arrivals: Arrivals,
    /// Before the subprocess, which waits for its end when it is dropped.
    stage: Stage,
    /// A transport that has been closed while a thread was waiting for it.
    retired: Stage,
    pub subprocess: Option<Subprocess>,
    /// Commands of synchronous calls that are in flight.
    pub synchronous: usize,
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
        }
    }

    /// The program's commands that are in flight, without those of synchronous calls.
    /// nbd_aio_in_flight(3) of the C library waits until such a call has ended.
    pub fn in_flight(&self) -> usize {
        // A command is counted as synchronous a little earlier than as in flight.
        self.machine.in_flight().saturating_sub(self.synchronous)
    }

    /// The descriptor to poll, where there is one.
    pub fn fd(&self) -> Option<c_int> {
        match &self.stage {
            Stage::None => None,
            Stage::Connecting(connector) => connector.fd(),
            Stage::TlsHandshake(handshake) => Some(handshake.as_raw_fd()),
            Stage::Connected(channel) => Some(channel.as_raw_fd()),
        }
    }

    /// The descriptor for a program that polls it by itself.
    pub fn fd_for_program(&self) -> Option<c_int> {
        if let Stage::Connected(channel) = &self.stage {
            channel.make_non_blocking();
        }
        self.fd()
    }

    /// The `LIBNBD_AIO_DIRECTION_*` bits to wait for.
    pub fn direction(&self) -> u32 {
        let receives = match &self.stage {
            Stage::Connected(_) => self.machine.wants_to_receive(),
            stage => stage.waits_before().0,
        };
        let mut direction = 0;
        if receives {
            direction |= DIRECTION_READ;
        }
        if self.waits_for_room() {
            direction |= DIRECTION_WRITE;
        }
        direction
    }

    /// Whether a request is partly sent, or waits for one that is: until the socket
    /// has room for more, nothing is tried again.
    pub fn waits_for_room(&self) -> bool {
        match &self.stage {
            Stage::Connected(channel) => self.machine.wants_to_send() || channel.wants_to_send(),
            stage => stage.waits_before().1,
        }
    }

    /// The name of the state, without its description.
    pub fn state_name(&self) -> &'static str {
        let description = self.machine.description(self.machine.state()).to_str();
        let name = description.unwrap_or_default().split(':').next();
        name.unwrap_or_default()
    }

    /// The error of a call that says that the descriptor is ready for what nothing
    /// waits for: 0 for reading, 1 for writing.
    pub fn invalid_event(&self, event: u32) -> Error {
        let state = self.state_name();
        let what = format!("external event {event} is invalid in state {state}");
        Error::new(libc::EINVAL, what)
    }

    /// Whether an address is being tried.
    pub fn is_connecting(&self) -> bool {
        matches!(self.stage, Stage::Connecting(_))
    }

    /// Whether the handshake of TLS is going on.
    pub fn is_in_tls_handshake(&self) -> bool {
        matches!(self.stage, Stage::TlsHandshake(_))
    }

    /// Whether there is a connection that is not encrypted.
    pub fn is_plain(&self) -> bool {
        matches!(self.stage, Stage::Connected(Channel::Plain(_)))
    }

    /// Whether the connection has come to its end in good order, and has not been
    /// closed yet.
    pub fn is_over(&self) -> bool {
        self.machine.state() == State::Closed && !matches!(self.stage, Stage::None)
    }

    pub fn negotiates(&self) -> bool {
        self.machine.state() == State::Connecting
    }

    /// Closes the transport, and forgets what arrived.
    pub fn close(&mut self, waited_for: bool) {
        self.close_transport(waited_for);
        self.arrivals = Arrivals::default();
    }

    /// Closes the transport. What arrived can still be used. Where a thread waits for
    /// the transport, it wakes, and has to call [`Link::forget_retired`].
    pub fn close_transport(&mut self, waited_for: bool) {
        if waited_for && !matches!(self.stage, Stage::None) {
            // Its descriptor must not become another file's while it is polled.
            self.shutdown_both();
            self.retired = std::mem::replace(&mut self.stage, Stage::None);
        } else {
            self.stage = Stage::None;
        }
    }

    /// No thread waits any more for a transport that is closed.
    pub fn forget_retired(&mut self) {
        self.retired = Stage::None;
    }

    /// Ends the stream in both directions: what waits for it wakes.
    pub fn shutdown_both(&mut self) {
        match &mut self.stage {
            Stage::Connected(channel) => channel.shutdown_both(),
            Stage::TlsHandshake(handshake) => handshake.shutdown_both(),
            // A thread that waits for that is woken by what has ended it.
            Stage::Connecting(_) | Stage::None => {}
        }
    }

    /// The server that was started, if there is one.
    pub fn running_subprocess(&self) -> Result<&Subprocess, Error> {
        let subprocess = self.subprocess.as_ref();
        subprocess.ok_or_else(|| Error::new(libc::ESRCH, "no subprocess exists"))
    }
}
