// SPDX-License-Identifier: LGPL-2.1-or-later

//! Receiving: from the socket to the machine.
//!
//! If the next bytes are data of a read, they are received directly into the user's buffer, or
//! into several buffers. Everything else goes through a buffer of the calling thread.

use std::io;
use std::os::fd::{AsRawFd, RawFd};

use libc::iovec;

use super::direct::Direct;
use super::read_ahead::LARGE;
use super::{Link, Lost, Stage};
use crate::error::Error;
use crate::handle::attachment::{put, Attachment};
use crate::machine::{Event, Machine};
use crate::transport::blocking::{self, Blocking};
use crate::transport::{arrivals, Channel, Received};

/// The maximum number of bytes received by one call with TLS: those of one record.
const MAX_RECORD: usize = 16 * 1024;

/// A receive that a thread makes with the lock released.
#[derive(Debug)]
pub(in crate::handle) struct Receive {
    fd: RawFd,
    /// A part of the buffer of a read in flight.
    direct: Direct,
    /// A part of `buffer`.
    after: iovec,
    /// True to wait until both pieces are full.
    for_all: bool,
    buffer: arrivals::Buffer,
}

impl Receive {
    /// Returns the system call, which waits for data and receives it.
    pub fn blocking(&self) -> Blocking {
        // The program keeps the buffer of a read until its command completes, and while a thread
        // receives, no other thread completes a command or closes the socket
        // (`Holder::Receiving`).
        // SAFETY: the last piece is within `buffer`, and the others are part of such a buffer. A
        // list of pieces is part of this value, which the caller keeps.
        let receive = unsafe {
            match self.direct.list() {
                Some(list) => blocking::Receive::into_list(self.fd, list),
                None => blocking::Receive::new(self.fd, self.direct.one(), self.after),
            }
        };
        Blocking::Receive(match self.for_all {
            true => receive.for_all(),
            false => receive,
        })
    }
}

impl Link {
    /// Receives available data with one system call; with TLS, one record. Previously received
    /// bytes must have been used. `ahead` allows bytes after the current message.
    pub fn receive(&mut self, ahead: bool) -> Result<Received, Lost> {
        let Stage::Connected(channel) = &mut self.stage else {
            return Ok(Received::NOTHING);
        };
        let tls = matches!(channel, Channel::Tls(_));
        let mut direct = Direct::next(&self.machine, if tls { MAX_RECORD } else { usize::MAX });
        let awaited = direct.data();
        let count = match ahead || tls {
            _ if direct.length() < awaited => 0,
            true => self.read_ahead.limit(awaited, arrivals::BUFFER_SIZE),
            false => after_direct(&self.machine, awaited),
        };
        self.read_ahead.receiving(awaited);
        let room = self.arrivals.room().map_err(|_| no_memory())?;
        let after = iovec {
            iov_base: room.as_mut_ptr().cast(),
            iov_len: count.min(room.len()),
        };
        let two;
        let pieces = match direct.complete_list(after) {
            Some(list) => list,
            None => {
                let one = direct.one();
                two = [one.unwrap_or(after), after];
                &two[usize::from(one.is_none())..]
            }
        };
        // SAFETY: the last piece is within the room for arrivals, the others are part of a read's
        // buffer, which the program keeps until the command completes.
        let received = unsafe { channel.recv_raw(pieces, ahead) };
        let count = match &received {
            Ok(Received::Bytes { count, .. }) => *count,
            _ => 0,
        };
        let direct_count = count.min(direct.length());
        self.arrivals.received(count - direct_count);
        self.machine.received_directly(direct_count);
        match received {
            // After NBD_CMD_DISC, many servers close the connection without close_notify.
            Err(_) if tls && self.machine.is_disconnecting() => Ok(Received::End),
            received => Ok(received?),
        }
    }

