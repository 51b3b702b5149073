// SPDX-License-Identifier: LGPL-2.1-or-later

//! The program as a child process, and the first messages of a client.

use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use super::{error_of, info_data, option, option_replies, Headers, Request};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_memserver");

/// A running server, killed at the end of the test.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may already have exited, as some tests expect.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// Waits until the program exits and returns its status.
    pub fn end(&mut self) -> i32 {
        let start = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            assert!(start.elapsed() < Duration::from_secs(10), "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn terminate(&self) {
        let pid = self.0.id().to_string();
        let status = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(status.unwrap().success());
    }
}

pub fn path(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("memserver-{name}-{}", std::process::id()))
}

/// Passes `fd` to the program as descriptor `number`.
pub fn pass(command: &mut Command, fd: &impl AsRawFd, number: i32) {
    let fd = fd.as_raw_fd();
    // SAFETY: dup2 and fcntl may be called between fork and exec, and touch no
    // memory.
    unsafe {
        command.pre_exec(move || {
            // A descriptor made by dup2 stays open in the program; one that
            // already has its number needs FD_CLOEXEC cleared.
            let status = if fd == number {
                libc::fcntl(fd, libc::F_SETFD, 0)
            } else {
                libc::dup2(fd, number)
            };
            match status {
                -1 => Err(io::Error::last_os_error()),
                _ => Ok(()),
            }
        });
    }
}

/// Starts a server on a Unix socket and waits until it is ready.
pub fn start(name: &str, options: &str) -> (Running, PathBuf) {
    let socket = path(name);
    let (mut reader, writer) = UnixStream::pair().unwrap();
    let mut command = Command::new(PROGRAM);
    command.arg("--unix").arg(&socket).args(["--ready-fd", "9"]);
    command.args(options.split_whitespace());
    pass(&mut command, &writer, 9);
    let running = Running(command.spawn().unwrap());
    drop(command);
    drop(writer);
    let mut byte = Vec::new();
    reader.read_to_end(&mut byte).unwrap();
    assert_eq!(byte, b"\n");
    (running, socket)
}

/// Performs the newstyle handshake up to the transmission phase.
pub fn enter(stream: &mut (impl Read + Write), headers: Headers) {
    let mut greeting = [0; 18];
    stream.read_exact(&mut greeting).unwrap();
    assert_eq!(&greeting[..16], b"NBDMAGICIHAVEOPT");
    stream.write_all(&[0, 0, 0, 3]).unwrap();
    let mut options = vec![(7, info_data(b"", &[]), 20 + 12 + 20)];
    match headers {
        Headers::Simple => {}
        Headers::Structured => options.insert(0, (8, vec![], 20)),
        Headers::Extended => options.insert(0, (11, vec![], 20)),
    }
    for (number, data, length) in options {
        stream.write_all(&option(number, &data)).unwrap();
        let mut reply = vec![0; length];
        stream.read_exact(&mut reply).unwrap();
        let replies = option_replies(&reply);
        assert_eq!(replies.last().unwrap().kind, 1);
    }
}

pub fn flush_works(stream: &mut (impl Read + Write)) {
    stream
        .write_all(&Request::new(3, 0, 0).encode(Headers::Simple))
        .unwrap();
    let mut reply = [0; 16];
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(error_of(&reply, Headers::Simple), 0);
}

pub fn all_of(stream: &mut impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => bytes,
        // The peer closed with unread data of ours.
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => bytes,
        Err(error) => panic!("{error}"),
    }
}
