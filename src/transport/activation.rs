// SPDX-License-Identifier: LGPL-2.1-or-later

//! The listening socket passed to a server by systemd socket activation (sd_listen_fds(3)).

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use super::address::Address;
use super::process::is_for_this_process;
use super::socket::open_stream;
use super::spawn::Environment;
use crate::error::Error;
use crate::memory::NoMemory;

/// Variables to remove from the server's environment: they describe sockets of another process.
const VARIABLES: [&str; 4] = [
    "LISTEN_PID",
    "LISTEN_PIDFDID",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
];

/// A Unix socket in a private directory. Dropping it removes both, but only in the process that
/// created them.
#[derive(Debug)]
pub(super) struct PrivateSocket {
    process: u32,
    directory: CString,
    path: CString,
}

impl PrivateSocket {
    /// Creates the directory. [`listen`](Self::listen) creates the socket.
    pub fn new() -> Result<PrivateSocket, Error> {
        let mut template = *b"/tmp/libnbdXXXXXX\0";
        // SAFETY: the template is writable and ends in NUL.
        if unsafe { libc::mkdtemp(template.as_mut_ptr().cast()) }.is_null() {
            return Err(Error::last_os("mkdtemp"));
        }
        let directory = CStr::from_bytes_with_nul(&template).expect("mkdtemp keeps the length");
        let directory = directory.to_owned();
        let mut path = directory.clone().into_bytes();
        path.extend_from_slice(b"/sock");
        let path = CString::new(path).expect("both parts are without NUL");
        Ok(PrivateSocket {
            process: std::process::id(),
            directory,
            path,
        })
    }

    /// Creates the socket and listens on it. It is blocking, as servers expect. Allocates nothing
    /// on success.
    pub fn listen(&self) -> Result<OwnedFd, Error> {
        let address = Address::unix(&self.path)?;
        let failed = |error| Error::system("listen", &error);
        let listener = open_stream(libc::AF_UNIX, 0).map_err(failed)?;
        let fd = listener.as_raw_fd();
        // SAFETY: the pointer and the length describe `address`, which lives across
        // the call; listen(2) takes integers.
        let result = unsafe {
            match libc::bind(fd, address.as_ptr(), address.length()) {
                0 => libc::listen(fd, libc::SOMAXCONN),
                error => error,
            }
        };
        if result < 0 {
            return Err(failed(io::Error::last_os_error()));
        }
        Ok(listener)
    }

    pub fn path(&self) -> &CStr {
        &self.path
    }
}

impl Drop for PrivateSocket {
    fn drop(&mut self) {
        if !is_for_this_process(self.process) {
            return;
        }
        // SAFETY: both paths end in NUL.
        unsafe {
            libc::unlink(self.path.as_ptr());
            libc::rmdir(self.directory.as_ptr());
        }
    }
}

/// Returns an environment that announces one listening socket, called `name`.
pub(super) fn environment(name: &CStr) -> Result<Environment, NoMemory> {
    let name = if name.is_empty() { c"unknown" } else { name };
    let added = [("LISTEN_FDS", c"1"), ("LISTEN_FDNAMES", name)];
    Environment::new(&VARIABLES, &added, "LISTEN_PID")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{FileTypeExt, PermissionsExt};
    use std::path::Path;

    #[test]
    fn the_socket_is_private_and_goes_with_its_directory() {
        let socket = PrivateSocket::new().unwrap();
        let _listener = socket.listen().unwrap();
        let path = Path::new(std::ffi::OsStr::from_bytes(socket.path().to_bytes())).to_owned();
        let directory = path.parent().unwrap();
        assert!(std::fs::metadata(&path).unwrap().file_type().is_socket());
        let mode = std::fs::metadata(directory).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        drop(socket);
        assert!(!directory.exists());
    }
}
