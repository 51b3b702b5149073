// SPDX-License-Identifier: LGPL-2.1-or-later

//! A copy of the last lines that a server writes to standard error, for a program that wants to
//! know why it failed (nbd_ext_set_capture_stderr(3)).
//!
//! The lines must still reach the program's standard error at once, and the server must never
//! wait for the program. This library cannot do both from inside the calls of the program: it has
//! no thread of its own, and a thread would be seen by everything that counts them, and would be
//! missing after fork(2). So a process passes the lines on. The server writes to a pipe; this
//! process reads it, writes to the standard error that it has inherited, and keeps the last
//! [`KEPT`] bytes on its stack. The program asks for them over a socket.
//!
//! The program must not notice this process:
//!
//! - It is a child without an exit signal (clone(2)): there is no SIGCHLD, and wait(2) and
//!   waitpid(2) of the program do not find it. A child of a child would be given to a program that
//!   is the first process of a container, or another subreaper.
//! - It makes only system calls, since the program may have threads. All signals are blocked, so
//!   that it lives on when a terminal interrupts the program, as long as the server does.
//! - It has no descriptor of the program except standard error.
//! - It releases its copy of the program's large memory mappings. Otherwise the program would
//!   copy each page that it changes, and the memory would stay in use as long as the server lives.
//! - It ends with the server. If another process still has the pipe open then, such as a daemon
//!   that the server has started, it passes on what is there when the handle is closed. A copy of
//!   it stays until the end of the pipe.
//!
//! If the reader of standard error is gone, it closes the pipe. The server then receives SIGPIPE,
//! as it would without this process.

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr::null_mut;

use libc::{c_int, c_long, iovec, pid_t, pollfd};

use super::blocking::Poll;
use super::forks::NoOtherForks;
use super::process::{is_for_this_process, move_above};
use crate::error::Error;
use crate::memory::NoMemory;

/// The maximum length of the copy in bytes; a power of two.
const KEPT: usize = 4096;

/// Time to wait for an answer, in milliseconds: standard error may be blocked.
const PATIENCE: c_int = 1000;

/// What the program asks for: the first byte of a message. The second is its number.
const REPORT: u8 = b'r';
const CLOSE: u8 = b'c';

/// The number in the message that is sent unasked, at the end of the pipe.
const AT_THE_END: u8 = 0;

/// Flags in the second byte of an answer: more was written than is kept; the process stays.
const CUT: u8 = 1;
const STAYS: u8 = 2;

/// An answer: its number, its flags, and the text.
const HEAD: usize = 2;

/// The process that passes on the lines, as seen from the program.
#[derive(Debug)]
pub(super) struct StderrCopy {
    control: OwnedFd,
    helper: pid_t,
    /// The process ID of the process that started it.
    creator: u32,
    /// The number of the last question.
    number: u8,
    /// The last answer.
    answer: Vec<u8>,
    /// True if the answer is the last one.
    ended: bool,
}

impl StderrCopy {
    /// Reserves memory for [`start`](Self::start), which must not.
    pub fn reserve() -> Result<Vec<u8>, NoMemory> {
        let mut memory = Vec::new();
        memory.try_reserve_exact(HEAD + KEPT)?;
        Ok(memory)
    }

