// SPDX-License-Identifier: LGPL-2.1-or-later

//! Moving bytes between the socket and the machine.
//!
//! Many replies are received with one system call. The data of a read goes
//! straight to the user's buffer as soon as it is known to be next, with
//! whatever follows it received into a buffer behind it. A short read means
//! that the socket is drained: it is not asked again just to say so.

use libc::iovec;

use super::commands::Buffer;
use super::connection::{Connection, Transport};
use super::read_ahead::LARGE;
use super::receive_buffer::ReceiveBuffer;
use crate::error::Error;
use crate::machine::{Group, Piece};
use crate::transport::{Channel, Received, Wait};

/// The most pieces of memory that are sent with one system call. Requests have
/// at most two, and the system takes 1024.
const PIECES: usize = 128;

/// How far to receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// All that there is.
    All,
    /// Nothing behind the reply that has begun.
    Reply,
}

impl Connection {
    /// Sends as much as the socket takes.
    pub(super) fn send(&mut self) -> Result<(), Error> {
        let Transport::Connected(channel) = &mut self.transport else {
            return Ok(());
        };
        if let Err(error) = channel.flush() {
            return self.send_failed(error);
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
                Err(error) => return self.send_failed(error),
            }
        }
        // Nothing follows a goodbye. A server with several threads for each
        // connection closes only when it sees the end of the stream.
        // Source: seen with libnbd 1.24.4.
        if self.machine.has_said_goodbye() {
            if let Transport::Connected(channel) = &mut self.transport {
                channel.end_stream();
            }
        }
        Ok(())
    }

    /// Sends a command or an option that has been accepted. Its end is told by
    /// its completion, so a failure to send is no failure to issue it.
    pub(super) fn send_accepted(&mut self) {
        if let Err(error) = self.send() {
            self.debug(format_args!("{error}"));
        }
    }

    /// The server does not want to hear any more, but what it said before
    /// still counts.
    fn send_failed(&mut self, error: Error) -> Result<(), Error> {
        while let Ok(Received::Bytes { drained: false, .. }) = self.receive_once(Reach::All, false)
        {
        }
        if self.machine.is_disconnecting() {
            // However a server goes that was told to go, it is gone.
            return self.end_of_stream();
        }
        Err(self.die(error))
    }

    /// Receives all that has come, and acts on it.
    pub(super) fn receive(&mut self) -> Result<(), Error> {
        self.receive_waiting(false)?;
        Ok(())
    }

    /// The same, waiting until something has come: poll(2) would be one more system
    /// call for each wait. Says whether it did wait, which depends on the socket, and
    /// on who else has it.
    pub(super) fn wait_and_receive(&mut self) -> Result<bool, Error> {
        self.receive_waiting(true)
    }

    fn receive_waiting(&mut self, mut wait: bool) -> Result<bool, Error> {
        let negotiates = self.negotiates_in_steps();
        let reach = match negotiates {
            true => Reach::Reply,
            false => Reach::All,
        };
        while self.machine.wants_to_receive() {
            match self.receive_once(reach, wait)? {
                Received::NOTHING if wait => return Ok(false),
                Received::Bytes { drained: false, .. } => wait = false,
                Received::Bytes { .. } => break,
                Received::End => {
                    self.end_of_stream()?;
                    break;
                }
            }
            if negotiates && (self.machine.wants_to_send() || !self.negotiates_in_steps()) {
                break;
            }
        }
        Ok(true)
    }

    /// Whether what comes is an answer to what was sent last, and what is behind
    /// it is left in the socket: the negotiation ends with its last reply, and
    /// what a server sends later, though it came at once, is for later calls.
    /// (For TLS, see below.)
    fn negotiates_in_steps(&self) -> bool {
        matches!(self.transport, Transport::Connected(Channel::Plain(_)))
            && self.machine.group() == Group::Connecting
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

    /// Receives with one system call. Large data that is waited for is received
    /// whole, with nothing behind it.
    fn receive_once(&mut self, reach: Reach, wait: bool) -> Result<Received, Error> {
        let mut buffer = ReceiveBuffer::borrow();
        let bytes = buffer.bytes();
        let direct = self.direct();
        let awaited = direct.map_or(0, |piece| piece.iov_len);
        let wait = match wait {
            false => Wait::No,
            true if awaited < LARGE => Wait::ForAny,
            true => Wait::ForAll,
        };
        let behind = iovec {
            iov_base: bytes.as_mut_ptr().cast(),
            iov_len: match reach {
                _ if wait == Wait::ForAll => 0,
                Reach::Reply => bytes.len().min(self.machine.left_of_reply()),
                Reach::All => self.read_ahead.limit(awaited, bytes.len()),
            },
        };
        let pieces = [direct.unwrap_or(EMPTY), behind];
        let pieces = &pieces[usize::from(direct.is_none())..];
        let Transport::Connected(channel) = &mut self.transport else {
            return Ok(Received::NOTHING);
        };
        // SAFETY: one piece is a buffer of this thread's, the other a part of a
        // read's buffer that the program keeps until the command completes.
        let received = match unsafe { channel.recv_raw(pieces, wait) } {
            Ok(received) => received,
            Err(_) if self.machine.is_disconnecting() => return Ok(Received::End),
            Err(error) => return Err(self.die(error)),
        };
        if let Received::Bytes { count, .. } = received {
            let straight = count.min(awaited);
            self.machine.received_directly(straight);
            self.process(&buffer.bytes()[..count - straight])?;
            let left = self.direct().map_or(0, |piece| piece.iov_len);
            self.read_ahead.note(awaited, left);
            if wait == Wait::ForAll {
                // It is probably the end of a reply, and a call that waits for that
                // one has no need to ask for more. Another one waits again.
                return Ok(Received::Bytes {
                    count,
                    drained: true,
                });
            }
        }
        Ok(received)
    }

    /// The part of a read's buffer where the next bytes belong.
    fn direct(&self) -> Option<iovec> {
        let (slot, at, length) = self.machine.direct()?;
        match &self.machine.command(slot)?.attachment.buffer {
            Buffer::Read(buffer) => Some(buffer.iovec(at, length)),
            _ => None,
        }
    }

    /// Acts on bytes that were received.
    pub(super) fn process(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while let Some(event) = self.machine.receive(&mut bytes) {
            self.act(event)?;
        }
        if self.machine.group() == Group::Closed {
            self.abandon_all();
        }
        if self.machine.awaits_tls_handshake() {
            return self.start_tls_handshake();
        }
        Ok(())
    }
}

const EMPTY: iovec = iovec {
    iov_base: std::ptr::null_mut(),
    iov_len: 0,
};
