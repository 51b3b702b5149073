// SPDX-License-Identifier: LGPL-2.1-or-later

//! System calls that wait: for the server, or for another thread.
//!
//! These are cancellation points: pthread_cancel(3) can end the thread in them. So nothing here
//! has a destructor, and the calls are declared with an ABI that may unwind.

use std::io;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use libc::{c_int, c_short, iovec, msghdr, nfds_t, pollfd, ssize_t};

// The rest of the library must use these declarations, not those of the libc crate, which promise
// not to unwind: LLVM keeps one declaration for each function.
extern "C-unwind" {
    fn poll(fds: *mut pollfd, count: nfds_t, timeout: c_int) -> c_int;
    pub(super) fn recvmsg(fd: c_int, message: *mut msghdr, flags: c_int) -> ssize_t;
}

/// A blocking system call.
#[derive(Clone, Copy)]
pub enum Blocking {
    /// poll(2)
    Poll(Poll),
    /// recvmsg(2)
    Receive(Receive),
}

impl Blocking {
    /// Makes the system call. A signal neither ends nor extends the wait. Returns the result of
    /// the system call, or its errno.
    pub fn make(&mut self) -> Result<usize, c_int> {
        match self {
            Blocking::Poll(poll) => poll.make(),
            Blocking::Receive(receive) => receive.make(),
        }
    }
}

/// Returns the milliseconds until then for poll(2), rounded up to avoid waking just before.
pub fn milliseconds_until(deadline: Instant) -> c_int {
    let time = deadline.saturating_duration_since(Instant::now());
    c_int::try_from(time.as_micros().div_ceil(1000)).unwrap_or(c_int::MAX)
}

/// Arguments of poll(2).
#[derive(Clone, Copy)]
pub struct Poll {
    fds: [pollfd; Poll::MAX_FDS],
    count: usize,
    timeout: c_int,
}

impl Poll {
    const MAX_FDS: usize = 4;

    /// Waits at most `timeout` milliseconds, or without limit if `timeout` is negative.
    pub fn new(timeout: c_int) -> Self {
        let none = pollfd {
            fd: -1,
            events: 0,
            revents: 0,
        };
        Poll {
            fds: [none; Poll::MAX_FDS],
            count: 0,
            timeout,
        }
    }

    /// Adds a descriptor and its `events`; at most four. A negative descriptor is ignored.
    pub fn and(mut self, fd: RawFd, events: c_short) -> Self {
        self.add(fd, events);
        self
    }

    fn add(&mut self, fd: RawFd, events: c_short) {
        let entry = &mut self.fds[self.count];
        (entry.fd, entry.events) = (fd, events);
        self.count += 1;
    }

    /// Adds a descriptor to read from.
    pub fn push(&mut self, fd: RawFd) {
        self.add(fd, libc::POLLIN);
    }

    /// Removes the last descriptor. Returns true if it had an event.
    pub fn pop(&mut self) -> bool {
        self.count -= 1;
        std::mem::take(&mut self.fds[self.count].revents) != 0
    }

    /// Lowers the timeout to `timeout` milliseconds.
    pub fn shorten(&mut self, timeout: c_int) {
        if !(0..timeout).contains(&self.timeout) {
            self.timeout = timeout;
        }
    }

    /// Returns the events of the descriptor at index `number`.
    pub fn events(&self, number: usize) -> c_short {
        self.fds[number].revents
    }

    /// Returns which of `events` a descriptor has now, without waiting.
    pub fn now(fd: RawFd, events: c_short) -> io::Result<c_short> {
        let mut poll = Poll::new(0).and(fd, events);
        poll.make().map_err(io::Error::from_raw_os_error)?;
        Ok(poll.events(0))
    }

    /// Returns the number of descriptors with events, or the errno.
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
                left = milliseconds_until(deadline);
            }
        }
    }
}

/// Arguments of recvmsg(2) on a blocking socket.
#[derive(Clone, Copy)]
pub struct Receive {
    fd: RawFd,
    pieces: [iovec; 2],
    first: usize,
    flags: c_int,
    message: msghdr,
}

/// A value that recvmsg(2) never stores in `msg_flags` on success.
const NOTHING: c_int = c_int::MIN;

impl Receive {
    /// Waits for at least one byte, and receives into the pieces in order. The first piece is
    /// optional.
    ///
    /// # Safety
    ///
    /// Until the call has been made, the pieces must be valid for writes, and nothing else may
    /// read or write them.
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

    /// Waits for at least one byte, and receives into a list of pieces in order; at most
    /// `IOV_MAX`.
    ///
    /// # Safety
    ///
    /// As for [`new`](Self::new). The list must also be valid for reads until the call has been
    /// made.
    pub unsafe fn into_list(fd: RawFd, list: &[iovec]) -> Self {
        let none = iovec {
            iov_base: std::ptr::null_mut(),
            iov_len: 0,
        };
        // SAFETY: two empty pieces, and by the contract of this function.
        let mut receive = unsafe { Receive::new(fd, None, none) };
        // The system call only reads through this pointer, although its type is mutable.
        receive.message.msg_iov = list.as_ptr().cast_mut();
        receive.message.msg_iovlen = list.len() as _;
        receive
    }

    /// Waits until the pieces are full or the stream has ended.
    pub fn for_all(mut self) -> Self {
        self.flags = libc::MSG_WAITALL;
        self
    }

    /// Returns true if bytes, or the end of the stream, have been received. Before glibc 2.41, a
    /// thread could still be cancelled after that.
    pub fn has_received(&self) -> bool {
        self.message.msg_flags != NOTHING
    }

    fn make(&mut self) -> Result<usize, c_int> {
        if self.message.msg_iov.is_null() {
            let pieces = &mut self.pieces[self.first..];
            self.message.msg_iov = pieces.as_mut_ptr();
            self.message.msg_iovlen = pieces.len() as _;
        }
        loop {
            // SAFETY: `message` describes the pieces, which are valid by the contract of `new`.
            let received = unsafe { recvmsg(self.fd, &raw mut self.message, self.flags) };
            if let Ok(count) = usize::try_from(received) {
                return Ok(count);
            }
            match io::Error::last_os_error().raw_os_error() {
                Some(libc::EINTR) => {}
                // AF_VSOCK reports this if the pieces are longer than its buffer.
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

    /// Polls two descriptors. Returns the number that have events, and the events.
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
    fn a_list_of_pieces_is_filled_in_order() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        theirs.write_all(b"abcdefgh").unwrap();
        let mut memory = [b'-'; 10];
        let start: *mut u8 = memory.as_mut_ptr();
        let list = [(1, 3), (5, 0), (5, 2), (8, 1)].map(|(at, iov_len)| iovec {
            iov_base: start.wrapping_add(at).cast(),
            iov_len,
        });
        // SAFETY: the memory and the list outlive the calls, and the memory is read after them.
        let receive = unsafe { Receive::into_list(ours.as_raw_fd(), &list) };
        assert_eq!(Blocking::Receive(receive).make(), Ok(6));
        assert_eq!(memory, *b"-abc-de-f-");
        // SAFETY: as above.
        let receive = unsafe { Receive::into_list(ours.as_raw_fd(), &list[..2]) };
        drop(theirs);
        let mut rest = Blocking::Receive(receive.for_all());
        assert_eq!(rest.make(), Ok(2));
        assert_eq!(memory, *b"-ghc-de-f-");
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
