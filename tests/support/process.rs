// SPDX-License-Identifier: LGPL-2.1-or-later

//! Runs programs until they exit or reach a time limit.

use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::Result;

/// Result of a program.
pub struct Outcome {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Outcome {
    /// Describes the exit status or the signal.
    pub fn ending(&self) -> String {
        match (self.status.code(), self.status.signal()) {
            (Some(code), _) => format!("exit status {code}"),
            (None, Some(signal)) => format!("killed by signal {signal}"),
            (None, None) => self.status.to_string(),
        }
    }

    /// Describes the outcome for a reader of the test output.
    pub fn describe(&self) -> String {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let mut description = self.ending();
        for (name, bytes) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !bytes.is_empty() {
                description += &format!("\n--- {name}\n{}", text(bytes).trim_end());
            }
        }
        description
    }
}

/// Runs a command that must succeed within five minutes, and returns its
/// output.
pub fn text(command: &mut Command) -> Result<String> {
    let outcome = run(command, &[], Duration::from_secs(300))?;
    match outcome.status.success() {
        true => String::from_utf8(outcome.stdout).map_err(|e| e.to_string()),
        false => Err(format!("{command:?}: {}", outcome.describe())),
    }
}

/// Runs the command with pipes as its standard descriptors and `input` on
/// standard input. Processes that the command starts must end with it.
pub fn run(command: &mut Command, input: &[u8], limit: Duration) -> Result<Outcome> {
    let name = command.get_program().to_string_lossy().into_owned();
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A separate process group, so that its children can be found too.
        .process_group(0);
    end_with_this_thread(command);
    let mut child = command.spawn().map_err(|e| format!("{name}: {e}"))?;
    let group = State(child.id() as libc::pid_t);

    let stdin = child.stdin.take().map(|pipe| write_all(pipe, input));
    let stdout = child.stdout.take().map(read_all);
    let stderr = child.stderr.take().map(read_all);

    let status = wait(&mut child, limit).map_err(|e| format!("{name}: {e}"))?;
    let alone = status.is_some() && group.wait_until_empty(Duration::from_secs(5));
    if !alone {
        group.kill();
    }
    let reaped = match status {
        Some(status) => status,
        None => child.wait().map_err(|e| format!("{name}: {e}"))?,
    };
    // No process holds the other ends of the pipes any more, so all of these
    // return.
    if let Some(stdin) = stdin {
        let _ = stdin.join();
    }
    let outcome = Outcome {
        status: reaped,
        stdout: joined(stdout),
        stderr: joined(stderr),
    };
    if status.is_none() {
        let seconds = limit.as_secs();
        let seen = outcome.describe();
        return Err(format!("{name} had not ended after {seconds} s: {seen}"));
    }
    if !alone {
        let seen = outcome.describe();
        return Err(format!("{name} left a process running: {seen}"));
    }
    Ok(outcome)
}

/// Waits for the end of the child; returns `None` after `limit`.
pub fn wait(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() >= limit {
            return Ok(None);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Makes the kernel kill the program when the thread that runs the test ends,
/// so that an interrupted test leaves no process running.
pub fn end_with_this_thread(command: &mut Command) {
    let end = || {
        // SAFETY: prctl with these arguments reads and writes no memory of ours.
        match unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    };
    // SAFETY: between fork and exec, the closure makes one system call and reads
    // errno: it neither allocates nor takes a lock.
    unsafe { command.pre_exec(end) };
}

/// Sends SIGTERM to a child.
pub fn terminate(child: &Child) {
    // SAFETY: kill touches no memory. The child has not been waited for, so its
    // pid cannot have been reused.
    unsafe { libc::kill(child.id() as libc::pid_t, libc::SIGTERM) };
}

/// The process group of a program that `run` started.
struct State(libc::pid_t);

impl State {
    fn wait_until_empty(&self, limit: Duration) -> bool {
        let start = Instant::now();
        while self.signal(0) {
            if start.elapsed() >= limit {
                return false;
            }
            thread::sleep(Duration::from_millis(2));
        }
        true
    }

    fn kill(&self) {
        self.signal(libc::SIGKILL);
    }

    /// Sends a signal to the group. Returns false if the group has no process.
    fn signal(&self, signal: libc::c_int) -> bool {
        // SAFETY: killpg touches no memory. The group was made by `run`.
        unsafe { libc::killpg(self.0, signal) == 0 }
    }
}

fn write_all(mut pipe: impl Write + Send + 'static, input: &[u8]) -> JoinHandle<()> {
    let input = input.to_vec();
    thread::spawn(move || {
        // A program may exit without reading all of its input.
        let _ = pipe.write_all(&input);
    })
}

fn read_all(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}

fn joined(reader: Option<JoinHandle<Vec<u8>>>) -> Vec<u8> {
    reader
        .and_then(|reader| reader.join().ok())
        .unwrap_or_default()
}
