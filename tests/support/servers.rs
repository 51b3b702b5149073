// SPDX-License-Identifier: LGPL-2.1-or-later

//! Servers on a Unix socket or on a loopback port, stopped on drop.

use std::fmt;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::library::{self, Library};
use super::{process, programs, Result};

const START_LIMIT: Duration = Duration::from_secs(30);
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// The address of a server.
#[derive(Clone, Debug)]
pub enum Address {
    Unix(PathBuf),
    /// A port of the IPv4 loopback interface.
    Port(u16),
}

/// A running server.
pub struct Server {
    child: Child,
    address: Address,
}

impl Server {
    /// Starts a server from its command line, on a Unix socket in the
    /// directory. Options for the socket are added here; single quotes keep
    /// words of the line together.
    ///
    /// qemu-nbd serves any number of clients. nbd-server takes the exports of
    /// its configuration file as arguments (`NAME=FILE`), other lines of the
    /// file as options (`--KEY=VALUE`; those of an export follow it), and
    /// serves one client: it forks for clients only as a daemon, which is no
    /// child of the test and hard to stop.
    pub fn start(directory: &Path, name: &str, line: &str) -> Result<Server> {
        Server::start_with(&Library::system(), directory, name, line)
    }

    /// Starts a server that uses a library.
    pub fn start_with(
        library: &Library,
        directory: &Path,
        name: &str,
        line: &str,
    ) -> Result<Server> {
        let socket = directory.join(format!("{name}.sock"));
        Server::start_at(library, directory, name, line, Address::Unix(socket))
    }

    /// Starts a server on a port of its own.
    pub fn start_on_a_port(directory: &Path, name: &str, line: &str) -> Result<Server> {
        let library = Library::system();
        let mut failure = String::new();
        // Another process may take the port between the query and its use.
        for _ in 0..5 {
            let address = Address::Port(unused_port()?);
            match Server::start_at(&library, directory, name, line, address) {
                Ok(server) => return Ok(server),
                Err(why) => failure = why,
            }
        }
        Err(failure)
    }

    fn start_at(
        library: &Library,
        directory: &Path,
        name: &str,
        line: &str,
        address: Address,
    ) -> Result<Server> {
        let words = words(line);
        let (program, arguments) = words.split_first().ok_or("no server to start")?;
        let mut command = library.command(&match program.as_str() {
            "memserver" => library::memserver()?,
            program => programs::find(program)?,
        });
        match program.as_str() {
            "memserver" => command.arg("--exit-with-parent"),
            "nbdkit" => command.args(["--foreground", "--exit-with-parent"]),
            "qemu-nbd" => command.args(["--persistent", "--shared=0"]),
            "nbd-server" => {
                let file = directory.join(format!("{name}.conf"));
                nbd_server_configuration(&file, &address, directory, arguments)?;
                command.arg("-d").arg("-C").arg(file)
            }
            other => return Err(format!("{other} is no server known here")),
        };
        match (program.as_str(), &address) {
            ("nbd-server", _) => &mut command,
            ("qemu-nbd", Address::Unix(socket)) => command.arg("--socket").arg(socket),
            ("qemu-nbd", Address::Port(port)) => command.arg(format!("--port={port}")),
            (_, Address::Unix(socket)) => command.arg("--unix").arg(socket),
            ("memserver", Address::Port(port)) => command.arg(format!("--tcp=127.0.0.1:{port}")),
            (_, Address::Port(port)) => command.arg(format!("--port={port}")),
        };
        match (program.as_str(), &address) {
            ("qemu-nbd", Address::Port(_)) => command.arg("--bind=127.0.0.1"),
            ("nbdkit", Address::Port(_)) => command.arg("--ipaddr=127.0.0.1"),
            _ => &mut command,
        };
        if program != "nbd-server" {
            command.args(arguments);
        }
        if let Address::Unix(socket) = &address {
            // Not every server removes its socket on exit.
            let _ = fs::remove_file(socket);
        }
        let listening = address.clone();
        Server::spawn(command, directory, name, address, move || {
            listening.has_listener()
        })
    }

