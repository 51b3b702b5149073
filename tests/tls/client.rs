// SPDX-License-Identifier: LGPL-2.1-or-later

//! The C programs of `capi-tests/over-tls/`, whose environment names the server
//! and the settings: see `capi-tests/harness/tls.h`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use support::c_program::{self, CProgram};
use support::library::{self, Library};
use support::memcheck;
use support::process::{self, Outcome};
use support::servers::Address;
use support::{target, Result};

/// The programs have a shorter time limit of their own.
const LIMIT: Duration = Duration::from_secs(150);

/// A program about to be run.
pub struct Client {
    program: &'static str,
    settings: Vec<(&'static str, String)>,
    under_valgrind: bool,
}

impl Client {
    pub fn new(program: &'static str) -> Client {
        Client {
            program,
            settings: Vec::new(),
            under_valgrind: false,
        }
    }

    /// Runs the program under valgrind.
    pub fn under_valgrind(mut self) -> Client {
        self.under_valgrind = true;
        self
    }

    /// Sets a variable in its environment.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Client {
        self.settings.push((name, value.into()));
        self
    }

    /// Sets the address of the server, which is called localhost unless it is
    /// on a Unix socket.
    pub fn on(self, address: &Address) -> Client {
        self.with("SERVER", server(address))
    }

    /// Runs the program, which must succeed.
    pub fn run(&self) -> Result<Outcome> {
        let mut command = self.command()?;
        let outcome = process::run(&mut command, &[], Library::under_test()?.limit(LIMIT))?;
        match outcome.status.success() {
            true => Ok(outcome),
            false => Err(format!("{}: {}", self.program, outcome.describe())),
        }
    }

    /// Returns the command that runs it, with an empty home directory.
    pub fn command(&self) -> Result<Command> {
        let (library, executable) = (Library::under_test()?, compiled(self.program)?);
        let mut command = match self.under_valgrind {
            true => memcheck::command(&library, &executable)?,
            false => library.command(&executable),
        };
        for name in ["LIBNBD_DEBUG", "GNUTLS_SYSTEM_PRIORITY_FILE"] {
            command.env_remove(name);
        }
        command.env("HOME", "/nonexistent").env("LOGNAME", "tester");
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }
}

/// Returns the server's address in the form that the programs expect.
pub fn server(address: &Address) -> String {
    match address {
        Address::Unix(socket) => format!("unix:{}", socket.display()),
        Address::Port(port) => format!("tcp:localhost:{port}"),
    }
}

/// Compiles all programs.
pub fn compile_all() -> Result<()> {
    let (library, directory) = (Library::under_test()?, directory()?);
    c_program::all_in("capi-tests/over-tls")?
        .iter()
        .try_for_each(|program| c_program::compile(program, &library, &directory).map(|_| ()))
}

fn directory() -> Result<PathBuf> {
    target::directory("tls")
}

/// Returns the executable, compiled on first use.
fn compiled(program: &'static str) -> Result<PathBuf> {
    static COMPILED: OnceLock<Mutex<HashMap<&'static str, Result<PathBuf>>>> = OnceLock::new();
    let compiled = COMPILED.get_or_init(Mutex::default);
    let mut compiled = compiled.lock().unwrap_or_else(PoisonError::into_inner);
    let executable = compiled.entry(program).or_insert_with(|| {
        let source = library::source().join("capi-tests/over-tls");
        let program = CProgram {
            name: program.to_owned(),
            source: source.join(format!("{program}.c")),
        };
        c_program::compile(&program, &Library::under_test()?, &directory()?)
    });
    executable.clone()
}
