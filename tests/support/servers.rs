// SPDX-License-Identifier: LGPL-2.1-or-later

//! Servers on a Unix socket or on a loopback port, gone when dropped.

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

/// A running server.
pub struct Server {
    child: Child,
    socket: PathBuf,
}

impl Server {
    /// Starts a server as its command line says, on a Unix socket in the
    /// directory. Options that say how to listen are added here; single quotes
    /// keep words of the line together.
    ///
    /// qemu-nbd serves any number of clients. nbd-server takes the exports of its
    /// configuration file as its arguments (`NAME=FILE`), and one client: it forks
    /// for clients only as a daemon, which is nobody's child and hard to end.
    pub fn start(directory: &Path, name: &str, line: &str) -> Result<Server> {
        Server::start_with(&Library::system(), directory, name, line)
    }

    /// The same for a server that uses a library.
    pub fn start_with(
        library: &Library,
        directory: &Path,
        name: &str,
        line: &str,
    ) -> Result<Server> {
        let words = words(line);
        let (program, arguments) = words.split_first().ok_or("no server to start")?;
        let socket = directory.join(format!("{name}.sock"));
        let mut command = library.command(&match program.as_str() {
            "memserver" => library::memserver()?,
            program => programs::find(program)?,
        });
        match program.as_str() {
            "memserver" => command.arg("--exit-with-parent").arg("--unix").arg(&socket),
            "nbdkit" => {
                command.args(["--foreground", "--exit-with-parent", "--unix"]);
                command.arg(&socket)
            }
            "qemu-nbd" => {
                command.args(["--persistent", "--shared=0", "--socket"]);
                command.arg(&socket)
            }
            "nbd-server" => {
                let file = directory.join(format!("{name}.conf"));
                nbd_server_configuration(&file, &socket, directory, arguments)?;
                command.arg("-d").arg("-C").arg(file)
            }
            other => return Err(format!("{other} is no server known here")),
        };
        if program != "nbd-server" {
            command.args(arguments);
        }
        let listening = socket.clone();
        Server::spawn(command, directory, name, socket, move || {
            listens_on(&listening)
        })
    }

    /// `nbdkit ARGUMENTS` on this port of the IPv4 loopback interface.
    pub fn nbdkit_on_port(directory: &Path, port: u16, arguments: &[&str]) -> Result<Server> {
        let pid_file = directory.join(format!("port-{port}.pid"));
        let mut command = Library::system().command(&programs::find("nbdkit")?);
        command.args(["--foreground", "--exit-with-parent", "--ipaddr=127.0.0.1"]);
        command.arg(format!("--port={port}"));
        command.arg("--pidfile").arg(&pid_file);
        command.args(arguments);
        let name = format!("port-{port}");
        Server::spawn(command, directory, &name, PathBuf::new(), move || {
            // nbdkit writes it when it listens.
            pid_file.exists()
        })
    }

    fn spawn(
        mut command: Command,
        directory: &Path,
        name: &str,
        socket: PathBuf,
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
        let mut server = Server { child, socket };

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

    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The URI of an export of a server on a Unix socket.
    pub fn uri(&self, export: &str) -> String {
        format!("nbd+unix:///{export}?socket={}", self.socket.display())
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Has the server end, with all it was told to store stored.
    pub fn stop(mut self) -> Result<()> {
        let ended: Option<ExitStatus> = self.end();
        ended
            .map(|_| ())
            .ok_or_else(|| "a server does not end when told to".to_owned())
    }

    /// Ends the server as if the machine it runs on had failed.
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

/// A loopback port that nothing listens on.
pub fn unused_port() -> Result<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|e| format!("an unused port: {e}"))
}

/// Whether someone listens on this Unix socket: its file is there a moment before.
fn listens_on(socket: &Path) -> bool {
    const LISTENING: &str = "00010000";
    let path = socket.as_os_str();
    let sockets = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    sockets.lines().any(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        fields.get(3) == Some(&LISTENING) && fields.get(7).is_some_and(|name| path == *name)
    })
}

fn nbd_server_configuration(
    file: &Path,
    socket: &Path,
    directory: &Path,
    exports: &[String],
) -> Result<()> {
    let socket = socket.display();
    let mut text = format!("[generic]\nunixsock = {socket}\nallowlist = true\n");
    for export in exports {
        let (name, image) = export.split_once('=').ok_or("expected NAME=FILE")?;
        let image = directory.join(image);
        text += &format!("[{name}]\nexportname = {}\n", image.display());
    }
    fs::write(file, text).map_err(|e| format!("{}: {e}", file.display()))
}

/// The words of a line, as a shell would split it that knows single quotes only.
pub fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut between = true;
    for (number, part) in line.split('\'').enumerate() {
        let quoted = number % 2 == 1;
        if quoted && between {
            // Quotes make a word even around nothing.
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
