// SPDX-License-Identifier: LGPL-2.1-or-later

//! Waiting for a socket.

use std::io;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use libc::{c_int, c_short};

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// The events of the first descriptor, as poll(2) tells them.
    pub events: c_short,
    /// Whether anything happened on the second descriptor; that it is not open
    /// counts too.
    pub extra: bool,
}

/// Waits until one of `events` happens on `fd`, or until `extra` has something
/// to read, but at most `timeout` milliseconds; a negative `timeout` waits for
/// ever. `None` means that the time is over.
///
/// A signal does not end the wait, nor make it longer.
pub fn poll(
    fd: RawFd,
    events: c_short,
    extra: Option<RawFd>,
    timeout: c_int,
) -> io::Result<Option<Ready>> {
    let mut fds = [
        libc::pollfd {
            fd,
            events,
            revents: 0,
        },
        libc::pollfd {
            fd: extra.unwrap_or(-1),
            events: libc::POLLIN,
            revents: 0,
        },
    ];
    let count = if extra.is_some() { 2 } else { 1 };
    let ready = poll_all(&mut fds[..count], timeout)?;
    Ok(ready.then_some(Ready {
        events: fds[0].revents,
        extra: fds[1].revents != 0,
    }))
}

/// The same for any descriptors. False if the time is over.
pub fn poll_all(fds: &mut [libc::pollfd], timeout: c_int) -> io::Result<bool> {
    let mut remaining = timeout;
    let deadline =
        (timeout > 0).then(|| Instant::now() + Duration::from_millis(u64::from(timeout as u32)));
    loop {
        // SAFETY: `fds` has as many elements and lives across the call.
        let ready = unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as _, remaining) };
        if ready >= 0 {
            return Ok(ready > 0);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
        if let Some(deadline) = deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            // Rounded up, so as not to wake just before the time is over.
            remaining = left.as_micros().div_ceil(1000) as c_int;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn tells_readable_from_writable() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let fd = ours.as_raw_fd();
        let both = libc::POLLIN | libc::POLLOUT;
        assert_eq!(poll(fd, libc::POLLIN, None, 0).unwrap(), None);
        let ready = poll(fd, both, None, -1).unwrap().unwrap();
        assert_eq!(ready.events, libc::POLLOUT);
        theirs.write_all(b"x").unwrap();
        let ready = poll(fd, both, None, -1).unwrap().unwrap();
        assert_eq!(ready.events, both);
        assert!(!ready.extra);
    }

    #[test]
    fn a_second_descriptor_ends_the_wait() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let (extra, mut waker) = UnixStream::pair().unwrap();
        let (fd, extra_fd) = (ours.as_raw_fd(), extra.as_raw_fd());
        assert_eq!(poll(fd, libc::POLLIN, Some(extra_fd), 0).unwrap(), None);
        waker.write_all(b"x").unwrap();
        let ready = poll(fd, libc::POLLIN, Some(extra_fd), -1).unwrap().unwrap();
        assert_eq!(ready.events, 0);
        assert!(ready.extra);
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
        // SAFETY: pthread_self has no preconditions.
        let waiter = unsafe { libc::pthread_self() };
        let start = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..40 {
                    std::thread::sleep(Duration::from_millis(25));
                    // SAFETY: the waiting thread outlives this scope.
                    unsafe { libc::pthread_kill(waiter, libc::SIGWINCH) };
                }
            });
            let ready = poll(ours.as_raw_fd(), libc::POLLIN, None, 200).unwrap();
            let waited = start.elapsed();
            assert_eq!(ready, None);
            assert!(waited >= Duration::from_millis(200), "{waited:?}");
            assert!(waited < Duration::from_millis(1000), "{waited:?}");
        });
    }
}
