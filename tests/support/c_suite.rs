// SPDX-License-Identifier: LGPL-2.1-or-later

//! A test program that runs all of `capi-tests/` in its own way, with a named
//! trial for each program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use libtest_mimic::{Arguments, Trial};

use super::c_program::{self, CProgram};
use super::library::{self, Library};
use super::process::{self, Outcome};
use super::{target, Result};

/// The way in which programs are compiled and run.
#[derive(Clone, Copy)]
pub struct Suite {
    /// Name of the test program.
    pub name: &'static str,
    /// Directory of the compiled programs, below `capi/` of the profile's
    /// directory.
    pub directory: &'static str,
    /// Further arguments of the compiler.
    pub flags: &'static [&'static str],
    /// The command that runs a program.
    pub command: fn(&Library, &Path) -> Result<Command>,
    /// Time limit of a program.
    pub limit: Duration,
    /// A faulty program, to show that the fault is detected.
    pub watchdog: Option<Watchdog>,
}

/// A program with a deliberate fault.
#[derive(Clone, Copy)]
pub struct Watchdog {
    /// Name of the trial.
    pub name: &'static str,
    pub source: &'static str,
    /// Exit status when the fault is found.
    pub found: i32,
    /// Text contained in the report.
    pub report: &'static str,
}

impl Suite {
    /// Runs the trials selected by this process's arguments.
    pub fn main(self) -> ExitCode {
        let mut arguments = Arguments::from_args();
        arguments.test_threads.get_or_insert(2);
        match self.trials() {
            Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
            Err(failure) => {
                eprintln!("{}: {failure}", self.name);
                ExitCode::FAILURE
            }
        }
    }

    fn trials(self) -> Result<Vec<Trial>> {
        // Without their common prerequisites, no trial would be meaningful.
        Library::under_test()?;
        library::memserver()?;
        let of_program = |program: CProgram| {
            Trial::test(program.name.clone(), move || {
                let outcome = self.run(&program)?;
                match outcome.status.success() {
                    true => Ok(()),
                    false => Err(outcome.describe().into()),
                }
            })
        };
        let watchdog = self
            .watchdog
            .map(|watchdog| Trial::test(watchdog.name, move || Ok(self.finds_mistake(&watchdog)?)));
        let programs = c_program::all()?.into_iter().map(of_program);
        Ok(watchdog.into_iter().chain(programs).collect())
    }

    fn directory(&self) -> Result<PathBuf> {
        target::directory(self.directory)
    }

    fn run(&self, program: &CProgram) -> Result<Outcome> {
        let library = Library::under_test()?;
        let executable =
            c_program::compile_with(program, &library, &self.directory()?, self.flags)?;
        let mut command = (self.command)(&library, &executable)?;
        command.env("MEMSERVER", library::memserver()?);
        process::run(&mut command, &[], library.limit(self.limit))
    }

    fn finds_mistake(&self, watchdog: &Watchdog) -> Result<()> {
        let directory = self.directory()?;
        let source = directory.join("mistake.c");
        fs::create_dir_all(&directory).map_err(|e| format!("{}: {e}", directory.display()))?;
        fs::write(&source, watchdog.source).map_err(|e| format!("{}: {e}", source.display()))?;
        let outcome = self.run(&CProgram {
            name: "mistake".to_owned(),
            source,
        })?;
        let report = String::from_utf8_lossy(&outcome.stderr);
        if outcome.status.code() == Some(watchdog.found) && report.contains(watchdog.report) {
            Ok(())
        } else {
            Err(outcome.describe())
        }
    }
}
