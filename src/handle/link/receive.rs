// SPDX-License-Identifier: LGPL-2.1-or-later

//! From the socket to the machine.
//!
//! The data of a read goes straight to the user's buffer as soon as it is known to
//! be next. Everything else goes through a buffer that a thread lends.

use libc::iovec;

use super::read_ahead::LARGE;
use super::{Link, Lost, Stage};
use crate::error::Error;
use crate::handle::attachment::{put, Buffer};
use crate::machine::Event;
use crate::transport::{arrivals, Channel, Received, Wait};

const EMPTY: iovec = iovec {
    iov_base: std::ptr::null_mut(),
    iov_len: 0,
};

impl Link {
    /// Receives with one system call; with TLS, one record. All arrivals have to be
    /// used. `ahead` allows bytes after the current message.
    pub fn receive(&mut self, wait: Wait, ahead: bool) -> Result<Received, Lost> {
        let direct = self.direct();
        let awaited = direct.map_or(0, |piece| piece.iov_len);
        let Stage::Connected(channel) = &mut self.stage else {
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
            received => Ok(received?),
        }
    }

    /// How to wait by receiving: for all of large data, which takes one system call then.
    pub fn wait_for_data(&self) -> Wait {
        match self.direct() {
            Some(piece) if piece.iov_len >= LARGE => Wait::ForAll,
            _ => Wait::ForAny,
        }
    }

    /// The server has closed its side.
    pub fn end_of_stream(&mut self) -> Result<(), Lost> {
        Ok(self.machine.end_of_stream()?)
    }

    /// The next thing that happened, by what has arrived; `None` when all of it is used.
    /// Data of reads is put in its place.
    pub fn next_event(&mut self) -> Option<Event> {
        let arrived = self.arrivals.bytes();
        let mut bytes = arrived;
        let event = self.machine.receive(&mut bytes, put);
        let used = arrived.len() - bytes.len();
        self.arrivals.use_up(used);
        event
    }

    /// All events up to the end of a message are handled: expects as much as the
    /// machine awaits now.
    pub fn arrivals_used(&mut self) {
        if !self.machine.wants_to_receive() {
            self.arrivals = arrivals::Arrivals::default();
        }
        let now = self.direct().map_or(0, |piece| piece.iov_len);
        self.read_ahead.used(now);
    }

    /// Whether the beginning of a message has arrived, or more.
    pub fn has_beginning(&self) -> bool {
        !self.arrivals.is_empty()
    }

    /// Whether the next message can be handled without the socket. It has to be
    /// before anything waits for that.
    pub fn has_message_in_hand(&self) -> bool {
        let Stage::Connected(channel) = &self.stage else {
            return false;
        };
        let arrived = self.arrivals.bytes();
        self.machine.wants_to_receive()
            && (channel.has_record()
                || !arrived.is_empty() && self.machine.reaches_end_of_message(arrived))
    }

    /// Whether bytes have been received that the program cannot see in the socket.
    pub fn has_arrivals(&self) -> bool {
        let Stage::Connected(channel) = &self.stage else {
            return false;
        };
        self.machine.wants_to_receive() && (channel.has_record() || !self.arrivals.is_empty())
    }

    /// Whether more of a record of TLS can be used without the socket.
    pub fn has_decrypted(&self) -> bool {
        match &self.stage {
            Stage::Connected(channel @ Channel::Tls(_)) => {
                !self.arrivals.is_empty() || channel.has_decrypted()
            }
            _ => false,
        }
    }

    /// The part of a read's buffer where the next bytes belong.
    fn direct(&self) -> Option<iovec> {
        let (cookie, at, length) = self.machine.direct()?;
        match &self.machine.command(cookie)?.attachment.buffer {
            Buffer::Read(buffer) => Some(buffer.iovec(at, length)),
            _ => None,
        }
    }
}

fn no_memory() -> Error {
    Error::new(libc::ENOMEM, "memory to receive replies into")
}
