// SPDX-License-Identifier: LGPL-2.1-or-later

//! Running a program with one socket handed over.
//!
//! The program that uses this library may have other threads, so the child may
//! call nothing between fork and exec but what is async-signal-safe: no
//! allocation, no lock, no panic. Everything that the child needs is therefore
//! made before the fork.

use std::ffi::{CStr, CString};
use std::io;
use std::mem::{zeroed, MaybeUninit};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr::{null, null_mut};

use libc::{c_char, c_int, pid_t};

use super::forks::NoOtherForks;
use crate::environment;
use crate::error::Error;
use crate::memory::{self, NoMemory};

/// The descriptor at which socket activation hands over the first socket.
const FIRST_LISTENER: RawFd = 3;

/// Which descriptors of the child the socket becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Standard input and output, as inetd does it.
    InputAndOutput,
    /// The first descriptor of socket activation.
    Listener,
}

/// The environment of the child, where it is not the one of this process.
pub(super) struct Environment {
    entries: Vec<CString>,
    /// `NAME=` followed by ten digits' worth of NUL bytes, to be filled with
    /// the process ID of the child, which only the child knows in time.
    pid_entry: Vec<u8>,
    pid_start: usize,
}

impl Environment {
    /// This process's environment without the variables in `replaced`, and
    /// with `added` and the child's process ID under the name `pid_name`.
    pub fn new(
        replaced: &[&str],
        added: &[(&str, &CStr)],
        pid_name: &str,
    ) -> Result<Environment, NoMemory> {
        let is_replaced = |name: &[u8]| replaced.iter().any(|it| it.as_bytes() == name);
        let mut entries = environment::entries(|name| !is_replaced(name))?;
        for (name, value) in added {
            let entry = memory::c_string(&[name.as_bytes(), b"=", value.to_bytes()])?;
            memory::push(&mut entries, entry)?;
        }
        let mut pid_entry = format!("{pid_name}=").into_bytes();
        let pid_start = pid_entry.len();
        pid_entry.resize(pid_start + 11, 0);
        Ok(Environment {
            entries,
            pid_entry,
            pid_start,
        })
    }
}

/// Runs `argv` with a socket in that place, and nothing else of this library's.
///
/// `open` makes the socket, and whatever is at its other end. It must neither
/// allocate nor take a lock ([`NoOtherForks`]): it runs when everything else is
/// ready, so that no other process ever has the socket.
///
/// The program is found as execvp(3) finds it. If it cannot be run, the child
/// says so on standard error and ends, which ends the connection.
/// Source: seen with libnbd 1.24.4.
pub(super) fn spawn<T>(
    argv: &[CString],
    place: Place,
    environment: Option<Environment>,
    open: impl FnOnce() -> Result<(T, OwnedFd), Error>,
) -> Result<(pid_t, T), Error> {
    let Some(name) = argv.first() else {
        return Err(Error::new(
            libc::EINVAL,
            "missing command name in argv list",
        ));
    };
    let candidates = candidates(name)?;
    let candidate_pointers = pointers(&[], &candidates, &[])?;
    let arguments = pointers(&[], argv, &[null()])?;
    // A file without "#!" is run by the shell: /bin/sh, the file, the arguments.
    let shell = [c"/bin/sh".as_ptr(), null()];
    let mut shell_arguments = pointers(&shell, &argv[1..], &[null()])?;
    let mut environment = environment;
    let mut variables = Vec::new();
    let mut pid_digits = null_mut();
    if let Some(environment) = &mut environment {
        let pid_entry = environment.pid_entry.as_mut_ptr();
        // SAFETY: the digits begin within the entry.
        pid_digits = unsafe { pid_entry.add(environment.pid_start) };
        let last = [pid_entry.cast::<c_char>().cast_const(), null()];
        variables = pointers(&[], &environment.entries, &last)?;
    }
    let _blocked = BlockedSignals::new();
    let forks = NoOtherForks::new();
    let (other_end, socket) = open()?;
    // The child overwrites the descriptors up to FIRST_LISTENER: the socket must
    // not be among them, as it can be where the program has closed its standard
    // input or output.
    let socket = out_of_the_way(socket)?;
    let mut child = Child {
        socket: socket.as_raw_fd(),
        place,
        name: name.as_ptr(),
        candidates: &candidate_pointers,
        arguments: arguments.as_ptr(),
        shell_arguments: shell_arguments.as_mut_ptr(),
        variables: environment.as_ref().map(|_| variables.as_ptr()),
        pid_digits,
    };
    // SAFETY: the child does nothing but what `Child::run` does, which is made
    // for the time after a fork and does not return.
    let pid = unsafe { forks.fork() };
    if pid < 0 {
        return Err(Error::last_os("fork"));
    }
    if pid == 0 {
        // SAFETY: this is the child of a fork; every pointer in `child` refers
        // to what this function has kept alive, of which the child has a copy.
        unsafe { child.run() }
    }
    Ok((pid, other_end))
}

/// No signal reaches this thread as long as this lives, so that a child which
/// it forks begins without running a handler of the program.
struct BlockedSignals {
    before: libc::sigset_t,
}

