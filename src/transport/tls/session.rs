// SPDX-License-Identifier: LGPL-2.1-or-later

//! TLS sessions, from the handshake to the end.

use std::ffi::{c_int, CString};
use std::fmt;
use std::os::fd::{AsRawFd, RawFd};
use std::panic::resume_unwind;
use std::ptr::{null_mut, NonNull};

use libc::iovec;

use super::credentials::{is_server_name, Credentials};
use super::error::{check, session_error};
use super::gnutls::{
    Gnutls, RawSession, TypedData, CLIENT, DT_DNS_HOSTNAME, DT_KEY_PURPOSE_OID, E_AGAIN,
    E_INTERRUPTED, E_PULL_ERROR, E_PUSH_ERROR, NAME_DNS, NONBLOCK, NO_SIGNAL, SERVER_PURPOSE,
    SHUT_WR,
};
use super::records::{self, Records};
use crate::error::Error;
use crate::memory;
use crate::transport::arrivals::Buffer;
use crate::transport::channel::Received;
use crate::transport::Socket;

/// The maximum payload of a record, in bytes.
const RECORD_SIZE: usize = 16384;

/// The number of encrypted bytes collected before they are sent.
const BATCH_SIZE: usize = 128 * 1024;

/// The number of warning alerts that one step of a handshake ignores.
/// Source: seen with libnbd 1.24.4.
const MAX_WARNINGS: u32 = 16;

/// A session during its handshake.
#[derive(Debug)]
pub struct Handshake(Box<Session>);

/// The progress of a handshake.
#[derive(Debug)]
pub enum HandshakeStep {
    /// It continues when the socket is ready.
    Pending(Handshake),
    /// Complete. The peer is authenticated as far as configured.
    Established(Box<Session>),
}

/// An encrypted connection: received data was sent by the server of the handshake, and no third
/// party can read the data sent.
pub struct Session {
    gnutls: &'static Gnutls,
    raw: *mut RawSession,
    /// Owned, and shared with GnuTLS, which has its address. Borrowed only between calls of
    /// GnuTLS.
    records: NonNull<Records>,
    /// The requirements for the certificate, referred to by GnuTLS.
    _expected: Option<Expected>,
    credentials: Credentials,
    /// The maximum payload of a record of this session.
    record_size: usize,
    /// True if close_notify can be sent: the handshake is complete, no call has failed, and it
    /// has not been sent yet.
    open: bool,
    /// The process that owns the session. A forked child has a copy, and must not send anything
    /// on the shared connection.
    process: u32,
}

// SAFETY: GnuTLS sessions may be used by any thread, one at a time; the pointers refer to memory
// of this session only.
unsafe impl Send for Session {}

impl Handshake {
    /// Shuts down both directions of the stream, without close_notify.
    pub fn shutdown_both(&mut self) {
        self.0.shutdown_both();
    }

    /// Prepares a handshake over `socket`. Nothing is sent yet.
    pub fn new(socket: Socket, credentials: Credentials) -> Result<Handshake, Error> {
        let gnutls = credentials.gnutls();
        let mut raw = null_mut();
        let flags = CLIENT | NONBLOCK | NO_SIGNAL;
        // SAFETY: the new session is written to `raw`.
        let status = unsafe { (gnutls.init)(&mut raw, flags) };
        check(gnutls, "gnutls_init", status)?;
        let records = Box::new(Records::new(socket, gnutls, raw));
        let mut session = Box::new(Session {
            gnutls,
            raw,
            records: NonNull::from(Box::leak(records)),
            _expected: None,
            credentials,
            record_size: RECORD_SIZE,
            open: false,
            process: std::process::id(),
        });
        session.prepare()?;
        Ok(Handshake(session))
    }