    /// Starts the process. Returns the descriptor that the server's standard error becomes.
    pub fn start(forks: &NoOtherForks, memory: Vec<u8>) -> Result<(StderrCopy, OwnedFd), Error> {
        let mut fds = [-1; 2];
        // SAFETY: the array has room for two descriptors.
        if unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC) } < 0 {
            return Err(Error::last_os("pipe"));
        }
        let [input, output] = owned(fds)?;
        let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
        // SAFETY: as above.
        if unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, fds.as_mut_ptr()) } < 0 {
            return Err(Error::last_os("socketpair"));
        }
        let [control, theirs] = owned(fds)?;
        // SAFETY: the child only calls `pass_on`, which is made for it and does not return.
        let helper = unsafe { forks.fork_unnoticed() };
        if helper < 0 {
            return Err(Error::last_os("clone"));
        }
        if helper == 0 {
            // SAFETY: this is the child, and the descriptors are above those that it uses.
            unsafe { pass_on(input.as_raw_fd(), theirs.as_raw_fd()) }
        }
        let copy = StderrCopy {
            control,
            helper,
            creator: std::process::id(),
            number: AT_THE_END,
            answer: memory,
            ended: false,
        };
        Ok((copy, output))
    }

    /// Returns the last lines, without a line feed at the end. Waits until what the server has
    /// written so far has been passed on, but not for long.
    pub fn text(&mut self) -> &[u8] {
        // A child of fork(2) would take the answers of its parent.
        if self.creator == std::process::id() && !self.ended && self.ask(REPORT) {
            self.wait_for_answer(PATIENCE);
        }
        match self.answer.split_at_checked(HEAD) {
            Some((head, text)) => last_lines(text, head[1] & CUT != 0),
            None => &[],
        }
    }

    /// Sends a question. Returns false if there can be no answer, not even an old one.
    fn ask(&mut self, kind: u8) -> bool {
        self.number = match self.number {
            u8::MAX => AT_THE_END + 1,
            number => number + 1,
        };
        let message = [kind, self.number];
        let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
        // SAFETY: the pointer and the length describe `message`.
        let sent = unsafe {
            libc::send(
                self.control.as_raw_fd(),
                message.as_ptr().cast(),
                message.len(),
                flags,
            )
        };
        // After the end, the last answer is there, and the process is not.
        let errno = std::io::Error::last_os_error().raw_os_error();
        sent >= 0 || [Some(libc::EPIPE), Some(libc::ECONNRESET)].contains(&errno)
    }

    /// Waits for the answer to the last question, or for the last answer. Returns false if the
    /// time was up.
    fn wait_for_answer(&mut self, milliseconds: c_int) -> bool {
        let fd = self.control.as_raw_fd();
        while Poll::new(milliseconds).and(fd, libc::POLLIN).make() == Ok(1) {
            let mut bytes = [0_u8; HEAD + KEPT];
            // SAFETY: the pointer and the length describe `bytes`.
            let count = unsafe {
                libc::recv(
                    fd,
                    bytes.as_mut_ptr().cast(),
                    bytes.len(),
                    libc::MSG_DONTWAIT,
                )
            };
            let errno = std::io::Error::last_os_error().raw_os_error();
            let answer = match usize::try_from(count) {
                Ok(count) => &bytes[..count],
                // The process may end without having read the last question.
                Err(_) if errno == Some(libc::ECONNRESET) => continue,
                // The program has closed the descriptor.
                Err(_) => &[AT_THE_END, STAYS],
            };
            let Some(&number) = answer.first() else {
                // The process has ended without a last answer.
                self.ended = true;
                return true;
            };
            self.answer.clear();
            // Within the memory that was reserved.
            self.answer.extend_from_slice(answer);
            self.ended = number == AT_THE_END;
            if self.ended || number == self.number {
                return true;
            }
        }
        false
    }

    /// Returns true if the process has ended, and reaps it.
    fn reap(&self, flags: c_int) -> bool {
        loop {
            // SAFETY: waitpid accepts a null pointer for a status that is not wanted.
            let pid = unsafe { libc::waitpid(self.helper, null_mut(), flags | libc::__WALL) };
            let errno = std::io::Error::last_os_error().raw_os_error();
            if pid >= 0 || errno != Some(libc::EINTR) {
                return pid != 0;
            }
        }
    }
}

impl Drop for StderrCopy {
    /// Waits until everything that the server has written is passed on, as it would be without
    /// the copy. If standard error is blocked, the server would have had to wait, too.
    fn drop(&mut self) {
        if !is_for_this_process(self.creator) {
            return;
        }
        let is_child = self.creator == std::process::id();
        if !self.ended && self.ask(CLOSE) {
            while !self.wait_for_answer(PATIENCE) {
                if !is_child || self.reap(libc::WNOHANG) {
                    return;
                }
            }
        }
        let stays = self.answer.get(1).is_some_and(|flags| flags & STAYS != 0);
        if is_child && !stays {
            self.reap(0);
        }
    }
}

