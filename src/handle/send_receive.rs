// SPDX-License-Identifier: LGPL-2.1-or-later

//! Moving bytes between the socket and the machine.
//!
//! Several replies are received with one system call, and used one message at a
//! time: programs count on one completion for each call (nbd_poll(3)). They stay
//! in the handle between calls only for programs that wait by calls of the library.
//! For others, nothing is received that does not belong to the current message.
//! The data of a read goes straight to the user's buffer as soon as it is known to
//! be next.

use libc::iovec;

use super::commands::Buffer;
use super::connection::{Connection, Transport};
use super::read_ahead::LARGE;
use super::shared::State;
use super::wait::DIRECTION_WRITE;
use crate::error::Error;
use crate::machine::{Event, Group, Piece};
use crate::transport::{arrivals, Channel, Received, Wait};

/// The most pieces of memory that are sent with one system call. A request has at
/// most two, and most requests leave alone.
const PIECES: usize = 16;

/// The most bytes that a call handles, roughly, unless it waits for a particular
/// reply: it has to return in time however fast the server sends.
const BUDGET: usize = 256 * 1024;

impl Connection {
    /// Sends as much as the socket takes.
    pub(super) fn send(&mut self) -> Result<(), Error> {
        let Transport::Connected(channel) = &mut self.transport else {
            return Ok(());
        };
        match channel.flush() {
            // A server that closes after NBD_CMD_DISC does not wait for TLS to say
            // goodbye as well.
            Err(_) if self.machine.has_said_goodbye() => {}
            Err(error) => return Err(self.die(error)),
            Ok(()) => {}
        }
        while self.machine.wants_to_send() {
            let Transport::Connected(channel) = &mut self.transport else {
                return Ok(());
            };
            let mut pieces = [const { EMPTY }; PIECES];
            let mut used = 0;
            let mut length = 0;
            for (slot, piece) in pieces.iter_mut().zip(self.machine.outgoing()) {
                *slot = match piece {
                    Piece::Bytes(bytes) => iovec {
                        iov_base: bytes.as_ptr().cast_mut().cast(),
                        iov_len: bytes.len(),
                    },
                    Piece::Data { command, at } => match &command.attachment.buffer {
                        Buffer::Write(buffer) => buffer.iovec(at, buffer.len() - at),
                        _ => EMPTY,
                    },
                };
                length += slot.iov_len;
                used += 1;
            }
            // SAFETY: the pieces are bytes of the machine, which is not touched
            // before the call returns, and of buffers that the program keeps
            // until their commands complete.
            match unsafe { channel.send_raw(&pieces[..used]) } {
                Ok(sent) => {
                    self.machine.sent(sent);
                    if sent < length {
                        return Ok(());
                    }
                }
                Err(error) => return Err(self.die(error)),
            }
        }
        // Nothing follows a goodbye. A server with several threads for each
        // connection closes only when it sees the end of the stream.
        // Source: seen with libnbd 1.24.4.
        if self.machine.has_said_goodbye() {
            if let Transport::Connected(channel) = &mut self.transport {
                channel.end_stream();
                if channel.wants_to_send() {
                    return Ok(());
                }
            }
            return self.finish_abort();
        }
        Ok(())
    }

    /// Has `request` queue a request, and sends it unless others wait for room.
    pub(super) fn queue<R>(&mut self, request: impl FnOnce(&mut Self) -> R) -> R {
        let waits = self.waits_for_room();
        let queued = request(self);
        if !waits {
            self.send_accepted();
        }
        queued
    }

    /// Whether a request is partly sent, or waits for one that is: until the socket
    /// has room for more, nothing is tried again.
    pub(super) fn waits_for_room(&self) -> bool {
        self.direction() & DIRECTION_WRITE != 0
    }

    /// Sends a command or an option that has been accepted. Its end is told by
    /// its completion, so a failure to send is no failure to issue it.
    pub(super) fn send_accepted(&mut self) {
        let what = match self.state() {
            State::Connecting => "option",
            _ => "command",
        };
        if self.send().is_err() {
            self.debug(format_args!(
                "{what} queued, ignoring state machine failure"
            ));
        }
    }

    /// Handles what has arrived: one reply message at most, over TLS all messages of
    /// one record.
    pub(super) fn receive(&mut self) -> Result<(), Error> {
        let negotiates = self.negotiates();
        let sends = self.machine.wants_to_send();
        let mut left = BUDGET;
        let mut drained = false;
        while self.machine.wants_to_receive() {
            let ended = self.use_arrivals()?;
            let next = self.machine.wants_to_send() && !sends;
            if negotiates && (next || !self.negotiates()) {
                break;
            }
            if ended && self.has_decrypted() {
                continue;
            }
            if ended || left == 0 || drained && self.machine.is_within_part() {
                break;
            }
            match self.receive_once(Wait::No)? {
                Received::NOTHING => break,
                Received::Bytes { count, drained: d } => {
                    left = left.saturating_sub(count);
                    drained = d;
                }
                Received::End => return self.end_of_stream(),
            }
        }
        Ok(())
    }

