// SPDX-License-Identifier: LGPL-2.1-or-later

//! One run of a test's steps with one library: starts servers, runs clients and
//! records the results.

use std::cell::{Cell, RefCell};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::library::Library;
use super::process::{self, Outcome};
use super::programs;
use super::servers::Server;
use super::transcript::{without_explanation, Transcript};
use super::Result;

/// Time limit of a client, well above any normal duration.
const LIMIT: Duration = Duration::from_secs(120);

pub struct Scenario {
    library: Library,
    directory: TempDir,
    transcript: RefCell<Transcript>,
    servers: Cell<u32>,
}

/// Required result of a program: otherwise two clients that both fail to find a
/// server would count as equal.
#[derive(Clone, Copy, PartialEq)]
pub enum Ending {
    Success,
    Failure,
    /// Success or failure: the comparison decides.
    Either,
}

impl Scenario {
    pub fn new(library: &Library) -> Result<Scenario> {
        let directory = tempfile::Builder::new()
            .prefix("nbd-real-")
            .tempdir()
            .map_err(|e| format!("a temporary directory: {e}"))?;
        let mut transcript = Transcript::default();
        transcript.replace(&directory.path().display().to_string(), "DIRECTORY");
        Ok(Scenario {
            library: library.clone(),
            directory,
            transcript: RefCell::new(transcript),
            servers: Cell::new(0),
        })
    }

    pub fn into_transcript(self) -> Transcript {
        self.transcript.into_inner()
    }

    /// Returns a path in the directory of this run.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Returns that path as an argument of a program.
    pub fn text_path(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub fn library(&self) -> &Library {
        &self.library
    }

    /// Starts a server; `Server::start` describes the line.
    pub fn serve(&self, line: &str) -> Result<Server> {
        let number = self.servers.get();
        self.servers.set(number + 1);
        Server::start(self.directory(), &format!("server{number}"), line)
    }

    /// Starts a server that is itself a client, with the library of this run.
    pub fn serve_with_library(&self, line: &str) -> Result<Server> {
        let number = self.servers.get();
        self.servers.set(number + 1);
        let name = format!("server{number}");
        Server::start_with(&self.library, self.directory(), &name, line)
    }

    /// Registers text that varies between runs, with a name that replaces it.
    pub fn replace(&self, text: &str, name: &'static str) {
        self.transcript.borrow_mut().replace(text, name);
    }

    /// Records an observation.
    pub fn record(&self, what: &str, bytes: &[u8]) {
        self.transcript.borrow_mut().add(what, bytes);
    }

    /// Records the content of a file in the directory.
    pub fn record_file(&self, name: &str) -> Result<()> {
        self.record(&format!("content of {name}"), &self.read(name)?);
        Ok(())
    }

    pub fn read(&self, name: &str) -> Result<Vec<u8>> {
        fs::read(self.path(name)).map_err(|e| format!("{name}: {e}"))
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        fs::write(self.path(name), bytes).map_err(|e| format!("{name}: {e}"))
    }

    /// Runs a client, which must succeed, and records the outcome.
    pub fn client(&self, program: &str, arguments: &[&str]) -> Result<Outcome> {
        self.run(program, arguments, &[], Ending::Success)
    }

    /// Runs a client, which must fail.
    pub fn failing_client(&self, program: &str, arguments: &[&str]) -> Result<Outcome> {
        self.run(program, arguments, &[], Ending::Failure)
    }

    /// Runs a client, which must fail, and records its error message without
    /// the explanation: see `transcript::without_explanation`.
    pub fn refused(&self, program: &str, arguments: &[&str]) -> Result<()> {
        let outcome = self.attempt(program, arguments)?;
        let line = format!("{program} {}", arguments.join(" "));
        let error = String::from_utf8_lossy(&outcome.stderr);
        let error: Vec<_> = error.lines().map(without_explanation).collect();
        self.record(
            &format!("exit status of {line}"),
            outcome.ending().as_bytes(),
        );
        self.record(&format!("stdout of {line}"), &outcome.stdout);
        self.record(&format!("error of {line}"), error.join("\n").as_bytes());
        match outcome.status.code() {
            Some(code) if code != 0 => Ok(()),
            _ => Err(format!("{line}: {}", outcome.describe())),
        }
    }

    /// Runs a client with the given standard input.
    pub fn run(
        &self,
        program: &str,
        arguments: &[&str],
        input: &[u8],
        ending: Ending,
    ) -> Result<Outcome> {
        let outcome = self.execute(program, arguments, input)?;
        let line = format!("{program} {}", arguments.join(" "));
        self.record(
            &format!("exit status of {line}"),
            outcome.ending().as_bytes(),
        );
        self.record(&format!("stdout of {line}"), &outcome.stdout);
        self.record(&format!("stderr of {line}"), &outcome.stderr);
        let exited = outcome.status.code();
        let as_expected = match ending {
            Ending::Success => exited == Some(0),
            Ending::Failure => exited.is_some_and(|code| code != 0),
            Ending::Either => exited.is_some(),
        };
        match as_expected {
            true => Ok(outcome),
            false => Err(format!("{line}: {}", outcome.describe())),
        }
    }

    /// Runs a client whose output varies; nothing is recorded.
    pub fn attempt(&self, program: &str, arguments: &[&str]) -> Result<Outcome> {
        self.execute(program, arguments, &[])
    }

    fn execute(&self, program: &str, arguments: &[&str], input: &[u8]) -> Result<Outcome> {
        process::run(&mut self.command(program, arguments)?, input, LIMIT)
    }

    /// Returns a command with the library of this run, for callers that control
    /// the process themselves.
    pub fn command(&self, program: &str, arguments: &[&str]) -> Result<Command> {
        let mut command = self.library.command(&programs::find(program)?);
        self.prepare(&mut command, arguments);
        Ok(command)
    }

    /// Runs a program that prepares or examines something, without the library.
    /// Its output is returned and not recorded.
    pub fn tool(&self, program: &str, arguments: &[&str]) -> Result<Vec<u8>> {
        let mut command = Library::system().command(&programs::find(program)?);
        self.prepare(&mut command, arguments);
        let outcome = process::run(&mut command, &[], LIMIT)?;
        match outcome.status.success() {
            true => Ok(outcome.stdout),
            false => Err(format!("{program}: {}", outcome.describe())),
        }
    }

    /// Hides the user's own settings from the program.
    fn prepare(&self, command: &mut Command, arguments: &[&str]) {
        for name in [
            "LIBNBD_DEBUG",
            "TMPDIR",
            "NBDKIT_GDB",
            "PYTHONPATH",
            "PYTHONHOME",
        ] {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .current_dir(self.directory())
            .env("PATH", programs::PATH)
            .env("LC_ALL", "C.UTF-8")
            .env("LOGNAME", "tester")
            .env("HOME", self.directory());
    }
}
