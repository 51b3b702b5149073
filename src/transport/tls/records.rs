// SPDX-License-Identifier: LGPL-2.1-or-later

//! Buffers of encrypted records, between GnuTLS and the socket.
//!
//! By itself, GnuTLS makes two system calls for each received record, and one for each record
//! sent. Here one call receives as many records as are available, if programs cannot notice, and
//! sent records are collected until a call is worthwhile.

use std::any::Any;
use std::ffi::c_void;
use std::io;
use std::panic::{catch_unwind, AssertUnwindSafe};

use libc::{iovec, size_t, ssize_t};

use super::gnutls::{Gnutls, RawSession};
use crate::transport::{Arrivals, Socket};

/// The length of a record header in bytes. Its last two bytes are the payload length.
/// Source: RFC 8446, "Record Layer".
const HEADER_LENGTH: usize = 5;

/// An upper bound for the payload of a record: GnuTLS refuses longer ones.
const MAX_RECORD: usize = 32 * 1024;

/// The socket of a session, with its incoming and outgoing records. GnuTLS has its address.
#[derive(Debug)]
pub(super) struct Records {
    pub socket: Socket,
    gnutls: &'static Gnutls,
    session: *mut RawSession,
    /// Received bytes that GnuTLS has not read yet. They start at the beginning of a record,
    /// except during a call of GnuTLS, which reads each record completely.
    incoming: Arrivals,
    /// True if more may be received than GnuTLS asks for.
    ahead: bool,
    /// Records made by GnuTLS; those from `sent` on are not sent yet.
    outgoing: Vec<u8>,
    sent: usize,
    /// The last error of the socket, which GnuTLS reports without details.
    pub failure: Option<io::Error>,
    /// A panic in a callback. It must not unwind through GnuTLS, so it is resumed after GnuTLS
    /// has returned.
    pub panic: Option<Box<dyn Any + Send>>,
}

impl Records {
    pub fn new(socket: Socket, gnutls: &'static Gnutls, session: *mut RawSession) -> Self {
        Records {
            socket,
            gnutls,
            session,
            incoming: Arrivals::default(),
            ahead: false,
            outgoing: Vec::new(),
            sent: 0,
            failure: None,
            panic: None,
        }
    }

    /// Returns the number of bytes not sent yet.
    pub fn backlog(&self) -> usize {
        self.outgoing.len() - self.sent
    }

    /// Sends buffered bytes, as far as the socket accepts them. On failure, they are discarded.
    pub fn flush(&mut self) -> io::Result<()> {
        while self.sent < self.outgoing.len() {
            match self
                .socket
                .send(&[io::IoSlice::new(&self.outgoing[self.sent..])])
            {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => {
                    self.forget_outgoing();
                    return Err(error);
                }
            }
        }
        self.forget_outgoing();
        Ok(())
    }

    fn forget_outgoing(&mut self) {
        self.outgoing.clear();
        self.sent = 0;
    }

    /// Prepares for a GnuTLS call that receives. If `ahead`, it may receive more than GnuTLS asks
    /// for.
    pub fn begin(&mut self, ahead: bool) {
        self.ahead = ahead;
    }

