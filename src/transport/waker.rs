// SPDX-License-Identifier: LGPL-2.1-or-later

//! A descriptor to wake a sleeping thread.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// An eventfd(2). Unlike a futex, it can be polled together with other descriptors, and written
/// in a signal handler.
#[derive(Debug)]
pub struct Waker(OwnedFd);

impl Waker {
    /// Creates one that is not signalled.
    pub fn new() -> io::Result<Waker> {
        // SAFETY: eventfd takes integers only.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new and has no other owner.
        Ok(Waker(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Returns the descriptor. It is readable after [`wake`](Self::wake).
    pub fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    /// Wakes every thread that waits for it.
    pub fn wake(&self) {
        let one = 1_u64.to_ne_bytes();
        // SAFETY: the buffer has the eight bytes that eventfd(2) takes. The counter cannot
        // overflow, as it is written once before each read.
        unsafe { libc::write(self.fd(), one.as_ptr().cast(), one.len()) };
    }

    /// Replaces the eventfd by a new one with the same number, since another process has the same.
    /// Returns false if the process has no free descriptor.
    pub fn renew(&self) -> bool {
        // SAFETY: `fd` is open and stays so; dup3 replaces what it refers to.
        Waker::new()
            .is_ok_and(|new| unsafe { libc::dup3(new.fd(), self.fd(), libc::O_CLOEXEC) >= 0 })
    }

    /// Resets it. Returns false if it was not signalled.
    pub fn reset(&self) -> bool {
        let mut count = [0; 8];
        // SAFETY: the buffer has the eight bytes that eventfd(2) fills.
        let read = unsafe { libc::read(self.fd(), count.as_mut_ptr().cast(), count.len()) };
        read > 0
    }
}