impl BlockedSignals {
    fn new() -> BlockedSignals {
        // SAFETY: all-zero bytes are a valid set, and both sets live across the
        // calls, which only fail for an operation that does not exist.
        unsafe {
            let (mut all, mut before) = (zeroed(), zeroed());
            libc::sigfillset(&raw mut all);
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
            BlockedSignals { before }
        }
    }
}

impl Drop for BlockedSignals {
    fn drop(&mut self) {
        // SAFETY: the set lives across the call.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, null_mut()) };
    }
}

/// Waits until that child has ended. It may have been waited for already: by
/// the program, or by the kernel where the program ignores SIGCHLD.
pub(super) fn wait_for(pid: pid_t) {
    loop {
        // SAFETY: waitpid accepts a null pointer for a status that is not wanted.
        let result = unsafe { libc::waitpid(pid, null_mut(), 0) };
        if result >= 0 || io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return;
        }
    }
}

/// Whether this process has to end what the process `maker` has made: its maker itself,
/// or a child that goes on as the program when its maker has gone, as after daemon(3).
pub(super) fn is_for_this_process(maker: u32) -> bool {
    if maker == std::process::id() {
        return true;
    }
    // SAFETY: kill(2) takes integers, and signal 0 is none.
    let found = unsafe { libc::kill(maker as pid_t, 0) };
    found < 0 && io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH)
}

/// The same file at a descriptor after those that the child overwrites.
fn out_of_the_way(fd: OwnedFd) -> Result<OwnedFd, Error> {
    if fd.as_raw_fd() > FIRST_LISTENER {
        return Ok(fd);
    }
    // SAFETY: this command of fcntl takes and returns integers only.
    let copy = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, FIRST_LISTENER + 1) };
    if copy < 0 {
        return match last_errno() {
            // The limit does not allow so high a descriptor at all.
            libc::EINVAL => Err(Error::new(libc::EMFILE, "fcntl")),
            _ => Err(Error::last_os("fcntl")),
        };
    }
    // SAFETY: the descriptor was just made and has no other owner.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// The files that a command name may mean, in the order of execvp(3).
fn candidates(name: &CStr) -> Result<Vec<CString>, NoMemory> {
    let name = name.to_bytes();
    if name.is_empty() || name.contains(&b'/') {
        return Ok(vec![memory::c_string(&[name])?]);
    }
    let path = environment::variable(c"PATH")?;
    let path = path.as_deref().unwrap_or(c"/bin:/usr/bin");
    let directories = path.to_bytes().split(|&byte| byte == b':');
    memory::collect(directories.map(|directory| {
        let separator: &[u8] = if directory.is_empty() { b"" } else { b"/" };
        memory::c_string(&[directory, separator, name])
    }))
}

/// Pointers to strings, between others.
fn pointers(
    before: &[*const c_char],
    strings: &[CString],
    after: &[*const c_char],
) -> Result<Vec<*const c_char>, NoMemory> {
    let mut pointers = Vec::new();
    pointers.try_reserve_exact(before.len() + strings.len() + after.len())?;
    pointers.extend_from_slice(before);
    pointers.extend(strings.iter().map(|string| string.as_ptr()));
    pointers.extend_from_slice(after);
    Ok(pointers)
}

/// What the child needs after the fork.
struct Child<'a> {
    socket: RawFd,
    place: Place,
    /// As the program gave it, for the message.
    name: *const c_char,
    candidates: &'a [*const c_char],
    arguments: *const *const c_char,
    /// With a free second element, for the file to run.
    shell_arguments: *mut *const c_char,
    variables: Option<*const *const c_char>,
    /// Room for the decimal digits of the process ID, or null.
    pid_digits: *mut u8,
}

