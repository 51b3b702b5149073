// SPDX-License-Identifier: LGPL-2.1-or-later

//! Servers that run as a child process.

use std::ffi::{CStr, CString};

use libc::{c_int, pid_t};

use super::activation::{self, PrivateSocket};
use super::connect::Connector;
use super::process::{is_for_this_process, wait_for};
use super::socket::Socket;
use super::spawn::{spawn, Place};
use super::stderr_copy::StderrCopy;
use crate::error::Error;

/// Standard error of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stderr {
    /// That of the program.
    Inherited,
    /// Passed on to that of the program, and the last lines kept.
    Captured,
}

impl Stderr {
    fn memory(self) -> Result<Option<Vec<u8>>, Error> {
        match self {
            Stderr::Inherited => Ok(None),
            Stderr::Captured => Ok(Some(StderrCopy::reserve()?)),
        }
    }
}

/// A running server, waited for when dropped.
///
/// A server whose standard input is the connection exits when the connection is closed, after
/// finishing its work. So drop the [`Socket`] first; no signal is sent. Other servers get
/// SIGTERM: a listening server keeps running after the connection is closed, and so may a tunnel.
///
/// Only the process that started the server ends it, and not a forked child, which has a copy of
/// this value.
#[derive(Debug)]
pub struct Subprocess {
    pid: pid_t,
    /// The process ID of the process that started it.
    parent: u32,
    /// True if the server may keep running after the connection is closed.
    outlives_connection: bool,
    /// The listening socket of a server started by socket activation.
    listening: Option<PrivateSocket>,
    /// The last field: dropped when the server has ended.
    stderr: Option<StderrCopy>,
}

impl Subprocess {
    /// Runs a server that speaks NBD on its standard input and output.
    pub fn command(argv: &[CString], stderr: Stderr) -> Result<(Subprocess, Socket), Error> {
        let memory = stderr.memory()?;
        let (pid, stderr, ours) = spawn(argv, Place::InputAndOutput, None, memory, || {
            Socket::pair().map_err(|error| Error::system("socketpair", &error))
        })?;
        let server = Subprocess {
            pid,
            parent: std::process::id(),
            outlives_connection: false,
            listening: None,
            stderr,
        };
        Ok((server, ours))
    }

    /// Runs a tunnel: a program that forwards its standard input and output to a remote server.
    pub fn tunnel(argv: &[CString], stderr: Stderr) -> Result<(Subprocess, Socket), Error> {
        let (mut tunnel, socket) = Subprocess::command(argv, stderr)?;
        tunnel.outlives_connection = true;
        Ok((tunnel, socket))
    }

    /// Runs a server by socket activation, with `name` as the socket name ("unknown" if empty).
    /// Connecting starts before the server runs, so a server that exits early causes no race. The
    /// last element of the result is the path of the socket.
    pub fn socket_activation(
        argv: &[CString],
        name: &CStr,
        stderr: Stderr,
    ) -> Result<(Subprocess, Connector, CString), Error> {
        let listening = PrivateSocket::new()?;
        let mut connector = Connector::unix(listening.path())?;
        let environment = activation::environment(name)?;
        let memory = stderr.memory()?;
        let (pid, stderr, ()) = spawn(argv, Place::Listener, Some(environment), memory, || {
            let listener = listening.listen()?;
            connector.begin();
            Ok(((), listener))
        })?;
        let path = listening.path().to_owned();
        let server = Subprocess {
            pid,
            parent: std::process::id(),
            outlives_connection: true,
            listening: Some(listening),
            stderr,
        };
        Ok((server, connector, path))
    }

    /// Returns the process ID of the server.
    pub fn pid(&self) -> pid_t {
        self.pid
    }

    /// Returns the last lines that the server has written to standard error, if they are captured.
    pub fn captured_stderr(&mut self) -> &[u8] {
        self.stderr.as_mut().map_or(&[], StderrCopy::text)
    }

    /// Sends a signal to the server: SIGTERM if `signum` is 0.
    pub fn kill(&self, signum: c_int) -> Result<(), Error> {
        let signum = match signum {
            0 => libc::SIGTERM,
            1.. => signum,
            _ => {
                let message = format!("signal {signum} does not exist");
                return Err(Error::new(libc::EINVAL, message));
            }
        };
        // SAFETY: kill(2) takes integers, and the child has not been reaped, so its process ID is
        // still its own.
        if unsafe { libc::kill(self.pid, signum) } < 0 {
            return Err(Error::last_os(format!("kill: signal {signum}")));
        }
        Ok(())
    }
}