    /// Waits until something has come, and handles it up to the end of one message.
    /// All arrivals have to be used. False if it did not wait: that depends on the
    /// socket, and on other processes that have it.
    pub(super) fn wait_and_receive(&mut self) -> Result<bool, Error> {
        let large = self.direct().is_some_and(|piece| piece.iov_len >= LARGE);
        let wait = match large {
            true => Wait::ForAll,
            false => Wait::ForAny,
        };
        match self.receive_once(wait)? {
            Received::NOTHING => return Ok(false),
            Received::Bytes { .. } => self.use_arrivals().map(drop)?,
            Received::End => self.end_of_stream()?,
        }
        Ok(true)
    }

    fn negotiates(&self) -> bool {
        self.machine.group() == Group::Connecting
    }

    fn end_of_stream(&mut self) -> Result<(), Error> {
        match self.machine.end_of_stream() {
            Ok(()) => {
                self.abandon_all();
                Ok(())
            }
            Err(error) => Err(self.die(error)),
        }
    }

    /// Whether the next message can be handled without the socket. It has to be
    /// before anything waits for that.
    pub(super) fn has_message_in_hand(&self) -> bool {
        let Transport::Connected(channel) = &self.transport else {
            return false;
        };
        let arrived = self.arrivals.bytes();
        self.machine.wants_to_receive()
            && (channel.has_record()
                || !arrived.is_empty() && self.machine.reaches_end_of_message(arrived))
    }

    /// Whether bytes have been received that the program cannot see in the socket.
    pub(super) fn has_arrivals(&self) -> bool {
        let Transport::Connected(channel) = &self.transport else {
            return false;
        };
        self.machine.wants_to_receive() && (channel.has_record() || !self.arrivals.is_empty())
    }

    fn has_decrypted(&self) -> bool {
        match &self.transport {
            Transport::Connected(channel @ Channel::Tls(_)) => {
                !self.arrivals.is_empty() || channel.has_decrypted()
            }
            _ => false,
        }
    }

    /// Receives with one system call; with TLS, one record. All arrivals have to be
    /// used.
    fn receive_once(&mut self, wait: Wait) -> Result<Received, Error> {
        let ahead = !self.negotiates()
            && !self.shared.debug_enabled()
            && self.shared.begin_receiving_ahead();
        let direct = self.direct();
        let awaited = direct.map_or(0, |piece| piece.iov_len);
        let Transport::Connected(channel) = &mut self.transport else {
            return Ok(Received::NOTHING);
        };
        let tls = matches!(channel, Channel::Tls(_));
        let count = match wait {
            Wait::ForAll => 0,
            _ if ahead || tls => self.read_ahead.limit(awaited, arrivals::MOST),
            _ => self.machine.left_of_message(arrivals::MOST),
        };
        self.read_ahead.receiving(awaited);
        let room = self.arrivals.room().map_err(|_| no_memory())?;
        let after = iovec {
            iov_base: room.as_mut_ptr().cast(),
            iov_len: count,
        };
        let pieces = [direct.unwrap_or(EMPTY), after];
        let pieces = &pieces[usize::from(direct.is_none())..];
        // SAFETY: one piece is within the room for arrivals, the other a part of a
        // read's buffer that the program keeps until the command completes.
        let received = unsafe { channel.recv_raw(pieces, wait, ahead) };
        let count = match &received {
            Ok(Received::Bytes { count, .. }) => *count,
            _ => 0,
        };
        let straight = count.min(awaited);
        self.arrivals.received(count - straight);
        self.machine.received_directly(straight);
        match received {
            // After NBD_CMD_DISC many servers leave without the goodbye of TLS.
            Err(_) if tls && self.machine.is_disconnecting() => Ok(Received::End),
            Err(error) => Err(self.die(error)),
            received => received,
        }
    }

    /// The part of a read's buffer where the next bytes belong.
    fn direct(&self) -> Option<iovec> {
        let (slot, at, length) = self.machine.direct()?;
        match &self.machine.command(slot)?.attachment.buffer {
            Buffer::Read(buffer) => Some(buffer.iovec(at, length)),
            _ => None,
        }
    }

    /// Uses what has arrived up to the end of one message; of the negotiation,
    /// everything. False if all of it is used before a message ends.
    pub(super) fn use_arrivals(&mut self) -> Result<bool, Error> {
        let mut arrivals = std::mem::take(&mut self.arrivals);
        let mut bytes = arrivals.bytes();
        let ended = loop {
            match self.machine.receive(&mut bytes) {
                None => break false,
                Some(Event::MessageEnd) => break true,
                Some(event) => self.act(event)?,
            }
        };
        let used = arrivals.bytes().len() - bytes.len();
        arrivals.use_up(used);
        if self.machine.wants_to_receive() {
            self.arrivals = arrivals;
        }
        let now = self.direct().map_or(0, |piece| piece.iov_len);
        self.read_ahead.used(now);
        if self.machine.group() == Group::Closed {
            self.abandon_all();
        }
        if self.machine.awaits_tls_handshake() {
            self.start_tls_handshake()?;
        }
        Ok(ended)
    }
}

fn no_memory() -> Error {
    Error::new(libc::ENOMEM, "memory to receive replies into")
}

const EMPTY: iovec = iovec {
    iov_base: std::ptr::null_mut(),
    iov_len: 0,
};
