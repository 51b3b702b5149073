// SPDX-License-Identifier: LGPL-2.1-or-later

//! The system calls that wait: for the server, or for another thread.
//!
//! pthread_cancel(3) can end the thread in them. So nothing here has a destructor, and
//! they are declared as functions that do not always return.

use std::io;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use libc::{c_int, c_short, iovec, msghdr, nfds_t, pollfd, ssize_t};

// Nothing else in the library may call these by the declarations of the libc crate, which
// say that they do not unwind: LLVM keeps one declaration for each function.
extern "C-unwind" {
    fn poll(fds: *mut pollfd, count: nfds_t, timeout: c_int) -> c_int;
    pub(super) fn recvmsg(fd: c_int, message: *mut msghdr, flags: c_int) -> ssize_t;
}

/// A system call that waits.
#[derive(Clone, Copy)]
pub enum Blocking {
    /// poll(2)
    Poll(Poll),
    /// recvmsg(2)
    Receive(Receive),
}

impl Blocking {
    /// Waits. A signal does not end the wait, nor make it longer. The result is that of
    /// the system call, or its errno.
    pub fn make(&mut self) -> Result<usize, c_int> {
        match self {
            Blocking::Poll(poll) => poll.make(),
            Blocking::Receive(receive) => receive.make(),
        }
    }
}

/// What to wait for with poll(2).
#[derive(Clone, Copy)]
pub struct Poll {
    fds: [pollfd; Poll::MOST],
    count: usize,
    timeout: c_int,
}

impl Poll {
    const MOST: usize = 3;

    /// For at most `timeout` milliseconds; a negative `timeout` waits for ever.
    pub fn new(timeout: c_int) -> Self {
        let none = pollfd {
            fd: -1,
            events: 0,
            revents: 0,
        };
        Poll {
            fds: [none; Poll::MOST],
            count: 0,
            timeout,
        }
    }

    /// For `events` of a descriptor, too; three at most. A negative number is none.
    pub fn and(mut self, fd: RawFd, events: c_short) -> Self {
        let entry = &mut self.fds[self.count];
        (entry.fd, entry.events) = (fd, events);
        self.count += 1;
        self
    }

    /// What has happened on the descriptor of that number, counted from 0.
    pub fn events(&self, number: usize) -> c_short {
        self.fds[number].revents
    }

    /// Which of `events` there are on a descriptor now.
    pub fn look(fd: RawFd, events: c_short) -> io::Result<c_short> {
        let mut poll = Poll::new(0).and(fd, events);
        poll.make().map_err(io::Error::from_raw_os_error)?;
        Ok(poll.events(0))
    }

    /// The number of descriptors on which anything has happened, or the errno.
    pub fn make(&mut self) -> Result<usize, c_int> {
        let mut left = self.timeout;
        let limit = u64::try_from(left).ok().filter(|limit| *limit > 0);
        let deadline = limit.map(|limit| Instant::now() + Duration::from_millis(limit));
        loop {
            // SAFETY: there are at least `count` elements, which live across the call.
            let ready = unsafe { poll(self.fds.as_mut_ptr(), self.count as nfds_t, left) };
            if ready >= 0 {
                return Ok(ready as usize);
            }
            match io::Error::last_os_error().raw_os_error() {
                Some(libc::EINTR) => {}
                errno => return Err(errno.unwrap_or(libc::EIO)),
            }
            if let Some(deadline) = deadline {
                let time = deadline.saturating_duration_since(Instant::now());
                // Rounded up, so as not to wake just before the time is over.
                left = time.as_micros().div_ceil(1000) as c_int;
            }
        }
    }
}

/// What to receive, from a blocking socket.
#[derive(Clone, Copy)]
pub struct Receive {
    fd: RawFd,
    pieces: [iovec; 2],
    first: usize,
    flags: c_int,
    message: msghdr,
}

/// No value that recvmsg(2) gives to `msg_flags` when it has received something.
const NOTHING: c_int = c_int::MIN;