impl Child<'_> {
    /// Becomes the program, or says why not and ends.
    ///
    /// # Safety
    /// Only to be called in the child of a fork, with pointers to arrays that
    /// end in null where exec wants that, and room for ten digits.
    unsafe fn run(&mut self) -> ! {
        // SAFETY: every call is async-signal-safe and none allocates; the
        // pointers are as the caller promises.
        unsafe {
            let errno = match self.prepare() {
                Err(errno) => errno,
                Ok(()) => self.execute(),
            };
            for text in [
                self.name,
                c": ".as_ptr(),
                reason(errno).as_ptr(),
                c"\n".as_ptr(),
            ] {
                libc::write(libc::STDERR_FILENO, text.cast(), libc::strlen(text));
            }
            libc::_exit(127)
        }
    }

    unsafe fn prepare(&mut self) -> Result<(), c_int> {
        // SAFETY: integers, and pointers to locals and to room that the caller
        // of `run` promises.
        unsafe {
            // dup2 makes copies that survive exec; the original does not.
            match self.place {
                Place::InputAndOutput => {
                    check(libc::dup2(self.socket, libc::STDIN_FILENO))?;
                    check(libc::dup2(self.socket, libc::STDOUT_FILENO))?;
                }
                Place::Listener => check(libc::dup2(self.socket, FIRST_LISTENER))?,
            }
            if !self.pid_digits.is_null() {
                write_decimal(self.pid_digits, libc::getpid());
            }
            // What this process ignores or blocks says nothing about the
            // server, which must get the SIGTERM that ends it. Handlers
            // end with exec; but a signal may come before it, and they are not
            // made for a process that is not the program's. So they end first.
            let mut default: libc::sigaction = zeroed();
            default.sa_sigaction = libc::SIG_DFL;
            for signal in [libc::SIGPIPE, libc::SIGTERM] {
                check(libc::sigaction(signal, &raw const default, null_mut()))?;
            }
            for signal in 1..=libc::SIGRTMAX() {
                // Fails for those that cannot be handled.
                let mut action: libc::sigaction = zeroed();
                let known = libc::sigaction(signal, null(), &raw mut action) == 0;
                if known && ![libc::SIG_DFL, libc::SIG_IGN].contains(&action.sa_sigaction) {
                    check(libc::sigaction(signal, &raw const default, null_mut()))?;
                }
            }
            let mut none = MaybeUninit::<libc::sigset_t>::uninit();
            libc::sigemptyset(none.as_mut_ptr());
            check(libc::sigprocmask(
                libc::SIG_SETMASK,
                none.as_ptr(),
                null_mut(),
            ))
        }
    }

    /// Tries every candidate as execvp(3) does, and returns the errno to report.
    unsafe fn execute(&mut self) -> c_int {
        let mut denied = false;
        let mut errno = libc::ENOENT;
        let candidates = self.candidates;
        for &file in candidates {
            // SAFETY: `file` ends in NUL and the arrays in null.
            errno = unsafe { self.execute_file(file) };
            match errno {
                libc::EACCES => denied = true,
                libc::ENOENT | libc::ENOTDIR | libc::ESTALE | libc::ENODEV | libc::ETIMEDOUT => {}
                _ => return errno,
            }
        }
        if denied {
            libc::EACCES
        } else {
            errno
        }
    }

    unsafe fn execute_file(&mut self, file: *const c_char) -> c_int {
        // SAFETY: `file` ends in NUL, the arrays in null, and the second element
        // of `shell_arguments` is there to be set; `environ` is read while no
        // other thread exists in this process.
        unsafe {
            let variables = match self.variables {
                Some(variables) => variables,
                None => environ.cast_const(),
            };
            libc::execve(file, self.arguments, variables);
            if last_errno() == libc::ENOEXEC {
                *self.shell_arguments.add(1) = file;
                libc::execve(c"/bin/sh".as_ptr(), self.shell_arguments, variables);
            }
            last_errno()
        }
    }
}

extern "C" {
    static mut environ: *mut *const c_char;
}

fn last_errno() -> c_int {
    // SAFETY: the function returns a pointer to this thread's errno.
    unsafe { *libc::__errno_location() }
}

fn check(result: c_int) -> Result<(), c_int> {
    if result < 0 {
        Err(last_errno())
    } else {
        Ok(())
    }
}

/// The reasons why a program cannot be run, in words: strerror(3) may not be
/// called after a fork.
fn reason(errno: c_int) -> &'static CStr {
    match errno {
        libc::ENOENT => c"No such file or directory",
        libc::EACCES => c"Permission denied",
        libc::EPERM => c"Operation not permitted",
        libc::ENOTDIR => c"Not a directory",
        libc::EISDIR => c"Is a directory",
        libc::ENOEXEC => c"Exec format error",
        libc::E2BIG => c"Argument list too long",
        libc::ENOMEM => c"Cannot allocate memory",
        libc::ELOOP => c"Too many levels of symbolic links",
        libc::ENAMETOOLONG => c"File name too long",
        libc::ETXTBSY => c"Text file busy",
        _ => c"cannot be run",
    }
}

/// Writes a process ID as text, without anything that may allocate or panic.
///
/// # Safety
/// `to` has room for ten bytes, as many as a positive `pid_t` has digits.
unsafe fn write_decimal(to: *mut u8, pid: pid_t) {
    let mut divisor: pid_t = 1;
    while pid / divisor >= 10 {
        divisor *= 10;
    }
    let mut to = to;
    while divisor > 0 {
        // SAFETY: one byte a digit, for which the caller has made room.
        unsafe {
            *to = b'0' + (pid / divisor % 10) as u8;
            to = to.add(1);
        }
        divisor /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn process_ids_become_text() {
        for pid in [1, 9, 10, 99, 32768, 4_194_304, 1_000_000_000, pid_t::MAX] {
            let mut text = [0; 10];
            // SAFETY: room for ten bytes.
            unsafe { write_decimal(text.as_mut_ptr(), pid) };
            let expected = pid.to_string();
            assert_eq!(&text[..expected.len()], expected.as_bytes());
            assert!(text[expected.len()..].iter().all(|&byte| byte == 0));
        }
    }

    #[test]
    fn only_a_bare_name_is_looked_for() {
        assert_eq!(candidates(c"./x").unwrap(), [c"./x".to_owned()]);
        assert_eq!(candidates(c"").unwrap(), [c"".to_owned()]);
        let found = candidates(c"sh").unwrap();
        assert!(found.contains(&c"/bin/sh".to_owned()), "{found:?}");
    }
}
