// SPDX-License-Identifier: LGPL-2.1-or-later

//! The program's interface to the system: signals, inherited descriptors, the
//! parent process, available memory.

use std::io::{self, Write};
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI32, Ordering};

use mio::unix::pipe;

/// First descriptor that socket activation passes.
const FIRST_PASSED: RawFd = 3;

/// The write end of the pipe used by the signal handler.
static SIGNAL_PIPE: AtomicI32 = AtomicI32::new(-1);

extern "C" fn on_signal(_: libc::c_int) {
    let fd = SIGNAL_PIPE.load(Ordering::Relaxed);
    // SAFETY: write(2) may be called in a signal handler; one byte is read
    // from a static. The outcome does not matter: if the pipe is full, the
    // event loop has been woken already.
    unsafe {
        libc::write(fd, c"!".as_ptr().cast(), 1);
    }
}

/// Returns a descriptor that becomes readable on SIGTERM, SIGINT or SIGHUP.
pub fn termination() -> io::Result<OwnedFd> {
    let (writer, reader) = pipe::new()?;
    SIGNAL_PIPE.store(writer.into_raw_fd(), Ordering::Relaxed);
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
        // SAFETY: all-zero is a valid `sigaction`; the handler only does what
        // a signal handler may.
        let status = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_signal as extern "C" fn(libc::c_int) as usize;
            action.sa_flags = libc::SA_RESTART;
            libc::sigaction(signal, &raw const action, std::ptr::null_mut())
        };
        if status != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(OwnedFd::from(reader))
}

/// Returns the descriptors of systemd socket activation, if they are meant for
/// this process.
pub fn activated() -> std::ops::Range<RawFd> {
    let number = |name| -> Option<u32> { std::env::var(name).ok()?.parse().ok() };
    let count = match number("LISTEN_PID") {
        Some(pid) if pid == std::process::id() => number("LISTEN_FDS").unwrap_or(0),
        _ => 0,
    };
    FIRST_PASSED..FIRST_PASSED + count.min(1024) as RawFd
}

/// Takes ownership of descriptors passed to this process, in the given order.
///
/// # Safety
///
/// No other owner of these descriptors may exist in this process: call it once,
/// before anything is opened.
pub unsafe fn inherited(numbers: &[RawFd]) -> io::Result<Vec<OwnedFd>> {
    for (n, &fd) in numbers.iter().enumerate() {
        if numbers[..n].contains(&fd) {
            let message = format!("descriptor {fd} is meant for two things");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        // SAFETY: fcntl accepts any number as a descriptor; F_GETFD only reads.
        if unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
            let message = format!("descriptor {fd}: {}", io::Error::last_os_error());
            return Err(io::Error::other(message));
        }
    }
    // SAFETY: all are open and different, and the caller vouches that they
    // have no other owner.
    let own = |&fd: &RawFd| unsafe { OwnedFd::from_raw_fd(fd) };
    Ok(numbers.iter().map(own).collect())
}

/// Asks the system to end this process when its parent ends.
pub fn exit_with_parent() -> io::Result<()> {
    let parent = std::os::unix::process::parent_id();
    // SAFETY: this prctl takes a signal number and touches no memory.
    let status = unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM) };
    if status != 0 {
        return Err(io::Error::last_os_error());
    }
    if std::os::unix::process::parent_id() != parent {
        // It ended in the meantime: no signal will be sent.
        return Err(io::Error::other("the parent is gone"));
    }
    Ok(())
}

/// Returns half of the machine's memory, the default limit for all exports.
pub fn half_of_memory() -> u64 {
    // SAFETY: sysconf only reads system values.
    let (pages, size) = unsafe {
        (
            libc::sysconf(libc::_SC_PHYS_PAGES),
            libc::sysconf(libc::_SC_PAGESIZE),
        )
    };
    match (u64::try_from(pages), u64::try_from(size)) {
        (Ok(pages), Ok(size)) if pages > 0 => pages * size / 2,
        // Unknown: assume a small machine.
        _ => 1 << 30,
    }
}

/// A file holding the process id, removed on drop.
#[derive(Debug)]
pub struct PidFile(PathBuf);

impl PidFile {
    /// Writes the file atomically, so that a reader sees all of it.
    pub fn write(path: &Path) -> io::Result<PidFile> {
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(".new");
        std::fs::write(&temporary, format!("{}\n", std::process::id()))?;
        std::fs::rename(&temporary, path)?;
        Ok(PidFile(path.to_owned()))
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // It may already have been removed.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Announces on `fd` that clients may connect: one byte, then end of file.
pub fn announce_ready(fd: OwnedFd) -> io::Result<()> {
    std::fs::File::from(fd).write_all(b"\n")
}