    /// Prepares to wait by receiving, on a plain socket. Large data is received completely by
    /// this one system call. Previously received bytes must have been used, and nothing else may
    /// be received before [`Link::finish_receive`].
    pub fn begin_receive(&mut self, ahead: bool) -> Result<Receive, Lost> {
        let mut direct = Direct::next(&self.machine, usize::MAX);
        let awaited = direct.data();
        let Stage::Connected(Channel::Plain(socket)) = &self.stage else {
            return Err(Error::new(libc::ENOTCONN, "recv").into());
        };
        socket.make_blocking();
        let fd = socket.as_raw_fd();
        let for_all = awaited >= LARGE;
        let count = match ahead {
            _ if for_all || direct.length() < awaited => 0,
            true => self.read_ahead.limit(awaited, arrivals::BUFFER_SIZE),
            false => after_direct(&self.machine, awaited),
        };
        self.read_ahead.receiving(awaited);
        let mut buffer = self.arrivals.take_buffer().map_err(|_| no_memory())?;
        let after = iovec {
            iov_base: buffer.as_mut_ptr().cast(),
            iov_len: count.min(buffer.len()),
        };
        direct.complete_list(after);
        Ok(Receive {
            fd,
            direct,
            after,
            for_all,
            buffer,
        })
    }

    /// Handles the result of the system call.
    pub fn finish_receive(
        &mut self,
        receive: Receive,
        result: io::Result<usize>,
    ) -> Result<Received, Lost> {
        let length = receive.direct.length();
        let received = Channel::received(result, length + receive.after.iov_len);
        let count = match &received {
            Ok(Received::Bytes { count, .. }) => *count,
            _ => 0,
        };
        let direct_count = count.min(length);
        self.arrivals
            .return_buffer(receive.buffer, count - direct_count);
        self.machine.received_directly(direct_count);
        Ok(received?)
    }

    /// Handles the end of the stream.
    pub fn end_of_stream(&mut self) -> Result<(), Lost> {
        Ok(self.machine.end_of_stream()?)
    }

    /// Returns the next event in the received bytes; `None` when all of them are used. Stores
    /// data of reads in their buffers.
    pub fn next_event(&mut self) -> Option<Event> {
        let arrived = self.arrivals.bytes();
        let mut bytes = arrived;
        let event = self.machine.receive(&mut bytes, put);
        let used = arrived.len() - bytes.len();
        self.arrivals.consume(used);
        event
    }

    /// Records that all events up to the end of a message were handled, for reading ahead.
    pub fn arrivals_parsed(&mut self) {
        if !self.machine.wants_to_receive() {
            self.arrivals = arrivals::Arrivals::default();
        }
        self.read_ahead.used(Direct::expected(&self.machine));
    }

    /// Returns an unused buffer to the thread, before the call ends or waits.
    pub fn release_memory(&mut self) {
        self.arrivals.release_if_empty();
    }

    /// Returns true if bytes of a message have arrived.
    pub fn has_unparsed(&self) -> bool {
        !self.arrivals.is_empty()
    }

    /// Returns true if the next message can be handled without the socket. This must be done
    /// before waiting for the socket.
    pub fn has_complete_message(&self) -> bool {
        let Stage::Connected(channel) = &self.stage else {
            return false;
        };
        let arrived = self.arrivals.bytes();
        self.machine.wants_to_receive()
            && (channel.has_record()
                || !arrived.is_empty() && self.machine.reaches_end_of_message(arrived))
    }

    /// Returns true if there are received bytes, which the program cannot see by polling the
    /// socket.
    pub fn has_arrivals(&self) -> bool {
        let Stage::Connected(channel) = &self.stage else {
            return false;
        };
        self.machine.wants_to_receive() && (channel.has_record() || !self.arrivals.is_empty())
    }

    /// Returns true if more of a TLS record can be used without the socket.
    pub fn has_decrypted(&self) -> bool {
        match &self.stage {
            Stage::Connected(channel @ Channel::Tls(_)) => {
                !self.arrivals.is_empty() || channel.has_decrypted()
            }
            _ => false,
        }
    }
}

/// Returns the number of bytes to receive after the `awaited` bytes of a read's buffer, without
/// exceeding the message.
fn after_direct(machine: &Machine<Attachment>, awaited: usize) -> usize {
    let left = machine.rest_of_message(awaited.saturating_add(arrivals::BUFFER_SIZE));
    left.saturating_sub(awaited)
}

fn no_memory() -> Error {
    Error::new(libc::ENOMEM, "memory to receive replies into")
}