    /// Returns true if a complete record has been received that GnuTLS has not read yet.
    pub fn has_record(&self) -> bool {
        let bytes = self.incoming.bytes();
        let Some(&[.., high, low]) = bytes.first_chunk::<HEADER_LENGTH>() else {
            return false;
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        length > MAX_RECORD || bytes.len() - HEADER_LENGTH >= length
    }

    /// Receives what GnuTLS asks for, or, reading ahead, as much as there is room for.
    fn receive(&mut self, length: usize) -> io::Result<()> {
        let room = self.incoming.room()?;
        let length = match self.ahead {
            true => room.len(),
            false => room.len().min(length),
        };
        let piece = iovec {
            iov_base: room.as_mut_ptr().cast(),
            iov_len: length,
        };
        // SAFETY: the piece is within the room, which is ours to write to.
        let received = unsafe { self.socket.recv_raw(&[piece]) };
        self.incoming.received(*received.as_ref().unwrap_or(&0));
        self.incoming.release_if_empty();
        received.map(drop)
    }

    /// Passes the next bytes to `take`, at most `length`. None is the end of the stream.
    fn take<T>(&mut self, length: usize, take: impl FnOnce(&[u8]) -> T) -> io::Result<T> {
        if self.incoming.is_empty() {
            self.receive(length)?;
        }
        let bytes = self.incoming.bytes();
        let count = bytes.len().min(length);
        let taken = take(&bytes[..count]);
        self.incoming.consume(count);
        self.incoming.release_if_empty();
        Ok(taken)
    }

    /// Runs the body of a callback. Returns the value for GnuTLS: a number of bytes, or -1 with
    /// errno.
    fn guard(&mut self, run: impl FnOnce(&mut Records) -> io::Result<usize>) -> ssize_t {
        // Unwind safety: after a panic the session is not used again.
        let errno = match catch_unwind(AssertUnwindSafe(|| run(self))) {
            Ok(Ok(count)) => return count as ssize_t,
            Ok(Err(error)) if error.kind() == io::ErrorKind::WouldBlock => libc::EAGAIN,
            Ok(Err(error)) => {
                let errno = error.raw_os_error().unwrap_or(libc::EIO);
                self.failure = Some(error);
                errno
            }
            Err(panic) => {
                self.panic = Some(panic);
                libc::EIO
            }
        };
        // SAFETY: the session is the one that is calling.
        unsafe { (self.gnutls.transport_set_errno)(self.session, errno) };
        -1
    }
}

/// `gnutls_pull_func`: passes received bytes to GnuTLS.
///
/// # Safety
/// `records` must point to the [`Records`] of the calling session, which nothing else uses during
/// the call, and `data` to `length` writable bytes.
pub(super) unsafe extern "C" fn pull(
    records: *mut c_void,
    data: *mut c_void,
    length: size_t,
) -> ssize_t {
    // SAFETY: the caller vouches for the pointer, and that it is used alone.
    let records = unsafe { &mut *records.cast::<Records>() };
    records.guard(|records| {
        records.take(length, |bytes| {
            // SAFETY: there is room for `length` bytes in memory of GnuTLS, and these are not
            // more.
            unsafe {
                data.cast::<u8>()
                    .copy_from_nonoverlapping(bytes.as_ptr(), bytes.len())
            };
            bytes.len()
        })
    })
}

/// `gnutls_push_func`: buffers bytes for the server. It always accepts all of them, so that
/// GnuTLS never has to be called again to finish a record.
///
/// # Safety
/// `records` must point to the [`Records`] of the calling session, which nothing else uses during
/// the call, and `data` to `length` readable bytes.
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
    records.guard(|records| {
        let room = records.outgoing.try_reserve(length);
        room.map_err(|_| io::Error::from_raw_os_error(libc::ENOMEM))?;
        records.outgoing.extend_from_slice(data);
        Ok(length)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::tls::gnutls::{self, CLIENT, E_PULL_ERROR, NONBLOCK};
    use std::ptr::{null_mut, NonNull};

    unsafe extern "C" fn panics(records: *mut c_void, _: *mut c_void, _: size_t) -> ssize_t {
        // SAFETY: as for `pull`.
        let records = unsafe { &mut *records.cast::<Records>() };
        records.guard(|_| panic!("out of order"))
    }

    #[test]
    fn a_panic_comes_back_from_gnutls() {
        let gnutls = gnutls::load().unwrap();
        let (ours, _theirs) = Socket::pair().unwrap();
        let (mut session, mut credentials) = (null_mut(), null_mut());
        // SAFETY: GnuTLS's functions, used as its manual says.
        unsafe {
            assert_eq!((gnutls.init)(&mut session, CLIENT | NONBLOCK), 0);
            let priority = c"NORMAL".as_ptr();
            let status = (gnutls.priority_set_direct)(session, priority, null_mut());
            assert_eq!(status, 0);
            let status = (gnutls.certificate_allocate_credentials)(&mut credentials);
            assert_eq!(status, 0);
            let status = (gnutls.credentials_set)(session, gnutls::CRD_CERTIFICATE, credentials);
            assert_eq!(status, 0);
            let records = Box::leak(Box::new(Records::new(ours, gnutls, session)));
            let records = NonNull::from(records);
            (gnutls.transport_set_ptr)(session, records.as_ptr().cast());
            (gnutls.transport_set_push_function)(session, push);
            (gnutls.transport_set_pull_function)(session, panics);
            assert_eq!((gnutls.handshake)(session), E_PULL_ERROR);
            (gnutls.deinit)(session);
            (gnutls.certificate_free_credentials)(credentials);

            let mut records = Box::from_raw(records.as_ptr());
            let panic = records.panic.take().expect("it is kept");
            assert_eq!(panic.downcast_ref(), Some(&"out of order"));
            assert!(records.backlog() > 0, "the handshake had begun");
        }
    }
}