/// Takes ownership of new descriptors, and moves them above those that the process uses.
fn owned(fds: [RawFd; 2]) -> Result<[OwnedFd; 2], Error> {
    // SAFETY: the descriptors were just made and have no other owner.
    let [first, second] = fds.map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
    Ok([move_above(first)?, move_above(second)?])
}

/// Returns the whole lines at the end of a text whose beginning may be missing.
fn last_lines(text: &[u8], cut: bool) -> &[u8] {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    match text.iter().position(|&byte| byte == b'\n') {
        Some(end) if cut => &text[end + 1..],
        // A single line that is too long is better than none.
        _ => text,
    }
}

// What follows runs in a child of a process that may have had other threads, and whose memory is
// partly gone: only system calls, no function of the C library or its replacement by a sanitizer
// (which is why bytes are copied one by one), no panic.

/// Descriptors of the process.
const INPUT: c_int = 0;
const CONTROL: c_int = 1;
const STDERR: c_int = 2;

/// The number of bytes that are passed on at once. Stacks can be small.
const PIECE: usize = 1024;

/// Mappings from this size are released; those of libraries and their data are smaller.
const LARGE: usize = 8 << 20;

/// Memory around addresses in use that is not released: stack, and data of the thread.
const IN_USE: usize = 1 << 20;

macro_rules! system_call {
    ($number:ident $(, $argument:expr)*) => {
        // The C library takes the arguments as longs.
        libc::syscall(libc::$number as c_long $(, $argument as c_long)*) as isize
    };
}

/// Passes on what arrives at `input` until its end, and answers questions at `control`.
///
/// # Safety
/// Call it only in a child of its own, with descriptors above 3.
unsafe fn pass_on(input: RawFd, control: RawFd) -> ! {
    // SAFETY: integers, and pointers to constants that end in NUL.
    unsafe {
        system_call!(SYS_dup3, input, INPUT, 0);
        system_call!(SYS_dup3, control, CONTROL, 0);
        close_from(STDERR + 1);
        system_call!(
            SYS_prctl,
            libc::PR_SET_NAME,
            c"nbd-stderr".as_ptr(),
            0,
            0,
            0
        );
        // A file system can be unmounted although this process exists.
        system_call!(SYS_chdir, c"/".as_ptr());
        release_memory();
        let mut kept = MaybeUninit::<[u8; KEPT]>::uninit();
        let mut helper = Helper {
            kept: kept.as_mut_ptr().cast(),
            written: 0,
            control: CONTROL,
        };
        helper.run()
    }
}

unsafe fn close_from(first: c_int) {
    const MANY: c_int = 65536;
    // SAFETY: integers.
    unsafe {
        if system_call!(SYS_close_range, first, c_int::MAX, 0) < 0 {
            // Linux before 5.9, or a filter of system calls.
            for fd in first..MANY {
                system_call!(SYS_close, fd);
            }
        }
    }
}

/// The last bytes, and where questions come from.
struct Helper {
    /// Byte number n is at the index n modulo `KEPT`. A pointer, since the compiler would clear
    /// an array.
    kept: *mut u8,
    written: usize,
    /// -1 when there are no more questions.
    control: c_int,
}

impl Helper {
    unsafe fn run(&mut self) -> ! {
        // SAFETY: pointers to locals, with their lengths.
        unsafe {
            loop {
                let event = |fd| pollfd {
                    fd,
                    events: libc::POLLIN,
                    revents: 0,
                };
                let mut events = [event(INPUT), event(self.control)];
                system_call!(SYS_ppoll, events.as_mut_ptr(), 2, 0, 0, 0);
                let [input, control] = events;
                if control.revents != 0 {
                    self.answer();
                } else if input.revents != 0 && !self.copy(PIECE) {
                    self.report(AT_THE_END, 0);
                    exit();
                }
            }
        }
    }

