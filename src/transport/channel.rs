// SPDX-License-Identifier: LGPL-2.1-or-later

//! An established connection, encrypted or not.

use std::io;
use std::os::fd::{AsRawFd, RawFd};

use libc::iovec;

use super::socket::Socket;
use super::tls;
use crate::error::Error;

/// An established connection.
#[derive(Debug)]
pub enum Channel {
    /// Not encrypted.
    Plain(Socket),
    /// Encrypted.
    Tls(Box<tls::Session>),
}

/// The result of one attempt to receive.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// Received bytes, or none if nothing has arrived.
    Bytes {
        /// The number of bytes.
        count: usize,
        /// True if the socket had no more.
        drained: bool,
    },
    /// The server has closed its side.
    End,
}

impl Received {
    /// Makes the result for `count` bytes, possibly followed by more.
    pub(super) fn bytes(count: usize) -> Received {
        Received::Bytes {
            count,
            drained: false,
        }
    }

    /// Nothing has arrived yet.
    pub const NOTHING: Received = Received::Bytes {
        count: 0,
        drained: true,
    };
}

impl Channel {
    /// Interprets the result of a receive of at most `room` bytes from a plain socket.
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

    /// Shuts down both directions of the stream.
    pub fn shutdown_both(&mut self) {
        match self {
            Channel::Plain(socket) => socket.shutdown_both(),
            Channel::Tls(session) => session.shutdown_both(),
        }
    }

    /// Receives into `iov`, in order. With TLS this returns data of one record, as far as it has
    /// arrived; `ahead` allows receiving the records after it, too.
    ///
    /// # Safety
    /// Each element must describe memory that is valid for writes, and that nothing else reads or
    /// writes during the call.
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

    /// Returns true if decrypted bytes are left. They must be used before waiting, as poll(2)
    /// does not see them.
    pub fn has_decrypted(&self) -> bool {
        match self {
            Channel::Plain(_) => false,
            Channel::Tls(session) => session.has_decrypted(),
        }
    }

    /// Returns true if data can be received without reading from the socket.
    pub fn has_record(&self) -> bool {
        match self {
            Channel::Plain(_) => false,
            Channel::Tls(session) => session.has_record(),
        }
    }

    /// Makes the socket non-blocking again, after a call that waited by receiving.
    pub fn make_non_blocking(&self) {
        match self {
            Channel::Plain(socket) => socket.make_non_blocking(),
            Channel::Tls(_) => {}
        }
    }

    /// Sends the bytes of `iov`, in order, as far as the socket accepts them. Returns their
    /// number.
    ///
    /// # Safety
    /// Each element must describe memory that is valid for reads, and that nothing writes during
    /// the call.
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

    /// Shuts down the sending direction. TLS sends a close_notify alert first. Data from the
    /// server can still be received.
    ///
    /// Call it again after a flush, while [`wants_to_send`](Self::wants_to_send) returns true.
    pub fn end_stream(&mut self) {
        match self {
            Channel::Plain(socket) => socket.shutdown_write(),
            Channel::Tls(session) => session.end_stream(),
        }
    }

    /// Returns true if buffered bytes wait until the socket is writable.
    pub fn wants_to_send(&self) -> bool {
        match self {
            Channel::Plain(_) => false,
            Channel::Tls(session) => session.wants_to_send(),
        }
    }

    /// Sends buffered bytes, as far as the socket accepts them.
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