    /// Continues as far as the socket allows.
    pub fn advance(mut self) -> Result<HandshakeStep, Error> {
        let session = &mut self.0;
        let mut warnings = 0;
        session.records().begin(false);
        loop {
            // SAFETY: the session is live, and the records are not borrowed.
            let status = unsafe { (session.gnutls.handshake)(session.raw) };
            // First of all, send pending data: a failed handshake leaves an alert that gives the
            // server the reason.
            let flushed = session.records().flush();
            match status {
                0 => {
                    flushed.map_err(|error| Error::system("send", &error))?;
                    session.established()?;
                    return Ok(HandshakeStep::Established(self.0));
                }
                E_AGAIN | E_INTERRUPTED => {
                    flushed.map_err(|error| Error::system("send", &error))?;
                    return Ok(HandshakeStep::Pending(self));
                }
                _ if !session.is_fatal(status) && warnings < MAX_WARNINGS => warnings += 1,
                _ => return Err(session.error("gnutls_handshake", status)),
            }
        }
    }

    /// Returns true if the handshake waits for data from the server, false if it waits to send.
    pub fn wants_to_receive(&self) -> bool {
        !self.wants_to_send()
    }

    /// Returns true if data is waiting to be sent.
    pub fn wants_to_send(&self) -> bool {
        self.0.wants_to_send()
    }
}

impl AsRawFd for Handshake {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl Session {
    fn prepare(&mut self) -> Result<(), Error> {
        self.credentials.apply(self.raw)?;
        let gnutls = self.gnutls;
        let hostname = self.credentials.hostname();
        if let Some(name) = hostname.filter(|name| is_server_name(name)) {
            let name = name.as_bytes();
            // SAFETY: the session is live, and copies the name.
            let status = unsafe {
                (gnutls.server_name_set)(self.raw, NAME_DNS, name.as_ptr().cast(), name.len())
            };
            check(gnutls, "gnutls_server_name_set", status)?;
        }
        if self.credentials.verifies_certificate()? {
            let mut expected = Expected::new(memory::copy_option(hostname.map(CString::as_c_str))?);
            // SAFETY: the session is live; `expected` has a stable address and outlives the
            // session.
            unsafe {
                let count = expected.data.len() as u32;
                let data = expected.data.as_mut_ptr();
                (gnutls.session_set_verify_cert2)(self.raw, data, count, 0);
            }
            self._expected = Some(expected);
        }
        // SAFETY: the session is live; the records have a stable address and outlive it, and the
        // functions are made for them.
        unsafe {
            (gnutls.transport_set_ptr)(self.raw, self.records.as_ptr().cast());
            (gnutls.transport_set_pull_function)(self.raw, records::pull);
            (gnutls.transport_set_push_function)(self.raw, records::push);
        }
        Ok(())
    }

    fn established(&mut self) -> Result<(), Error> {
        // SAFETY: the session is live.
        let kind = unsafe { (self.gnutls.auth_server_get_type)(self.raw) };
        self.credentials.check_authentication(kind)?;
        // SAFETY: the session is live.
        let size = unsafe { (self.gnutls.record_get_max_size)(self.raw) };
        self.record_size = size.clamp(1, RECORD_SIZE);
        self.open = true;
        Ok(())
    }

    fn records(&mut self) -> &mut Records {
        // SAFETY: they live as long as the session. Only calls of GnuTLS use them besides, and no
        // borrow from here lasts until such a call.
        unsafe { self.records.as_mut() }
    }

    /// Returns true if encrypted bytes wait until the socket is writable.
    pub fn wants_to_send(&self) -> bool {
        // SAFETY: as in `records`.
        unsafe { self.records.as_ref().backlog() > 0 }
    }

    /// Sends buffered encrypted bytes, as far as the socket accepts them.
    pub fn flush(&mut self) -> Result<(), Error> {
        let flushed = self.records().flush();
        flushed.map_err(|error| self.socket_error("send", &error))
    }

    /// Returns true if decrypted bytes are left.
    pub fn has_decrypted(&self) -> bool {
        // SAFETY: the session is live.
        unsafe { (self.gnutls.record_check_pending)(self.raw) > 0 }
    }