    /// Passes on at most `limit` bytes. Returns false at the end of the pipe, or if standard error
    /// has no reader.
    unsafe fn copy(&mut self, limit: usize) -> bool {
        let mut bytes = MaybeUninit::<[u8; PIECE]>::uninit();
        let start = bytes.as_mut_ptr().cast::<u8>();
        // SAFETY: the system call writes no more than PIECE bytes, which are read after it.
        unsafe {
            let count = system_call!(SYS_read, INPUT, start, limit.min(PIECE));
            let Ok(count) = usize::try_from(count) else {
                return true;
            };
            for index in 0..count {
                let to = self.written.wrapping_add(index) % KEPT;
                // Volatile, or it would become a call of memcpy.
                self.kept
                    .add(to)
                    .write_volatile(start.add(index).read_volatile());
            }
            self.written = self.written.wrapping_add(count);
            count > 0 && write_all(start, count)
        }
    }

    /// Answers a question, after passing on what was there before it.
    unsafe fn answer(&mut self) {
        let mut question = [0_u8; 2];
        // SAFETY: pointers to locals, with their lengths.
        unsafe {
            let count = system_call!(SYS_read, CONTROL, question.as_mut_ptr(), 2);
            if count != 2 {
                // The program has ended.
                self.control = -1;
                return;
            }
            let mut left: c_int = 0;
            system_call!(SYS_ioctl, INPUT, libc::FIONREAD, &raw mut left);
            let mut left = usize::try_from(left).unwrap_or(0);
            while left > 0 {
                let before = self.written;
                if !self.copy(left) {
                    self.report(AT_THE_END, 0);
                    exit();
                }
                left = left.saturating_sub(self.written.wrapping_sub(before).max(1));
            }
            if is_at_the_end() {
                self.report(AT_THE_END, 0);
                exit();
            }
            let [kind, number] = question;
            if kind != CLOSE {
                self.report(number, 0);
                return;
            }
            // A copy stays, and the program reaps this process.
            match system_call!(SYS_clone, 0, 0, 0, 0, 0) {
                0 => {}
                1.. => {
                    self.report(number, 0);
                    exit();
                }
                _ => self.report(number, STAYS),
            }
            system_call!(SYS_close, CONTROL);
            self.control = -1;
        }
    }

    /// Sends the last bytes to the program.
    unsafe fn report(&mut self, number: u8, flags: u8) {
        let start = self.kept;
        let cut = self.written > KEPT;
        let head = [number, flags | if cut { CUT } else { 0 }];
        let (first, second) = match cut {
            true => (self.written % KEPT, KEPT - self.written % KEPT),
            false => (0, self.written),
        };
        let piece = |start: *const u8, length| iovec {
            iov_base: start.cast_mut().cast(),
            iov_len: length,
        };
        // SAFETY: the pieces are parts of `kept` that have been written.
        unsafe {
            let pieces = [
                piece(head.as_ptr(), HEAD),
                piece(start.add(first), second),
                piece(start, first),
            ];
            // If the program does not read its answers, this one is lost.
            system_call!(SYS_fcntl, CONTROL, libc::F_SETFL, libc::O_NONBLOCK);
            system_call!(SYS_writev, CONTROL, pieces.as_ptr(), 3);
        }
    }
}

/// Returns true if the pipe is empty and has no writer.
unsafe fn is_at_the_end() -> bool {
    let mut event = pollfd {
        fd: INPUT,
        events: libc::POLLIN,
        revents: 0,
    };
    let no_time = [0_u64; 2];
    // SAFETY: pointers to locals; `no_time` is as large as any time.
    unsafe { system_call!(SYS_ppoll, &raw mut event, 1, no_time.as_ptr(), 0, 0) };
    event.revents == libc::POLLHUP
}

