// SPDX-License-Identifier: LGPL-2.1-or-later

//! A connection to send and receive over, encrypted or not.

use std::io;
use std::os::fd::{AsRawFd, RawFd};

use libc::iovec;

use super::socket::Socket;
use super::tls;
use crate::error::Error;

/// An established connection.
#[derive(Debug)]
pub enum Channel {
    /// As it is.
    Plain(Socket),
    /// Encrypted.
    Tls(Box<tls::Session>),
}

/// What one attempt to receive came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// Bytes, or none where nothing has arrived.
    Bytes {
        /// How many.
        count: usize,
        /// Whether there was no more.
        drained: bool,
    },
    /// The server has closed its side.
    End,
}

impl Received {
    /// So many bytes, after which there may be more.
    pub(super) fn of(count: usize) -> Received {
        Received::Bytes {
            count,
            drained: false,
        }
    }

    /// Nothing has arrived.
    pub const NOTHING: Received = Received::Bytes {
        count: 0,
        drained: true,
    };
}

impl Channel {
    /// What one receive on a plain socket came to, which had room for `room` bytes.
    pub fn received(result: io::Result<usize>, room: usize) -> Result<Received, Error> {
        match result {
            Ok(0) => Ok(Received::End),
            Ok(count) => {
                let drained = count < room;
                Ok(Received::Bytes { count, drained })
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Received::NOTHING),
            Err(error) => Err(Error::system("recv", &error)),
        }
    }

    /// Ends the stream in both directions.
    pub fn shutdown_both(&mut self) {
        match self {
            Channel::Plain(socket) => socket.shutdown_both(),
            Channel::Tls(session) => session.shutdown_both(),
        }
    }

    /// Receives into `iov`, in order. With TLS this is what one record holds, as far
    /// as it has arrived; `ahead` says whether what follows may be received, too.
    ///
    /// # Safety
    /// Each element describes memory that is valid for writes, and that nothing
    /// else reads or writes, until this returns.
    pub unsafe fn recv_raw(&mut self, iov: &[iovec], ahead: bool) -> Result<Received, Error> {
        let socket = match self {
            Channel::Plain(socket) => socket,
            // SAFETY: the caller vouches for the memory.
            Channel::Tls(session) => return unsafe { session.recv_raw(iov, ahead) },
        };
        // SAFETY: as above.
        let received = unsafe { socket.recv_raw(iov) };
        let room = iov.iter().map(|piece| piece.iov_len).sum();
        Channel::received(received, room)
    }

    /// Whether decrypted bytes are left, which have to be used before waiting: the
    /// socket does not show them.
    pub fn has_decrypted(&self) -> bool {
        match self {
            Channel::Plain(_) => false,
            Channel::Tls(session) => session.has_decrypted(),
        }
    }

    /// Whether something can be received although the socket has nothing more.
    pub fn has_record(&self) -> bool {
        match self {
            Channel::Plain(_) => false,
            Channel::Tls(session) => session.has_record(),
        }
    }

    /// Makes the socket non-blocking again, where a call has waited by receiving.
    pub fn make_non_blocking(&self) {
        match self {
            Channel::Plain(socket) => socket.make_non_blocking(),
            Channel::Tls(_) => {}
        }
    }

    /// Sends the bytes of `iov`, in order, as far as the socket takes them, and
    /// says how many that were.
    ///
    /// # Safety
    /// Each element describes memory that is valid for reads, and that nothing
    /// writes, until this returns.
    #[inline]
    pub unsafe fn send_raw(&mut self, iov: &[iovec]) -> Result<usize, Error> {
        let socket = match self {
            Channel::Plain(socket) => socket,
            // SAFETY: the caller vouches for the memory.
            Channel::Tls(session) => return unsafe { session.send_raw(iov) },
        };
        // SAFETY: as above.
        match unsafe { socket.send_raw(iov) } {
            Ok(count) => Ok(count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            Err(error) => Err(Error::system("send", &error)),
        }
    }

    /// Ends the stream to the server: with TLS by a message of its own first. What
    /// the server still has to say can be received.
    ///
    /// Call it again after a flush, as long as [`wants_to_send`](Self::wants_to_send).
    pub fn end_stream(&mut self) {
        match self {
            Channel::Plain(socket) => socket.shutdown_write(),
            Channel::Tls(session) => session.end_stream(),
        }
    }

    /// Whether bytes that were taken over still wait for room in the socket.
    pub fn wants_to_send(&self) -> bool {
        match self {
            Channel::Plain(_) => false,
            Channel::Tls(session) => session.wants_to_send(),
        }
    }

    /// Sends what was taken over, as far as the socket takes it.
    pub fn flush(&mut self) -> Result<(), Error> {
        match self {
            Channel::Plain(_) => Ok(()),
            Channel::Tls(session) => session.flush(),
        }
    }
}

impl AsRawFd for Channel {
    fn as_raw_fd(&self) -> RawFd {
        match self {
            Channel::Plain(socket) => socket.as_raw_fd(),
            Channel::Tls(session) => session.as_raw_fd(),
        }
    }
}