    /// Returns true if data can be received without reading from the socket.
    pub fn has_record(&self) -> bool {
        // SAFETY: as in `records`.
        self.has_decrypted() || unsafe { self.records.as_ref().has_record() }
    }

    /// Receives data of one record into `iov`, in order, as far as there is room. With `ahead`,
    /// encrypted bytes of later records may be received into a buffer.
    ///
    /// # Safety
    /// Each element must describe memory that is valid for writes, and that nothing else reads or
    /// writes during the call.
    pub unsafe fn recv_raw(&mut self, iov: &[iovec], ahead: bool) -> Result<Received, Error> {
        let mut received = 0;
        self.records().begin(ahead);
        for piece in iov.iter().filter(|piece| piece.iov_len > 0) {
            let mut at = 0;
            while at < piece.iov_len {
                if received > 0 && !self.has_decrypted() {
                    return Ok(Received::bytes(received));
                }
                // SAFETY: the caller vouches for the memory; this is the rest of it. The session
                // is live, and the records are not borrowed.
                let status = unsafe {
                    let rest = piece.iov_base.byte_add(at);
                    (self.gnutls.record_recv)(self.raw, rest, piece.iov_len - at)
                };
                match status {
                    1.. => {
                        at += status as usize;
                        received += status as usize;
                    }
                    _ if received > 0 => return Ok(Received::bytes(received)),
                    0 => return Ok(Received::End),
                    _ => return self.nothing_received(status as c_int),
                }
            }
        }
        Ok(Received::bytes(received))
    }

    /// Interprets a receive that returned no data. GnuTLS also returns `E_AGAIN` after a record
    /// without data, such as a session ticket. Other records may follow, but a server can send
    /// such records endlessly, so the call returns.
    /// Source: seen with libnbd 1.24.4, which fails after warnings, too.
    fn nothing_received(&mut self, status: c_int) -> Result<Received, Error> {
        match status {
            E_AGAIN | E_INTERRUPTED => Ok(Received::NOTHING),
            status => Err(self.error("gnutls_record_recv", status)),
        }
    }

    /// Encrypts and sends the bytes of `iov`, in order, as far as the socket accepts them.
    /// Returns their number. Records are filled: a request and its payload share one, as do small
    /// requests.
    ///
    /// # Safety
    /// Each element must describe memory that is valid for reads, and that nothing writes during
    /// the call.
    pub unsafe fn send_raw(&mut self, iov: &[iovec]) -> Result<usize, Error> {
        // A record is assembled here from pieces, and not on the stack, which may be small.
        let staging = Buffer::borrow().map_err(|error| Error::system("malloc", &error));
        let mut staging = staging?;
        let record_size = self.record_size.min(staging.len());
        let mut sent = 0;
        let (mut index, mut at) = (0, 0);
        loop {
            self.flush()?;
            if self.wants_to_send() {
                return Ok(sent);
            }
            while self.records().backlog() < BATCH_SIZE {
                // SAFETY: the caller vouches for the memory.
                let record =
                    unsafe { gather(iov, &mut index, &mut at, &mut staging[..record_size]) };
                let (data, length) = record;
                if length == 0 {
                    self.flush()?;
                    return Ok(sent);
                }
                // SAFETY: the record is memory that the caller vouches for, or a copy of it. The
                // session is live, and the records are not borrowed.
                let status = unsafe { (self.gnutls.record_send)(self.raw, data.cast(), length) };
                if status != length as isize {
                    return Err(self.error("gnutls_record_send", status as c_int));
                }
                sent += length;
            }
        }
    }

    /// Shuts down both directions of the stream, without close_notify.
    pub fn shutdown_both(&mut self) {
        self.records().socket.shutdown_both();
    }

    /// Ends the sending direction: sends close_notify, and shuts down the socket after it was
    /// sent. Data from the server can still be received.
    pub fn end_stream(&mut self) {
        // If the server has closed the connection, close_notify is not needed.
        let left = self.send_close_notify().is_err() || !self.wants_to_send();
        if left {
            self.records().socket.shutdown_write();
        }
    }