/// Writes to standard error. Returns false if it has no reader.
unsafe fn write_all(start: *const u8, count: usize) -> bool {
    let mut done = 0;
    while done < count {
        // SAFETY: the rest of the caller's bytes; and pointers to locals.
        unsafe {
            let written = system_call!(SYS_write, STDERR, start.add(done), count - done);
            if let Ok(written @ 1..) = usize::try_from(written) {
                done += written;
                continue;
            }
            match *libc::__errno_location() {
                libc::EPIPE => return false,
                libc::EINTR => {}
                libc::EAGAIN => {
                    let mut event = pollfd {
                        fd: STDERR,
                        events: libc::POLLOUT,
                        revents: 0,
                    };
                    system_call!(SYS_ppoll, &raw mut event, 1, 0, 0, 0);
                }
                // A full disk, or no standard error: as lost as without this process.
                _ => return true,
            }
        }
    }
    true
}

unsafe fn exit() -> ! {
    loop {
        // SAFETY: an integer; the system call does not return.
        unsafe { system_call!(SYS_exit_group, 0) };
    }
}

/// Releases the large mappings of the program.
unsafe fn release_memory() {
    let here = 0_u8;
    // SAFETY: pointers to locals, with their lengths, and to a constant that ends in NUL.
    unsafe {
        let in_use = [
            (&raw const here) as usize,
            libc::__errno_location() as usize,
        ];
        let path = c"/proc/self/maps".as_ptr();
        let flags = libc::O_RDONLY | libc::O_CLOEXEC;
        let file = system_call!(SYS_openat, libc::AT_FDCWD, path, flags, 0);
        if file < 0 {
            return;
        }
        let mut line = Mapping::default();
        loop {
            let mut bytes = MaybeUninit::<[u8; PIECE]>::uninit();
            let start = bytes.as_mut_ptr().cast::<u8>();
            let count = system_call!(SYS_read, file, start, PIECE);
            if count <= 0 {
                break;
            }
            for index in 0..count.unsigned_abs() {
                let byte = start.add(index).read_volatile();
                if byte != b'\n' {
                    line.add(byte);
                    continue;
                }
                if line.can_be_released() {
                    release(line.start, line.end, in_use);
                }
                line = Mapping::default();
            }
        }
        system_call!(SYS_close, file);
    }
}

/// Unmaps the memory between two addresses, except around those in use.
unsafe fn release(start: usize, end: usize, in_use: [usize; 2]) {
    for (from, to) in unused(start, end, in_use) {
        if from < to {
            // SAFETY: nothing in this process uses the memory.
            unsafe { system_call!(SYS_munmap, from, to - from) };
        }
    }
}

/// Returns the parts of a mapping that are not near the addresses in use.
fn unused(start: usize, end: usize, in_use: [usize; 2]) -> [(usize, usize); 3] {
    let [first, second] = in_use;
    let around = |address: usize| {
        let begin = address & !(IN_USE - 1);
        (
            begin.saturating_sub(IN_USE),
            begin.saturating_add(2 * IN_USE),
        )
    };
    let (low, high) = (around(first.min(second)), around(first.max(second)));
    let within = |address: usize| address.max(start).min(end);
    [
        (start, within(low.0)),
        (within(low.1), within(high.0)),
        (within(high.1), end),
    ]
}

/// A line of /proc/self/maps: `start-end rwxp offset device inode name`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Mapping {
    start: usize,
    end: usize,
    is_shared: bool,
    is_file: bool,
    /// The first byte of the name, and whether it is that of the heap.
    name: u8,
    is_heap: bool,
    field: u8,
    /// The number of bytes in this field.
    length: usize,
}

