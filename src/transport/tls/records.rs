// SPDX-License-Identifier: LGPL-2.1-or-later

//! Between GnuTLS and the socket: encrypted records, buffered both ways.
//!
//! GnuTLS by itself makes two system calls for a record that it receives, and
//! one for each that it sends. Here one call receives as many as there are, where
//! programs cannot notice, and what is sent is collected until it is worth a call.

use std::any::Any;
use std::ffi::c_void;
use std::io;
use std::panic::{catch_unwind, AssertUnwindSafe};

use libc::{iovec, size_t, ssize_t};

use super::gnutls::{Gnutls, RawSession};
use crate::transport::{arrivals, Arrivals, Socket};

/// The header of a record, in bytes, which ends with two bytes of length.
/// Source: RFC 8446, "Record Layer".
const HEADER: usize = 5;

/// No record has a longer payload, in bytes: GnuTLS refuses one that claims so.
const LONGEST: usize = arrivals::MOST - HEADER;

/// The socket of a session, with the records on their way in and out. GnuTLS
/// has its address.
#[derive(Debug)]
pub(super) struct Records {
    pub socket: Socket,
    gnutls: &'static Gnutls,
    session: *mut RawSession,
    /// Received, and not taken by GnuTLS yet. They begin with a record, except
    /// during a call of GnuTLS, which takes each record whole.
    incoming: Arrivals,
    /// Whether to receive more than GnuTLS asks for.
    ahead: bool,
    /// Made by GnuTLS, and not sent yet from `sent` on.
    outgoing: Vec<u8>,
    sent: usize,
    /// The failure of the socket that GnuTLS only knows as a failure.
    pub failure: Option<io::Error>,
    /// A panic in a function that GnuTLS has called: to go on with when GnuTLS,
    /// which it cannot pass, has returned.
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

    /// Bytes that wait to be sent.
    pub fn backlog(&self) -> usize {
        self.outgoing.len() - self.sent
    }

    /// Sends what waits, as far as the socket takes it. After a failure nothing
    /// waits any more.
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

    /// Begins a call of GnuTLS that receives: more than it asks for, if `ahead`.
    pub fn begin(&mut self, ahead: bool) {
        self.ahead = ahead;
    }

    /// Whether a whole record has been received that GnuTLS has not taken yet.
    pub fn has_record(&self) -> bool {
        let bytes = self.incoming.bytes();
        let Some(&[.., high, low]) = bytes.first_chunk::<HEADER>() else {
            return false;
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        length > LONGEST || bytes.len() - HEADER >= length
    }

    /// Receives what GnuTLS asks for, or as much as there is room for.
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
        self.incoming.give_back_if_empty();
        received.map(drop)
    }

    /// Hands the next bytes to `take`, at most `length`. None at all is the end of
    /// the stream.
    fn take<T>(&mut self, length: usize, take: impl FnOnce(&[u8]) -> T) -> io::Result<T> {
        if self.incoming.is_empty() {
            self.receive(length)?;
        }
        let bytes = self.incoming.bytes();
        let count = bytes.len().min(length);
        let taken = take(&bytes[..count]);
        self.incoming.use_up(count);
        self.incoming.give_back_if_empty();
        Ok(taken)
    }

    /// Runs what GnuTLS has called, and gives what GnuTLS is to be given: a number
    /// of bytes, or -1 with an errno.
    fn guard(&mut self, run: impl FnOnce(&mut Records) -> io::Result<usize>) -> ssize_t {
        // Unwind safety: after a panic the session is not used any more.
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
    records.guard(|records| {
        records.take(length, |bytes| {
            // SAFETY: there is room for `length` bytes, which these are at most,
            // in memory of GnuTLS's own.
            unsafe {
                data.cast::<u8>()
                    .copy_from_nonoverlapping(bytes.as_ptr(), bytes.len())
            };
            bytes.len()
        })
    })
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