    /// Sends close_notify, once.
    fn send_close_notify(&mut self) -> Result<(), Error> {
        if !self.open {
            return Ok(());
        }
        self.open = false;
        // SAFETY: the session is live. With SHUT_WR, it does not wait for an answer.
        unsafe { (self.gnutls.bye)(self.raw, SHUT_WR) };
        self.flush()
    }

    fn is_fatal(&self, status: c_int) -> bool {
        // SAFETY: the function takes only an integer.
        unsafe { (self.gnutls.error_is_fatal)(status) != 0 }
    }

    fn error(&mut self, what: &str, status: c_int) -> Error {
        self.open = false;
        if let Some(panic) = self.records().panic.take() {
            resume_unwind(panic);
        }
        let failure = self.records().failure.take();
        match (status, failure) {
            (E_PULL_ERROR, Some(error)) => return Error::system("recv", &error),
            (E_PUSH_ERROR, Some(error)) => return Error::system("send", &error),
            _ => {}
        }
        // SAFETY: the session is live.
        unsafe { session_error(self.gnutls, self.raw, what, status) }
    }

    fn socket_error(&mut self, what: &'static str, error: &std::io::Error) -> Error {
        self.open = false;
        Error::system(what, error)
    }
}

impl AsRawFd for Session {
    fn as_raw_fd(&self) -> RawFd {
        // SAFETY: as in `records`.
        unsafe { self.records.as_ref().socket.as_raw_fd() }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.process == std::process::id() {
            // Failure does not matter: the server is gone, or does not read.
            let _ = self.send_close_notify();
        }
        // SAFETY: the session is live, and not used after this. The records, leaked for it in
        // `Handshake::new`, are freed only after it.
        unsafe {
            (self.gnutls.deinit)(self.raw);
            drop(Box::from_raw(self.records.as_ptr()));
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("fd", &self.as_raw_fd())
            .field("open", &self.open)
            .finish_non_exhaustive()
    }
}

/// The requirements for the server's certificate: the purpose (a TLS server), and the host name
/// if there is one.
#[derive(Debug)]
struct Expected {
    data: Box<[TypedData]>,
    _hostname: Option<CString>,
}

impl Expected {
    fn new(hostname: Option<CString>) -> Expected {
        let typed = |kind, text: &std::ffi::CStr| TypedData {
            kind,
            data: text.as_ptr(),
            size: 0,
        };
        let mut data = vec![typed(DT_KEY_PURPOSE_OID, SERVER_PURPOSE)];
        // The bytes of the name do not move with the CString.
        data.extend(hostname.as_deref().map(|name| typed(DT_DNS_HOSTNAME, name)));
        Expected {
            data: data.into(),
            _hostname: hostname,
        }
    }
}

/// Returns the next bytes of `iov`, from offset `at` of element `index`, as many as fill a
/// record: in place if one element has them, otherwise copied into `staging`.
///
/// # Safety
/// Each element of `iov` describes memory that is valid for reads.
unsafe fn gather(
    iov: &[iovec],
    index: &mut usize,
    at: &mut usize,
    staging: &mut [u8],
) -> (*const u8, usize) {
    let mut filled = 0;
    while let Some(piece) = iov.get(*index) {
        let left = piece.iov_len - *at;
        let count = left.min(staging.len() - filled);
        // SAFETY: `at` is within the piece.
        let from = unsafe { piece.iov_base.cast::<u8>().add(*at) };
        let is_last = *index + 1 == iov.len();
        if filled == 0 && (count == staging.len() || is_last) {
            *at += count;
            return (from, count);
        }
        // SAFETY: `count` bytes are left in the piece and in the staging area, which do not
        // overlap.
        unsafe {
            let to = staging.as_mut_ptr().add(filled);
            to.copy_from_nonoverlapping(from, count);
        }
        filled += count;
        *at += count;
        if filled == staging.len() {
            break;
        }
        *index += 1;
        *at = 0;
    }
    (staging.as_ptr(), filled)
}