impl Mapping {
    /// Takes the next byte of the line.
    fn add(&mut self, byte: u8) {
        match (self.field, byte) {
            (0, b'-') | (1..=5, b' ') => {
                // The name is preceded by several spaces.
                self.field += 1;
                self.length = 0;
                return;
            }
            (0, _) => self.start = (self.start << 4) | digit(byte),
            (1, _) => self.end = (self.end << 4) | digit(byte),
            (2, b's') => self.is_shared = true,
            (5, b'1'..=b'9') => self.is_file = true,
            (6, b' ') => return,
            (6, _) if self.length == 0 => self.name = byte,
            (6, b'h') if self.length == 1 => self.is_heap = self.name == b'[',
            _ => {}
        }
        self.length += 1;
    }

    /// Returns true for memory of the program: not for code and data of libraries, and not for
    /// what the kernel provides, such as the stack and the clock.
    fn can_be_released(&self) -> bool {
        let is_special = self.name == b'[' && !self.is_heap;
        self.end.saturating_sub(self.start) >= LARGE
            && (self.is_shared || !self.is_file)
            && !is_special
    }
}

fn digit(byte: u8) -> usize {
    match byte {
        b'0'..=b'9' => usize::from(byte - b'0'),
        b'a'..=b'f' => usize::from(byte - b'a') + 10,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(line: &str) -> Mapping {
        let mut mapping = Mapping::default();
        line.bytes().for_each(|byte| mapping.add(byte));
        mapping
    }

    #[test]
    fn large_memory_of_the_program_is_released_only() {
        let line = "40000000-80000000 rw-p 00000000 00:00 0 ";
        let large = mapping(line);
        assert_eq!((large.start, large.end), (0x4000_0000, 0x8000_0000));
        assert!(large.can_be_released());
        for (line, expected) in [
            ("40000000-40100000 rw-p 00000000 00:00 0 ", false),
            (
                "40000000-80000000 rw-s 00000000 00:01 77     /memfd:x (deleted)",
                true,
            ),
            (
                "40000000-80000000 r-xp 00000000 08:01 1234   /usr/lib/libx.so",
                false,
            ),
            (
                "40000000-80000000 rw-p 00000000 08:01 1234   /usr/lib/libx.so",
                false,
            ),
            ("40000000-80000000 rw-p 00000000 00:00 0      [heap]", true),
            (
                "40000000-80000000 rw-p 00000000 00:00 0      [stack]",
                false,
            ),
            ("40000000-80000000 r--p 00000000 00:00 0      [vvar]", false),
        ] {
            assert_eq!(mapping(line).can_be_released(), expected, "{line}");
        }
    }

    #[test]
    fn memory_in_use_is_not_released() {
        const MIB: usize = 1 << 20;
        let parts = |start, end, in_use: [usize; 2]| {
            let parts = unused(start * MIB, end * MIB, in_use.map(|it| it * MIB + 77));
            let parts = parts.into_iter().filter(|(from, to)| from < to);
            parts
                .map(|(from, to)| (from / MIB, to / MIB))
                .collect::<Vec<_>>()
        };
        assert_eq!(parts(100, 200, [10, 300]), [(100, 200)]);
        assert_eq!(parts(100, 200, [300, 10]), [(100, 200)]);
        assert_eq!(parts(100, 200, [150, 300]), [(100, 149), (152, 200)]);
        assert_eq!(parts(100, 200, [10, 150]), [(100, 149), (152, 200)]);
        assert_eq!(parts(100, 200, [150, 151]), [(100, 149), (153, 200)]);
        assert_eq!(
            parts(100, 200, [120, 150]),
            [(100, 119), (122, 149), (152, 200)]
        );
        assert_eq!(parts(100, 200, [100, 199]), [(102, 198)]);
        assert_eq!(parts(100, 103, [101, 101]), []);
    }

    #[test]
    fn lines_without_their_beginning_are_left_out() {
        assert_eq!(last_lines(b"", false), b"");
        assert_eq!(last_lines(b"one\ntwo\n", false), b"one\ntwo");
        assert_eq!(last_lines(b"one\ntwo\n", true), b"two");
        assert_eq!(last_lines(b"one\ntw", true), b"tw");
        assert_eq!(last_lines(b"long\n", true), b"long");
    }
}
