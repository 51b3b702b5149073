// SPDX-License-Identifier: LGPL-2.1-or-later

//! A connected stream socket.

use std::cell::Cell;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;

use libc::{c_int, c_void, iovec, socklen_t};

use super::blocking;
use crate::error::Error;

/// The maximum number of elements in one system call (`IOV_MAX` of Linux).
pub const IOV_MAX: usize = 1024;

/// The send buffer size requested for Unix sockets. The default is so small that every large
/// write would have to wait. The kernel reduces it to the system's limit.
const UNIX_SEND_BUFFER: c_int = 2 << 20;

/// An owned stream socket: close-on-exec, and closed when dropped. It is non-blocking, except
/// after a call that waited by receiving.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
    blocking: Cell<bool>,
    /// True if the sending direction was shut down.
    ended: Cell<bool>,
}

impl Socket {
    /// Takes ownership of a connected socket from the program.
    ///
    /// On failure, the descriptor still belongs to the caller.
    pub fn from_program(fd: RawFd) -> Result<Socket, Error> {
        // SAFETY: these commands of fcntl take and return integers only.
        unsafe {
            let status = libc::fcntl(fd, libc::F_GETFL);
            if status < 0 || libc::fcntl(fd, libc::F_SETFL, status | libc::O_NONBLOCK) < 0 {
                return Err(Error::last_os("fcntl: set O_NONBLOCK"));
            }
            let flags = libc::fcntl(fd, libc::F_GETFD);
            if flags < 0 || libc::fcntl(fd, libc::F_SETFD, flags | libc::FD_CLOEXEC) < 0 {
                return Err(Error::last_os("fcntl: set FD_CLOEXEC"));
            }
        }
        // SAFETY: the descriptor is open, and the program hands it over
        // (nbd_connect_socket(3)); nothing after this line fails.
        let socket = Socket::new(unsafe { OwnedFd::from_raw_fd(fd) });
        socket.send_small_segments_at_once();
        Ok(socket)
    }

    /// Wraps a socket that this library opened, non-blocking and close-on-exec.
    pub(super) fn new(fd: OwnedFd) -> Socket {
        Socket {
            fd,
            blocking: Cell::new(false),
            ended: Cell::new(false),
        }
    }

    /// Opens an unconnected socket of an address family.
    pub(super) fn open(family: c_int) -> io::Result<Socket> {
        let socket = Socket::new(open_stream(family, libc::SOCK_NONBLOCK)?);
        match family {
            libc::AF_INET | libc::AF_INET6 => socket.send_small_segments_at_once(),
            libc::AF_UNIX => socket.enlarge_send_buffer(),
            _ => {}
        }
        Ok(socket)
    }