impl Drop for Subprocess {
    fn drop(&mut self) {
        if !is_for_this_process(self.parent) {
            return;
        }
        if self.outlives_connection {
            // Failure means that it has already ended.
            let _ = self.kill(libc::SIGTERM);
        }
        self.listening = None;
        wait_for(self.pid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::blocking::Poll;
    use crate::transport::Progress;
    use std::io::{IoSlice, IoSliceMut};
    use std::os::fd::AsRawFd;
    use std::path::Path;
    use std::time::{Duration, Instant};

    fn words(words: &[&str]) -> Vec<CString> {
        words
            .iter()
            .map(|word| CString::new(*word).unwrap())
            .collect()
    }

    fn shell(script: &str) -> Vec<CString> {
        words(&["sh", "-c", script])
    }

    /// Reads all output of the server.
    fn read_all(socket: &Socket) -> String {
        let mut text = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let mut output = Poll::new(10_000).and(socket.as_raw_fd(), libc::POLLIN);
            assert_eq!(output.make(), Ok(1), "no output in 10 s");
            match socket.recv(&mut [IoSliceMut::new(&mut buffer)]).unwrap() {
                0 => return String::from_utf8(text).unwrap(),
                count => text.extend_from_slice(&buffer[..count]),
            }
        }
    }

    fn output_of(argv: &[CString]) -> String {
        let (server, socket) = Subprocess::command(argv, Stderr::Inherited).unwrap();
        socket.shutdown_write();
        let text = read_all(&socket);
        drop(socket);
        drop(server);
        text
    }

    /// Returns the output of a shell script started by socket activation. The script writes to a
    /// file, since it has inherited our standard output.
    fn output_with_activation(script: &str, name: &CStr) -> String {
        let file = std::env::temp_dir().join(format!(
            "nbd-test-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        let script = format!(
            "exec >'{0}.part'; {script}; mv '{0}.part' '{0}'",
            file.display()
        );
        let (server, connector, _) =
            Subprocess::socket_activation(&shell(&script), name, Stderr::Inherited).unwrap();
        let start = Instant::now();
        while !file.exists() {
            assert!(
                start.elapsed() < Duration::from_secs(10),
                "no output in 10 s"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        drop(connector);
        drop(server);
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        text
    }

    fn exists(pid: pid_t) -> bool {
        Path::new(&format!("/proc/{pid}")).exists()
    }

    #[test]
    fn a_command_uses_its_standard_input_and_output() {
        let (server, socket) = Subprocess::command(&words(&["cat"]), Stderr::Inherited).unwrap();
        assert_eq!(socket.send(&[IoSlice::new(b"hello")]).unwrap(), 5);
        socket.shutdown_write();
        assert_eq!(read_all(&socket), "hello");
        assert!(exists(server.pid()));
    }

    #[test]
    fn a_command_ends_with_its_connection_and_leaves_no_zombie() {
        // Ends when its input does, and reports that only if it is not killed.
        let file = std::env::temp_dir().join(format!("nbd-test-{}-end", std::process::id()));
        let script = format!(
            "cat >/dev/null; sleep 0.1; echo ended >'{}'",
            file.display()
        );
        let (server, socket) = Subprocess::command(&shell(&script), Stderr::Inherited).unwrap();
        let pid = server.pid();
        drop(socket);
        drop(server);
        assert!(!exists(pid));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "ended\n");
        std::fs::remove_file(&file).unwrap();
    }

    #[test]
    fn a_program_that_cannot_run_sends_nothing() {
        for argv in [
            words(&["/nonexistent/nbd-server", "x"]),
            words(&["no-such-program-anywhere"]),
            words(&["/etc/passwd"]),
            words(&[""]),
        ] {
            assert_eq!(output_of(&argv), "");
        }
        let error = Subprocess::command(&[], Stderr::Inherited).err().unwrap();
        assert_eq!(error.errno(), libc::EINVAL);
        let error = Subprocess::socket_activation(&[], c"", Stderr::Inherited)
            .err()
            .unwrap();
        assert_eq!(error.errno(), libc::EINVAL);
    }

    #[test]
    fn a_script_without_interpreter_line_is_run_by_the_shell() {
        use std::os::unix::fs::PermissionsExt;
        let file = std::env::temp_dir().join(format!("nbd-test-{}-script", std::process::id()));
        std::fs::write(&file, "echo \"$0 $1 $#\"\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o700)).unwrap();
        let name = file.to_str().unwrap();
        let text = output_of(&words(&[name, "one", "two"]));
        std::fs::remove_file(&file).unwrap();
        assert_eq!(text, format!("{name} one 2\n"));
    }

    /// Returns the descriptors of this process that survive exec.
    fn inheritable() -> Vec<c_int> {
        let entries = std::fs::read_dir("/proc/self/fd").unwrap();
        let fds = entries.map(|entry| entry.unwrap().file_name().to_str().unwrap().parse());
        fds.map(Result::unwrap)
            .filter(|&fd| {
                // SAFETY: this command of fcntl takes and returns integers only.
                let flags = unsafe { libc::fcntl(fd, libc::F_GETFD) };
                flags >= 0 && flags & libc::FD_CLOEXEC == 0
            })
            .collect()
    }

    #[test]
    fn nothing_of_this_library_leaks_into_the_server() {
        // A server and a connection that exist while the others are started.
        let (_other, _socket) = Subprocess::command(&words(&["cat"]), Stderr::Inherited).unwrap();
        // Descriptors after `last`, except those inherited by this process.
        let others = |text: String, last: c_int| -> Vec<c_int> {
            let fds = text.split_whitespace().map(|fd| fd.parse().unwrap());
            fds.filter(|fd| *fd > last && !inheritable().contains(fd))
                .collect()
        };
        let script = "ls /proc/$$/fd";
        assert_eq!(others(output_of(&shell(script)), 2), []);
        let text = output_with_activation(script, c"");
        assert!(text.split_whitespace().any(|fd| fd == "3"));
        assert_eq!(others(text, 3), []);
    }

    #[test]
    fn signals_are_as_in_a_fresh_process() {
        // SAFETY: the set is initialized before use; the mask is this thread's.
        unsafe {
            let mut all = std::mem::zeroed();
            libc::sigfillset(&raw mut all);
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const all, std::ptr::null_mut());
        }
        // The Rust runtime ignores SIGPIPE.
        let text = output_of(&words(&[
            "grep",
            "-E",
            "^Sig(Blk|Ign)",
            "/proc/self/status",
        ]));
        let bits = |name| {
            let line = text.lines().find(|line: &&str| line.starts_with(name));
            let hex = line.unwrap().split_whitespace().nth(1).unwrap();
            u64::from_str_radix(hex, 16).unwrap()
        };
        assert_eq!(bits("SigBlk"), 0);
        assert_eq!(bits("SigIgn") & 1 << (libc::SIGPIPE - 1), 0);
    }

    #[test]
    fn a_signal_reaches_the_server() {
        let (server, socket) =
            Subprocess::command(&words(&["sleep", "60"]), Stderr::Inherited).unwrap();
        assert_eq!(server.kill(-1).unwrap_err().errno(), libc::EINVAL);
        assert_eq!(server.kill(1000).unwrap_err().errno(), libc::EINVAL);
        server.kill(0).unwrap();
        assert_eq!(read_all(&socket), "", "its output ends with it");
        server
            .kill(libc::SIGKILL)
            .expect("it is not forgotten before it is waited for");
    }

    #[test]
    fn socket_activation_sets_the_environment() {
        let script = "echo $LISTEN_FDS $LISTEN_FDNAMES; [ $LISTEN_PID = $$ ] && echo mine";
        assert_eq!(output_with_activation(script, c"disk1"), "1 disk1\nmine\n");
        assert_eq!(output_with_activation(script, c""), "1 unknown\nmine\n");
        let script = "env | grep -c LISTEN_; readlink /proc/$$/fd/3 | cut -c1-7";
        assert_eq!(output_with_activation(script, c""), "3\nsocket:\n");
    }

    #[test]
    fn a_server_with_socket_activation_is_ended_and_cleaned_up_after() {
        let argv = words(&["sleep", "60"]);
        let (server, mut connector, path) =
            Subprocess::socket_activation(&argv, c"", Stderr::Inherited).unwrap();
        let path = path.to_str().unwrap().to_owned();
        let directory = Path::new(&path).parent().unwrap().to_owned();
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&directory).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let progress = connector.start().unwrap();
        assert!(matches!(progress, Progress::Connected(_)));

        let pid = server.pid();
        let start = Instant::now();
        drop(progress);
        drop(server);
        assert!(start.elapsed() < Duration::from_secs(30));
        assert!(!exists(pid));
        assert!(!directory.exists());
    }
}