    fn spawn(
        mut command: Command,
        directory: &Path,
        name: &str,
        address: Address,
        ready: impl Fn() -> bool,
    ) -> Result<Server> {
        let log_path = directory.join(format!("{name}.log"));
        let log = File::create(&log_path).map_err(|e| format!("{}: {e}", log_path.display()))?;
        let same_log = log.try_clone().map_err(|e| e.to_string())?;
        command
            .current_dir(directory)
            .env("PATH", programs::PATH)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(same_log);
        process::end_with_this_thread(&mut command);
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command.spawn().map_err(|e| format!("{program}: {e}"))?;
        let mut server = Server { child, address };

        let start = Instant::now();
        while !ready() {
            let ended = server.child.try_wait().map_err(|e| e.to_string())?;
            if ended.is_some() || start.elapsed() >= START_LIMIT {
                let log = fs::read_to_string(&log_path).unwrap_or_default();
                return Err(format!("{program} does not start: {log}"));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(server)
    }

    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Returns the URI of an export.
    pub fn uri(&self, export: &str) -> String {
        match &self.address {
            Address::Unix(socket) => format!("nbd+unix:///{export}?socket={}", socket.display()),
            Address::Port(port) => format!("nbd://localhost:{port}/{export}"),
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops the server after it has stored all written data.
    pub fn stop(mut self) -> Result<()> {
        let ended: Option<ExitStatus> = self.end();
        ended
            .map(|_| ())
            .ok_or_else(|| "a server does not stop on request".to_owned())
    }

    /// Kills the server, as if its machine had failed.
    pub fn kill(mut self) -> Result<()> {
        let ended = self.child.kill().and_then(|()| self.child.wait());
        ended.map(|_| ()).map_err(|e| format!("kill: {e}"))
    }

    fn end(&mut self) -> Option<ExitStatus> {
        if let Ok(Some(status)) = self.child.try_wait() {
            return Some(status);
        }
        process::terminate(&self.child);
        process::wait(&mut self.child, STOP_LIMIT).ok().flatten()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.end().is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Returns a loopback port without a listener.
pub fn unused_port() -> Result<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|e| format!("an unused port: {e}"))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Unix(socket) => write!(f, "{}", socket.display()),
            Address::Port(port) => write!(f, "localhost:{port}"),
        }
    }
}

impl Address {
    /// Returns true if a server is listening there. The socket file appears
    /// slightly earlier, and a test connection would use up a client's slot.
    fn has_listener(&self) -> bool {
        const UNIX_LISTENING: &str = "00010000";
        const TCP_LISTENING: &str = "0A";
        let (table, state, place) = match self {
            Address::Unix(path) => ("unix", (3, UNIX_LISTENING), (7, path.display().to_string())),
            Address::Port(port) => (
                "tcp",
                (3, TCP_LISTENING),
                (1, format!("0100007F:{port:04X}")),
            ),
        };
        let sockets = fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default();
        sockets.lines().any(|line| {
            let fields: Vec<_> = line.split_whitespace().collect();
            fields.get(state.0) == Some(&state.1)
                && fields.get(place.0).is_some_and(|at| *at == place.1)
        })
    }
}

fn nbd_server_configuration(
    file: &Path,
    address: &Address,
    directory: &Path,
    arguments: &[String],
) -> Result<()> {
    let mut text = "[generic]\nallowlist = true\n".to_owned();
    text += &match address {
        Address::Unix(socket) => format!("unixsock = {}\n", socket.display()),
        Address::Port(port) => format!("listenaddr = 127.0.0.1\nport = {port}\n"),
    };
    for argument in arguments {
        let (name, value) = argument.split_once('=').ok_or("expected NAME=FILE")?;
        text += &match name.strip_prefix("--") {
            Some(key) => format!("{key} = {value}\n"),
            None => format!(
                "[{name}]\nexportname = {}\n",
                directory.join(value).display()
            ),
        };
    }
    fs::write(file, text).map_err(|e| format!("{}: {e}", file.display()))
}

/// Splits a line like a shell that supports only single quotes.
pub fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut between = true;
    for (number, part) in line.split('\'').enumerate() {
        let quoted = number % 2 == 1;
        if quoted && between {
            // Quotes make a word even if they are empty.
            words.push(String::new());
            between = false;
        }
        for c in part.chars() {
            if c == ' ' && !quoted {
                between = true;
                continue;
            }
            if between {
                words.push(String::new());
                between = false;
            }
            if let Some(word) = words.last_mut() {
                word.push(c);
            }
        }
    }
    words
}