    /// Creates a connected pair: our end, and the end for a server. The latter is blocking, as
    /// servers expect of standard input.
    pub(super) fn pair() -> io::Result<(Socket, OwnedFd)> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        Ok((Socket::new(ours.into()), theirs.into()))
    }

    /// Disables Nagle's algorithm: requests are written whole, so waiting to fill a segment can
    /// only delay them. Has no effect except on TCP.
    fn send_small_segments_at_once(&self) {
        // The socket works without it.
        let _ = self.set_int_option(libc::IPPROTO_TCP, libc::TCP_NODELAY, 1);
    }

    fn enlarge_send_buffer(&self) {
        // The socket works without it.
        let _ = self.set_int_option(libc::SOL_SOCKET, libc::SO_SNDBUF, UNIX_SEND_BUFFER);
    }

    /// Sets a socket option.
    pub(super) fn set_int_option(
        &self,
        level: c_int,
        option: c_int,
        value: c_int,
    ) -> io::Result<()> {
        // SAFETY: the pointer and the length describe `value`, which lives
        // across the call.
        let result = unsafe {
            libc::setsockopt(
                self.as_raw_fd(),
                level,
                option,
                (&raw const value).cast::<c_void>(),
                size_of::<c_int>() as socklen_t,
            )
        };
        match result {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Returns and clears the pending error of the socket (SO_ERROR).
    pub(super) fn take_error(&self) -> io::Result<()> {
        match int_option(self.as_raw_fd(), libc::SOL_SOCKET, libc::SO_ERROR)? {
            0 => Ok(()),
            errno => Err(io::Error::from_raw_os_error(errno)),
        }
    }

    /// Receives available bytes into `iov`, in order. `Ok(0)` is the end of the stream;
    /// `WouldBlock` means that nothing has arrived.
    pub fn recv(&self, iov: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        // SAFETY: `IoSliceMut` is guaranteed to have the layout of `iovec`, and
        // each one borrows its memory mutably, so all of it is writable.
        unsafe {
            let raw = std::slice::from_raw_parts(iov.as_ptr().cast::<iovec>(), iov.len());
            self.recv_raw(raw)
        }
    }

    /// [`recv`](Self::recv) into memory that the caller vouches for.
    ///
    /// # Safety
    /// Each element must describe memory that is valid for writes, and that nothing else reads or
    /// writes during the call.
    pub unsafe fn recv_raw(&self, iov: &[iovec]) -> io::Result<usize> {
        let fd = self.as_raw_fd();
        let flags = libc::MSG_DONTWAIT;
        if let [piece] = iov {
            // Cheaper than recvmsg(2).
            // SAFETY: the caller vouches for the memory.
            return retry(|| unsafe { libc::recv(fd, piece.iov_base, piece.iov_len, flags) });
        }
        let mut message = message(iov);
        // SAFETY: `message` describes at most `iov`, and the caller vouches for that memory.
        retry(|| unsafe { blocking::recvmsg(fd, &raw mut message, flags) })
    }

    /// Makes the socket non-blocking again, if it is blocking.
    pub fn make_non_blocking(&self) {
        if self.blocking.replace(false) {
            self.set_non_blocking(true);
        }
    }

    /// Makes the socket blocking, so that receiving waits. `WouldBlock` is still possible: a
    /// child of fork(2) that shares the socket can make it non-blocking.
    pub fn make_blocking(&self) {
        if !self.blocking.replace(true) {
            self.set_non_blocking(false);
        }
    }

    fn set_non_blocking(&self, on: bool) {
        let mut on = c_int::from(on);
        // SAFETY: the pointer refers to `on`, which lives across the call. It does not
        // fail for sockets.
        unsafe { libc::ioctl(self.as_raw_fd(), libc::FIONBIO, &raw mut on) };
    }

    /// Sends the bytes of `iov`, in order, as far as the socket accepts them. `WouldBlock` means
    /// that its buffer is full.
    pub fn send(&self, iov: &[IoSlice<'_>]) -> io::Result<usize> {
        // SAFETY: `IoSlice` is guaranteed to have the layout of `iovec`, and
        // each one borrows its memory, so all of it is readable.
        unsafe {
            let raw = std::slice::from_raw_parts(iov.as_ptr().cast::<iovec>(), iov.len());
            self.send_raw(raw)
        }
    }

    /// [`send`](Self::send) from memory that the caller vouches for.
    ///
    /// # Safety
    /// Each element must describe memory that is valid for reads, and that nothing writes during
    /// the call.
    pub unsafe fn send_raw(&self, iov: &[iovec]) -> io::Result<usize> {
        let fd = self.as_raw_fd();
        let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
        if let [piece] = iov {
            // Cheaper than sendmsg(2).
            // SAFETY: the caller vouches for the memory.
            return retry(|| unsafe { libc::send(fd, piece.iov_base, piece.iov_len, flags) });
        }
        let message = message(iov);
        // SAFETY: `message` describes at most `iov`, and the caller vouches for that memory.
        retry(|| unsafe { libc::sendmsg(fd, &raw const message, flags) })
    }

    /// Shuts down both directions of the stream, which wakes every waiting thread.
    pub fn shutdown_both(&self) {
        // SAFETY: shutdown(2) takes integers only.
        unsafe { libc::shutdown(self.as_raw_fd(), libc::SHUT_RDWR) };
    }

    /// Shuts down the sending direction, once. Fails without consequences if the peer has closed
    /// the connection.
    pub fn shutdown_write(&self) {
        if !self.ended.replace(true) {
            // SAFETY: shutdown(2) takes integers only.
            unsafe { libc::shutdown(self.as_raw_fd(), libc::SHUT_WR) };
        }
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

/// Opens a close-on-exec stream socket, with extra flags of socket(2).
pub(super) fn open_stream(family: c_int, flags: c_int) -> io::Result<OwnedFd> {
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | flags;
    // SAFETY: socket(2) takes integers and returns a new descriptor or -1.
    let fd = unsafe { libc::socket(family, kind, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was just made and has no other owner.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn int_option(fd: RawFd, level: c_int, option: c_int) -> io::Result<c_int> {
    let mut value: c_int = 0;
    let mut length = size_of::<c_int>() as socklen_t;
    // SAFETY: the pointers refer to `value` and its length, which live across
    // the call.
    let result = unsafe {
        libc::getsockopt(
            fd,
            level,
            option,
            (&raw mut value).cast::<c_void>(),
            &raw mut length,
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(value)
}

/// Makes the `msghdr` of sendmsg(2) and recvmsg(2) for `iov`, or for as much of it as fits.
fn message(iov: &[iovec]) -> libc::msghdr {
    // SAFETY: all-zero bytes are a valid `msghdr`: null pointers, no lengths.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    // The system calls only read through this pointer, although its type is mutable.
    message.msg_iov = iov.as_ptr().cast_mut();
    message.msg_iovlen = iov.len().min(IOV_MAX) as _;
    message
}

/// Repeats a system call as long as signals interrupt it.
fn retry(mut call: impl FnMut() -> isize) -> io::Result<usize> {
    loop {
        match usize::try_from(call()) {
            Ok(count) => return Ok(count),
            Err(_) => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::fd::IntoRawFd;

    fn pair() -> (Socket, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (Socket::from_program(ours.into_raw_fd()).unwrap(), theirs)
    }

    #[test]
    fn gathers_and_scatters_in_order() {
        let (socket, mut peer) = pair();
        let sent = socket
            .send(&[IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cde")])
            .unwrap();
        assert_eq!(sent, 5);
        let mut got = [0; 5];
        peer.read_exact(&mut got).unwrap();
        assert_eq!(&got, b"abcde");

        peer.write_all(b"12345").unwrap();
        let (mut head, mut tail) = ([0; 2], [0; 9]);
        let received = socket
            .recv(&mut [IoSliceMut::new(&mut head), IoSliceMut::new(&mut tail)])
            .unwrap();
        assert_eq!(received, 5);
        assert_eq!(&head, b"12");
        assert_eq!(&tail[..3], b"345");
    }

    #[test]
    fn empty_full_and_ended_are_told_apart() {
        let (socket, peer) = pair();
        let mut byte = [0];
        let error = socket.recv(&mut [IoSliceMut::new(&mut byte)]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);

        let block = [0; 65536];
        let full = (0..10_000)
            .find_map(|_| socket.send(&[IoSlice::new(&block)]).err())
            .expect("a socket that is not read fills up");
        assert_eq!(full.kind(), io::ErrorKind::WouldBlock);

        drop(peer);
        let broken = socket.send(&[IoSlice::new(&block)]).unwrap_err();
        assert_eq!(broken.raw_os_error(), Some(libc::EPIPE));

        let (socket, peer) = pair();
        drop(peer);
        assert_eq!(socket.recv(&mut [IoSliceMut::new(&mut byte)]).unwrap(), 0);
    }

    #[test]
    fn more_pieces_than_one_call_takes_are_sent_in_part() {
        let (socket, _peer) = pair();
        let pieces = vec![IoSlice::new(b"x"); IOV_MAX + 5];
        assert_eq!(socket.send(&pieces).unwrap(), IOV_MAX);
    }

    #[test]
    fn shutting_down_ends_the_peers_stream_only() {
        let (socket, mut peer) = pair();
        socket.shutdown_write();
        assert_eq!(peer.read(&mut [0]).unwrap(), 0);
        peer.write_all(b"x").unwrap();
        let mut byte = [0];
        assert_eq!(socket.recv(&mut [IoSliceMut::new(&mut byte)]).unwrap(), 1);
    }

    #[test]
    fn a_socket_of_the_program_becomes_non_blocking_and_close_on_exec() {
        let (socket, _peer) = pair();
        // SAFETY: these commands of fcntl take and return integers only.
        let (status, flags) = unsafe {
            (
                libc::fcntl(socket.as_raw_fd(), libc::F_GETFL),
                libc::fcntl(socket.as_raw_fd(), libc::F_GETFD),
            )
        };
        assert_ne!(status & libc::O_NONBLOCK, 0);
        assert_ne!(flags & libc::FD_CLOEXEC, 0);
    }

    #[test]
    fn a_descriptor_that_is_not_open_is_refused() {
        let error = Socket::from_program(-1).unwrap_err();
        assert_eq!(error.errno(), libc::EBADF);
    }
}