impl Receive {
    /// Waits for anything, and receives it into the pieces, in order. The first of them
    /// may be missing.
    ///
    /// # Safety
    ///
    /// Until the call has been made, the pieces may be written to, and nothing else
    /// reads or writes them.
    pub unsafe fn new(fd: RawFd, first: Option<iovec>, second: iovec) -> Self {
        // SAFETY: all-zero bytes are a valid `msghdr`: null pointers, no lengths.
        let mut message: msghdr = unsafe { std::mem::zeroed() };
        message.msg_flags = NOTHING;
        Receive {
            fd,
            pieces: [first.unwrap_or(second), second],
            first: usize::from(first.is_none()),
            flags: 0,
            message,
        }
    }

    /// Waits until all that there is room for has arrived, or the stream has ended.
    pub fn for_all(mut self) -> Self {
        self.flags = libc::MSG_WAITALL;
        self
    }

    /// Whether anything has been received, or the end. Before glibc 2.41, a thread could
    /// be cancelled after that.
    pub fn has_received(&self) -> bool {
        self.message.msg_flags != NOTHING
    }

    fn make(&mut self) -> Result<usize, c_int> {
        let pieces = &mut self.pieces[self.first..];
        self.message.msg_iov = pieces.as_mut_ptr();
        self.message.msg_iovlen = pieces.len() as _;
        loop {
            // SAFETY: `message` describes the pieces, for which `new` has a promise.
            let received = unsafe { recvmsg(self.fd, &raw mut self.message, self.flags) };
            if let Ok(count) = usize::try_from(received) {
                return Ok(count);
            }
            match io::Error::last_os_error().raw_os_error() {
                Some(libc::EINTR) => {}
                // So says AF_VSOCK of more than its buffer holds.
                Some(libc::ENOMEM) if self.flags != 0 => self.flags = 0,
                errno => return Err(errno.unwrap_or(libc::EIO)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    /// The events of two descriptors, and how many have any.
    fn poll(first: (RawFd, c_short), second: RawFd, timeout: c_int) -> (usize, [c_short; 2]) {
        let poll = Poll::new(timeout).and(first.0, first.1);
        let mut poll = poll.and(second, libc::POLLIN);
        let ready = poll.make().unwrap();
        (ready, [0, 1].map(|number| poll.events(number)))
    }

    #[test]
    fn tells_readable_from_writable() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let fd = ours.as_raw_fd();
        let both = libc::POLLIN | libc::POLLOUT;
        assert_eq!(poll((fd, libc::POLLIN), -1, 0), (0, [0, 0]));
        assert_eq!(poll((fd, both), -1, -1), (1, [libc::POLLOUT, 0]));
        theirs.write_all(b"x").unwrap();
        assert_eq!(poll((fd, both), -1, -1), (1, [both, 0]));
    }

    #[test]
    fn a_second_descriptor_ends_the_wait() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let (extra, mut waker) = UnixStream::pair().unwrap();
        let (fd, extra_fd) = (ours.as_raw_fd(), extra.as_raw_fd());
        let first = (fd, libc::POLLIN);
        assert_eq!(poll(first, extra_fd, 0), (0, [0, 0]));
        waker.write_all(b"x").unwrap();
        assert_eq!(poll(first, extra_fd, -1), (1, [0, libc::POLLIN]));
    }

    #[test]
    fn the_time_runs_out_once_however_many_signals_arrive() {
        extern "C" fn ignore(_: c_int) {}
        // SAFETY: the handler does nothing, the structure is complete, and
        // SIGWINCH is used by no other test.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = ignore as extern "C" fn(c_int) as usize;
            libc::sigaction(libc::SIGWINCH, &raw const action, std::ptr::null_mut());
        }
        let (ours, _theirs) = UnixStream::pair().unwrap();
        // A pointer in musl, which threads cannot share.
        // SAFETY: pthread_self has no preconditions.
        let waiter = unsafe { libc::pthread_self() } as usize;
        let start = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..40 {
                    std::thread::sleep(Duration::from_millis(25));
                    // SAFETY: the waiting thread outlives this scope.
                    unsafe { libc::pthread_kill(waiter as libc::pthread_t, libc::SIGWINCH) };
                }
            });
            let ready = poll((ours.as_raw_fd(), libc::POLLIN), -1, 200);
            let waited = start.elapsed();
            assert_eq!(ready, (0, [0, 0]));
            assert!(waited >= Duration::from_millis(200), "{waited:?}");
            assert!(waited < Duration::from_millis(1000), "{waited:?}");
        });
    }
}
