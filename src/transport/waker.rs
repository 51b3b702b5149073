// SPDX-License-Identifier: LGPL-2.1-or-later

//! A descriptor that one thread sleeps on and others wake it by.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// An eventfd(2). It can be waited for together with other descriptors, and written to
/// in a signal handler; a futex can do neither.
#[derive(Debug)]
pub struct Waker(OwnedFd);

impl Waker {
    /// A new one, not awake.
    pub fn new() -> io::Result<Waker> {
        // SAFETY: eventfd takes integers only.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: a new descriptor that nothing else owns.
        Ok(Waker(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// The descriptor, which can be read once [`wake`](Self::wake) was called.
    pub fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    /// Wakes whatever waits for it.
    pub fn wake(&self) {
        let one = 1_u64.to_ne_bytes();
        // SAFETY: the buffer has the eight bytes that eventfd(2) takes. It cannot be
        // full: it is written to once before it is read.
        unsafe { libc::write(self.fd(), one.as_ptr().cast(), one.len()) };
    }

    /// Not awake any more. False if it was not.
    pub fn reset(&self) -> bool {
        let mut count = [0; 8];
        // SAFETY: the buffer has the eight bytes that eventfd(2) fills.
        let read = unsafe { libc::read(self.fd(), count.as_mut_ptr().cast(), count.len()) };
        read > 0
    }
}
