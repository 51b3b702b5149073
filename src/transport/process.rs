// SPDX-License-Identifier: LGPL-2.1-or-later

//! Child processes: which process they belong to, their end, and descriptors for them.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr::null_mut;

use libc::pid_t;

use crate::error::Error;

/// The descriptor of the first socket in socket activation: the last one that a child overwrites.
pub(super) const FIRST_LISTENER: RawFd = 3;

/// Waits until a child has ended. It may already have been reaped: by the program, or by the
/// kernel if the program ignores SIGCHLD.
pub(super) fn wait_for(pid: pid_t) {
    loop {
        // SAFETY: waitpid accepts a null pointer for a status that is not wanted.
        let result = unsafe { libc::waitpid(pid, null_mut(), 0) };
        if result >= 0 || io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return;
        }
    }
}

/// Returns true if this process is responsible for resources of the process `creator`: it is that
/// process, or a child that has replaced it, as after daemon(3).
pub(super) fn is_for_this_process(creator: u32) -> bool {
    if creator == std::process::id() {
        return true;
    }
    // SAFETY: kill(2) takes integers, and signal 0 is none.
    let found = unsafe { libc::kill(creator as pid_t, 0) };
    found < 0 && io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH)
}

/// Moves a descriptor above those that the child overwrites.
pub(super) fn move_above(fd: OwnedFd) -> Result<OwnedFd, Error> {
    if fd.as_raw_fd() > FIRST_LISTENER {
        return Ok(fd);
    }
    // SAFETY: this command of fcntl takes and returns integers only.
    let copy = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, FIRST_LISTENER + 1) };
    if copy < 0 {
        return match io::Error::last_os_error().raw_os_error() {
            // The limit is below the minimum that was asked for.
            Some(libc::EINVAL) => Err(Error::new(libc::EMFILE, "fcntl")),
            _ => Err(Error::last_os("fcntl")),
        };
    }
    // SAFETY: the descriptor was just made and has no other owner.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}
