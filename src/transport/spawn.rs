// SPDX-License-Identifier: LGPL-2.1-or-later

//! Running a program that inherits one socket.
//!
//! The process may have other threads, so between fork and exec the child may make only
//! async-signal-safe calls: no allocation, no lock, no panic. Everything that the child needs is
//! therefore prepared before the fork.

use std::ffi::{CStr, CString};
use std::mem::{zeroed, MaybeUninit};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::ptr::{null, null_mut};

use libc::{c_char, c_int, pid_t};

use super::forks::NoOtherForks;
use super::process::{move_above, FIRST_LISTENER};
use super::stderr_copy::StderrCopy;
use crate::environment;
use crate::error::Error;
use crate::memory::{self, NoMemory};

/// The descriptors of the child that the socket becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Standard input and output, as with inetd.
    InputAndOutput,
    /// The first descriptor of socket activation.
    Listener,
}

/// The environment of the child, if it differs from that of this process.
pub(super) struct Environment {
    entries: Vec<CString>,
    /// `NAME=` followed by ten NUL bytes. The child fills in the digits of its process ID, which
    /// is not known earlier.
    pid_entry: Vec<u8>,
    pid_start: usize,
}

impl Environment {
    /// Copies the environment of this process without the variables in `replaced`; adds `added`,
    /// and the child's process ID under the name `pid_name`.
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

/// Runs `argv` with the socket in `place`, and with no other descriptor of this library.
///
/// `stderr` is the memory for a copy of what the server writes to standard error; without it, the
/// server inherits that of the program.
///
/// `open` makes the socket and its other end. It must neither allocate nor take a lock
/// ([`NoOtherForks`]). It runs when everything else is ready, so that no other process can
/// inherit the socket.
///
/// The program is found as execvp(3) finds it. If it cannot be run, the child prints an error to
/// standard error and exits, which ends the connection.
/// Source: seen with libnbd 1.24.4.
pub(super) fn spawn<T>(
    argv: &[CString],
    place: Place,
    environment: Option<Environment>,
    stderr: Option<Vec<u8>>,
    open: impl FnOnce() -> Result<(T, OwnedFd), Error>,
) -> Result<(pid_t, Option<StderrCopy>, T), Error> {
    let Some(name) = argv.first() else {
        return Err(Error::new(
            libc::EINVAL,
            "missing command name in argv list",
        ));
    };
    let candidates = candidates(name)?;
    let candidate_pointers = pointers(&[], &candidates, &[])?;
    let arguments = pointers(&[], argv, &[null()])?;
    // The shell runs a file without "#!": /bin/sh, the file, its arguments.
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
    // Dropped when forks are allowed again.
    let mut copy = None;
    let _blocked = BlockedSignals::new();
    let forks = NoOtherForks::new();
    let mut stderr_end = None;
    if let Some(memory) = stderr {
        // Before the socket exists, which the process that copies must not have.
        let (started, end) = StderrCopy::start(&forks, memory)?;
        copy = Some(started);
        stderr_end = Some(end);
    }
    let (other_end, socket) = open()?;
    // The child overwrites the descriptors up to FIRST_LISTENER. The socket can be among them if
    // the program has closed its standard input or output, so it is moved.
    let socket = move_above(socket)?;
    let mut child = Child {
        socket: socket.as_raw_fd(),
        stderr: stderr_end.as_ref().map(AsRawFd::as_raw_fd),
        place,
        name: name.as_ptr(),
        candidates: &candidate_pointers,
        arguments: arguments.as_ptr(),
        shell_arguments: shell_arguments.as_mut_ptr(),
        variables: environment.as_ref().map(|_| variables.as_ptr()),
        pid_digits,
    };
    // SAFETY: the child only calls `Child::run`, which is made for the child of a fork and does
    // not return.
    let pid = unsafe { forks.fork() };
    if pid < 0 {
        return Err(Error::last_os("fork"));
    }
    if pid == 0 {
        // SAFETY: this is the child of a fork; every pointer in `child` refers to memory that
        // this function has kept alive, of which the child has a copy.
        unsafe { child.run() }
    }
    Ok((pid, copy, other_end))
}

/// Blocks all signals in this thread while it exists, so that no signal handler of the program
/// runs in a forked child.
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

/// Returns the files that a command name may refer to, in the order of execvp(3).
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

/// Makes an array of pointers: `before`, the strings, `after`.
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

/// Everything that the child needs after the fork.
struct Child<'a> {
    socket: RawFd,
    /// Becomes standard error, if it is not inherited.
    stderr: Option<RawFd>,
    place: Place,
    /// The command name for the error message, as the program gave it.
    name: *const c_char,
    candidates: &'a [*const c_char],
    arguments: *const *const c_char,
    /// An argument list whose second element is reserved for the file.
    shell_arguments: *mut *const c_char,
    variables: Option<*const *const c_char>,
    /// Ten bytes for the digits of the process ID, or null.
    pid_digits: *mut u8,
}

impl Child<'_> {
    /// Executes the program, or prints why it cannot, and exits.
    ///
    /// # Safety
    /// Call it only in the child of a fork. The arrays must end in null where exec requires it,
    /// and `pid_digits` must be null or valid for writing ten bytes.
    unsafe fn run(&mut self) -> ! {
        // SAFETY: every call is async-signal-safe and none allocates; the pointers are valid by
        // the contract of this function.
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
        // SAFETY: integers, and pointers to locals and to memory that the caller of `run` vouches
        // for.
        unsafe {
            // Copies made by dup2 survive exec; the original does not.
            if let Some(stderr) = self.stderr {
                check(libc::dup2(stderr, libc::STDERR_FILENO))?;
            }
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
            // The server must not inherit ignored or blocked signals: SIGTERM must end it. exec
            // resets handlers, but a signal could arrive before it, and handlers of the program
            // must not run in this child. So they are reset first.
            let mut default: libc::sigaction = zeroed();
            default.sa_sigaction = libc::SIG_DFL;
            for signal in [libc::SIGPIPE, libc::SIGTERM] {
                check(libc::sigaction(signal, &raw const default, null_mut()))?;
            }
            for signal in 1..=libc::SIGRTMAX() {
                // Fails for signals that cannot be caught.
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

    /// Tries every candidate file as execvp(3) does. Returns the errno to report.
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
        // SAFETY: `file` ends in NUL, the arrays in null, and the second element of
        // `shell_arguments` is reserved for this; no other thread exists in this process that
        // could change `environ`.
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

/// Describes why a program cannot be run. strerror(3) must not be called after a fork.
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

/// Writes a process ID in decimal, without allocation or panic.
///
/// # Safety
/// `to` must be valid for writing ten bytes, the maximum length of a positive `pid_t`.
unsafe fn write_decimal(to: *mut u8, pid: pid_t) {
    let mut divisor: pid_t = 1;
    while pid / divisor >= 10 {
        divisor *= 10;
    }
    let mut to = to;
    while divisor > 0 {
        // SAFETY: one byte for each digit, in the room that the caller vouches for.
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
    fn only_names_without_slash_are_searched() {
        assert_eq!(candidates(c"./x").unwrap(), [c"./x".to_owned()]);
        assert_eq!(candidates(c"").unwrap(), [c"".to_owned()]);
        let found = candidates(c"sh").unwrap();
        assert!(found.contains(&c"/bin/sh".to_owned()), "{found:?}");
    }
}
