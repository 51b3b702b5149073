// SPDX-License-Identifier: LGPL-2.1-or-later

//! Between GnuTLS and the socket: encrypted records, buffered both ways.
//!
//! GnuTLS by itself makes two system calls for a record that it receives, and
//! one for each that it sends. Here one call receives as many as there are,
//! and what is sent is collected until it is worth a call.

use std::ffi::c_void;
use std::io;

use libc::{iovec, size_t, ssize_t};

use super::gnutls::{Gnutls, RawSession};
use crate::transport::{Socket, Wait};

/// Bytes received with one system call at most.
const RECEIVE: usize = 64 * 1024;

/// The socket of a session, with the records on their way in and out. GnuTLS
/// has its address.
#[derive(Debug)]
pub(super) struct Records {
    pub socket: Socket,
    gnutls: &'static Gnutls,
    session: *mut RawSession,
    /// Received, and not taken by GnuTLS yet from `taken` on.
    incoming: Vec<u8>,
    taken: usize,
    /// The socket had less than there was room for: there is no more, and no
    /// need to ask.
    drained: bool,
    blocked: bool,
    /// Made by GnuTLS, and not sent yet from `sent` on.
    outgoing: Vec<u8>,
    sent: usize,
    /// The failure of the socket that GnuTLS only knows as a failure.
    pub failure: Option<io::Error>,
}

impl Records {
    pub fn new(socket: Socket, gnutls: &'static Gnutls, session: *mut RawSession) -> Self {
        Records {
            socket,
            gnutls,
            session,
            incoming: Vec::new(),
            taken: 0,
            drained: false,
            blocked: false,
            outgoing: Vec::new(),
            sent: 0,
            failure: None,
        }
    }

    /// Bytes that wait to be sent.
    pub fn backlog(&self) -> usize {
        self.outgoing.len() - self.sent
    }

    /// Sends what waits, as far as the socket takes it.
    pub fn flush(&mut self) -> io::Result<()> {
        while self.sent < self.outgoing.len() {
            match self
                .socket
                .send(&[io::IoSlice::new(&self.outgoing[self.sent..])])
            {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        self.outgoing.clear();
        self.sent = 0;
        Ok(())
    }

    /// The socket may be asked again.
    pub fn expect_more(&mut self) {
        self.drained = false;
        self.blocked = false;
    }

    /// Whether GnuTLS had to be told that nothing more has arrived. It stops
    /// for other reasons too, such as a session ticket between other records.
    pub fn is_blocked(&self) -> bool {
        self.blocked
    }

    fn receive(&mut self) -> io::Result<()> {
        self.incoming.clear();
        self.taken = 0;
        self.incoming.reserve(RECEIVE);
        if self.drained {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let spare = self.incoming.spare_capacity_mut();
        let piece = iovec {
            iov_base: spare.as_mut_ptr().cast(),
            iov_len: spare.len(),
        };
        // SAFETY: the piece is spare capacity of the buffer: ours to write to.
        let count = unsafe { self.socket.recv_raw(&[piece], Wait::No)? };
        self.drained = 0 < count && count < piece.iov_len;
        // SAFETY: the system has written that many bytes.
        unsafe { self.incoming.set_len(count) };
        Ok(())
    }

    /// The next bytes for GnuTLS, at most `length`. None at all is the end of
    /// the stream.
    fn take(&mut self, length: usize) -> io::Result<&[u8]> {
        if self.taken == self.incoming.len() {
            self.receive()?;
        }
        let from = self.taken;
        self.taken = self.incoming.len().min(from + length);
        Ok(&self.incoming[from..self.taken])
    }
}

/// `gnutls_pull_func`: hands received bytes to GnuTLS.
///
/// # Safety
/// `records` points to the [`Records`] of the session that calls, which nothing
/// else uses during the call, and `data` to `length` writable bytes.
pub(super) unsafe extern "C" fn pull(
    records: *mut c_void,
    data: *mut c_void,
    length: size_t,
) -> ssize_t {
    // SAFETY: the caller vouches for the pointer, and that it is used alone.
    let records = unsafe { &mut *records.cast::<Records>() };
    match records.take(length) {
        Ok(bytes) => {
            // SAFETY: there is room for `length` bytes, which these are at
            // most, in memory of GnuTLS's own.
            unsafe {
                data.cast::<u8>()
                    .copy_from_nonoverlapping(bytes.as_ptr(), bytes.len())
            };
            bytes.len() as ssize_t
        }
        Err(error) => {
            let errno = match error.kind() {
                io::ErrorKind::WouldBlock => {
                    records.blocked = true;
                    libc::EAGAIN
                }
                _ => {
                    let errno = error.raw_os_error().unwrap_or(libc::EIO);
                    records.failure = Some(error);
                    errno
                }
            };
            // SAFETY: the session is the one that is calling.
            unsafe { (records.gnutls.transport_set_errno)(records.session, errno) };
            -1
        }
    }
}

/// `gnutls_push_func`: takes over bytes for the server. It always takes all, so
/// that GnuTLS never has to be called again to finish a record.
///
/// # Safety
/// `records` points to the [`Records`] of the session that calls, which nothing
/// else uses during the call, and `data` to `length` readable bytes.
pub(super) unsafe extern "C" fn push(
    records: *mut c_void,
    data: *const c_void,
    length: size_t,
) -> ssize_t {
    // SAFETY: the caller vouches for both.
    let (records, data) = unsafe {
        (
            &mut *records.cast::<Records>(),
            std::slice::from_raw_parts(data.cast::<u8>(), length),
        )
    };
    records.outgoing.extend_from_slice(data);
    length as ssize_t
}
