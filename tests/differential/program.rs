// SPDX-License-Identifier: LGPL-2.1-or-later

//! The C program, and the transcript of one run of it.

use std::env;
use std::fmt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::support::c_program::{self, CProgram};
use super::support::library::{self, Library};
use super::support::{process, Result};

/// The program ends itself before that.
const LIMIT: Duration = Duration::from_secs(60);

/// What kind of server a sequence is run against.
#[derive(Clone, Copy)]
pub struct Kind {
    /// What the server can at most.
    pub replies: &'static str,
    /// Whether it reports errors and breaks the protocol.
    pub faults: bool,
}

impl Kind {
    /// libnbd 1.14 knows nothing of extended headers: a server that has them
    /// meets a client that does not ask, with either library.
    pub fn all(level: u32) -> Vec<Kind> {
        let replies: &[_] = match level {
            0..=17 => &["simple", "structured"],
            _ => &["simple", "structured", "extended"],
        };
        let kinds = replies
            .iter()
            .flat_map(|&replies| [false, true].map(|faults| Kind { replies, faults }));
        kinds.collect()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults = if self.faults { ", faults" } else { "" };
        write!(f, "{} replies{faults}", self.replies)
    }
}

/// The compiled program and the two libraries.
#[derive(Clone)]
pub struct Program {
    executable: PathBuf,
    memserver: PathBuf,
    level: u32,
    /// The C library.
    reference: Library,
    /// A command that runs a program with another C library.
    launcher: Option<PathBuf>,
    under_test: Library,
}

/// One of the two.
#[derive(Clone, Copy, PartialEq)]
pub enum Which {
    Reference,
    UnderTest,
}

/// A call and what came of it, a line each.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub head: String,
    pub lines: Vec<String>,
}

impl Call {
    /// The name of the function.
    pub fn function(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// The number of its step.
    pub fn step(&self) -> Option<u32> {
        self.head.split(' ').next()?.parse().ok()
    }
}

/// What one run wrote down.
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
        let level = env::var("DIFFERENTIAL_LEVEL").unwrap_or_else(|_| "14".to_owned());
        Ok(Program {
            executable: c_program::compile(&program, &under_test, &directory)?,
            memserver: library::memserver()?,
            level: level
                .parse()
                .map_err(|_| format!("DIFFERENTIAL_LEVEL is a number, not '{level}'"))?,
            reference: Library::system(),
            launcher: env::var_os("DIFFERENTIAL_REFERENCE").map(PathBuf::from),
            under_test,
        })
    }

    pub fn level(&self) -> u32 {
        self.level
    }

    /// Arguments of the program.
    pub fn arguments(&self, kind: Kind, seed: u64, steps: &Steps) -> Vec<String> {
        let faults = if kind.faults { "1" } else { "0" };
        let mut arguments = vec![
            kind.replies.to_owned(),
            faults.to_owned(),
            self.level.to_string(),
            seed.to_string(),
        ];
        if let Some(last) = steps.last {
            arguments.push(last.to_string());
            arguments.extend(steps.without.iter().map(u32::to_string));
        }
        arguments
    }

    /// How a person runs it with the library under test.
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
        let mut command = match (which, &self.launcher) {
            (Which::UnderTest, _) => self.under_test.command(&self.executable),
            (Which::Reference, None) => self.reference.command(&self.executable),
            (Which::Reference, Some(launcher)) => {
                let mut command = Command::new(launcher);
                command.arg(&self.executable);
                command
            }
        };
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

/// A part of a sequence.
#[derive(Clone, Default)]
pub struct Steps {
    /// The number of the last step, where it is not the last of the sequence.
    pub last: Option<u32>,
    /// Steps that are left out.
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
