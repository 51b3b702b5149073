// SPDX-License-Identifier: LGPL-2.1-or-later

//! The C program, and the transcript of a run.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::differences;
use support::c_program::{self, CProgram};
use support::library::{self, Library};
use support::{process, Result};

/// The program has a shorter time limit of its own.
const LIMIT: Duration = Duration::from_secs(60);

/// The kind of server that a sequence runs against.
#[derive(Clone, Copy)]
pub struct Kind {
    /// The newest kind of replies that the server supports.
    pub replies: &'static str,
    /// True if the server reports errors and violates the protocol.
    pub faults: bool,
    pub server: Server,
}

/// The implementation of the server.
#[derive(Clone, Copy, PartialEq)]
pub enum Server {
    /// A separate process.
    Process,
    /// The program itself, from the transmission phase on.
    Played,
    /// The program itself, from the greeting on.
    PlayedWithOptions,
}

impl Kind {
    /// Returns the kinds to compare with this version. Before 1.18 there were
    /// no extended headers: servers that support them then meet a client that
    /// does not request them, with either library. The amount of work done by a
    /// single call is compared with the reference version only.
    pub fn all(minor: u32) -> Vec<Kind> {
        let replies: &[_] = match minor {
            0..=17 => &["simple", "structured"],
            _ => &["simple", "structured", "extended"],
        };
        let servers: &[_] = match minor < differences::REFERENCE {
            true => &[Server::Process],
            false => &[Server::Process, Server::Played, Server::PlayedWithOptions],
        };
        let mut kinds = Vec::new();
        for &replies in replies {
            for &server in servers {
                kinds.extend([false, true].map(|faults| Kind {
                    replies,
                    faults,
                    server,
                }));
            }
        }
        kinds
    }

    /// Returns the argument that selects the server.
    fn server(self) -> &'static str {
        match (self.server, self.faults) {
            (Server::Process, false) => "0",
            (Server::Process, true) => "1",
            (Server::Played, false) => "p0",
            (Server::Played, true) => "p1",
            (Server::PlayedWithOptions, false) => "o0",
            (Server::PlayedWithOptions, true) => "o1",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = match self.server {
            Server::Process => "",
            Server::Played => ", call by call",
            Server::PlayedWithOptions => ", call by call with options",
        };
        let faults = if self.faults { ", faults" } else { "" };
        write!(f, "{} replies{server}{faults}", self.replies)
    }
}

/// The compiled program and the two libraries to compare.
#[derive(Clone)]
pub struct Program {
    executable: PathBuf,
    memserver: PathBuf,
    /// The C library of this system.
    reference: Library,
    minor: u32,
    under_test: Library,
}

/// Selects one of the two libraries.
#[derive(Clone, Copy, PartialEq)]
pub enum Which {
    Reference,
    UnderTest,
}

/// A call and its results, one per line.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub head: String,
    pub lines: Vec<String>,
}

impl Call {
    /// Returns the name of the function.
    pub fn function(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// Returns the number of the step.
    pub fn step(&self) -> Option<u32> {
        self.head.split(' ').next()?.parse().ok()
    }
}

/// The transcript of one run.
#[derive(Clone, PartialEq)]
pub struct Transcript {
    pub server: String,
    pub calls: Vec<Call>,
}

impl Program {
    pub fn compiled() -> Result<Program> {
        let under_test = Library::under_test()?;
        let program = CProgram {
            name: "differential".to_owned(),
            source: library::source().join("capi-tests/differential/differential.c"),
        };
        let directory = library::profile_directory()?.join("capi/bin");
        let executable = c_program::compile(&program, &under_test, &directory)?;
        let reference = Library::system();
        Ok(Program {
            minor: minor_version(&reference, &executable)?,
            executable,
            memserver: library::memserver()?,
            reference,
            under_test,
        })
    }

    /// Returns the minor version of the C library.
    pub fn minor(&self) -> u32 {
        self.minor
    }

    /// Returns the arguments of the program.
    pub fn arguments(&self, kind: Kind, seed: u64, steps: &Steps) -> Vec<String> {
        let mut arguments = vec![
            kind.replies.to_owned(),
            kind.server().to_owned(),
            self.minor.to_string(),
            seed.to_string(),
        ];
        if let Some(last) = steps.last {
            arguments.push(last.to_string());
            arguments.extend(steps.without.iter().map(u32::to_string));
        }
        arguments
    }

    /// Returns a shell command that runs the sequence with the library under
    /// test.
    pub fn command_line(&self, arguments: &[String]) -> String {
        let directory = self.under_test.directory.clone().unwrap_or_default();
        format!(
            "MEMSERVER={} LD_LIBRARY_PATH={} {} {}",
            self.memserver.display(),
            directory.display(),
            self.executable.display(),
            arguments.join(" ")
        )
    }

    pub fn run(&self, which: Which, kind: Kind, seed: u64, steps: &Steps) -> Result<Transcript> {
        let library = match which {
            Which::Reference => &self.reference,
            Which::UnderTest => &self.under_test,
        };
        let mut command = library.command(&self.executable);
        command.args(self.arguments(kind, seed, steps));
        command.env("MEMSERVER", &self.memserver);
        let outcome = process::run(&mut command, &[], LIMIT)?;
        let text = String::from_utf8_lossy(&outcome.stdout);
        let mut transcript = Transcript::parse(&text);
        if !outcome.status.success() {
            transcript.ends_with(&outcome.ending());
        }
        Ok(transcript)
    }
}

/// Returns the minor version from a version string such as `1.14.2`.
fn minor_version(library: &Library, executable: &Path) -> Result<u32> {
    let mut command = library.command(executable);
    let outcome = process::run(command.arg("version"), &[], LIMIT)?;
    let text = String::from_utf8_lossy(&outcome.stdout).into_owned();
    let minor = text.split('.').nth(1).and_then(|minor| minor.parse().ok());
    minor.ok_or_else(|| format!("version of the C library: {}", outcome.describe()))
}

/// A subset of the steps of a sequence.
#[derive(Clone, Default)]
pub struct Steps {
    /// The last step to run; `None` to run to the end.
    pub last: Option<u32>,
    /// Steps to skip.
    pub without: Vec<u32>,
}

impl Transcript {
    fn parse(text: &str) -> Transcript {
        let mut lines = text.lines();
        let server = lines.next().unwrap_or_default().to_owned();
        let mut calls: Vec<Call> = Vec::new();
        for line in lines {
            match (line.strip_prefix("  "), calls.last_mut()) {
                (Some(line), Some(call)) => call.lines.push(line.to_owned()),
                _ => calls.push(Call {
                    head: line.to_owned(),
                    lines: Vec::new(),
                }),
            }
        }
        Transcript { server, calls }
    }

    fn ends_with(&mut self, ending: &str) {
        self.calls.push(Call {
            head: ending.to_owned(),
            lines: Vec::new(),
        });
    }
}
