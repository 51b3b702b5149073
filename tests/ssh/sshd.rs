// SPDX-License-Identifier: LGPL-2.1-or-later

//! A Secure Shell server on the loopback interface, and the keys that a client
//! needs to log in; the configuration of the system and of the user is neither
//! read nor changed.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use support::servers::unused_port;
use support::{process, programs, Result};

const START_LIMIT: Duration = Duration::from_secs(20);

/// A running server, stopped on drop.
pub struct Sshd {
    child: Child,
    directory: TempDir,
    port: u16,
    user: String,
}

impl Sshd {
    /// Starts a server. The error gives the reason why none can run here.
    pub fn start() -> Result<Sshd> {
        let directory = TempDir::new().map_err(|e| format!("temporary directory: {e}"))?;
        let path = directory.path();
        for key in ["host", "known", "stranger"] {
            let mut keygen = Command::new(programs::find("ssh-keygen")?);
            keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]);
            check(keygen.arg(path.join(key)))?;
        }
        let port = unused_port()?;
        let user = check(Command::new(programs::find("id")?).arg("-un"))?;
        let host_key = read(&path.join("host.pub"))?;
        write(
            &path.join("known_hosts"),
            &format!("[127.0.0.1]:{port} {host_key}"),
        )?;
        write(&path.join("no_hosts"), "")?;
        write(&path.join("authorized"), &read(&path.join("known.pub"))?)?;
        let shown = path.display();
        write(
            &path.join("sshd_config"),
            &format!(
                "ListenAddress 127.0.0.1\nPort {port}\nHostKey {shown}/host\n\
                 AuthorizedKeysFile {shown}/authorized\nPidFile none\nUsePAM no\n\
                 StrictModes no\nPermitRootLogin prohibit-password\n\
                 PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
            ),
        )?;
        // sshd requires this directory; the system creates it when it starts
        // its own sshd.
        let _ = fs::create_dir("/run/sshd");
        let log = File::create(path.join("sshd.log")).map_err(|e| format!("sshd.log: {e}"))?;
        let mut command = Command::new(programs::find("sshd")?);
        command
            .args(["-D", "-e", "-f"])
            .arg(path.join("sshd_config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        process::end_with_this_thread(&mut command);
        let child = command.spawn().map_err(|e| format!("sshd: {e}"))?;
        let mut server = Sshd {
            child,
            directory,
            port,
            user: user.trim().to_owned(),
        };
        server.wait_until_it_listens()?;
        Ok(server)
    }

    fn wait_until_it_listens(&mut self) -> Result<()> {
        let start = Instant::now();
        loop {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                return Ok(());
            }
            let ended = self.child.try_wait().map_err(|e| format!("sshd: {e}"))?;
            if ended.is_some() || start.elapsed() > START_LIMIT {
                let log = read(&self.directory.path().join("sshd.log"))?;
                return Err(format!("sshd does not listen: {}", log.trim_end()));
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Returns the beginning of a URI, up to the path.
    pub fn authority(&self) -> String {
        format!("{}@127.0.0.1:{}", self.user, self.port)
    }

    /// Returns a value for PATH in which `ssh` trusts this server.
    pub fn path(&self) -> Result<String> {
        self.path_of("known", "known_hosts")
    }

    /// Returns a value for PATH in which `ssh` uses a key that the server does
    /// not accept.
    pub fn path_with_unknown_key(&self) -> Result<String> {
        self.path_of("stranger", "known_hosts")
    }

    /// Returns a value for PATH in which `ssh` does not know the server's host
    /// key.
    pub fn path_without_host_key(&self) -> Result<String> {
        self.path_of("known", "no_hosts")
    }

    fn path_of(&self, key: &str, hosts: &str) -> Result<String> {
        let directory = self.directory.path();
        let shown = directory.display();
        let config = directory.join(format!("config-{key}-{hosts}"));
        write(
            &config,
            &format!(
                "IdentityFile {shown}/{key}\nIdentitiesOnly yes\nIdentityAgent none\n\
                 UserKnownHostsFile {shown}/{hosts}\nGlobalKnownHostsFile none\n\
                 StrictHostKeyChecking yes\nBatchMode yes\nLogLevel ERROR\n"
            ),
        )?;
        let real = programs::find("ssh")?;
        let (real, config) = (real.display(), config.display());
        let script = format!("#!/bin/sh\nexec {real} -F {config} \"$@\"\n");
        let bin = directory.join(format!("bin-{key}-{hosts}"));
        install(&bin, &script)
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        process::terminate(&self.child);
        let _ = self.child.wait();
    }
}

/// Installs a program called `ssh` in a directory, and returns a PATH that
/// begins with it.
pub fn install(directory: &Path, script: &str) -> Result<String> {
    fs::create_dir_all(directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    let program: PathBuf = directory.join("ssh");
    // Another test may be running the file: replace it instead of changing it.
    let new = directory.join(format!("ssh-{:?}", thread::current().id()));
    write(&new, script)?;
    fs::set_permissions(&new, fs::Permissions::from_mode(0o755))
        .and_then(|()| fs::rename(&new, &program))
        .map_err(|e| format!("{}: {e}", program.display()))?;
    Ok(format!("{}:{}", directory.display(), programs::PATH))
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).map_err(|e| format!("{}: {e}", file.display()))
}

fn check(command: &mut Command) -> Result<String> {
    let outcome = process::run(command, &[], START_LIMIT)?;
    if outcome.status.success() {
        return Ok(String::from_utf8_lossy(&outcome.stdout).into_owned());
    }
    Err(outcome.describe())
}
