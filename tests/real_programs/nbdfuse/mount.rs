// SPDX-License-Identifier: LGPL-2.1-or-later

//! A running nbdfuse, and the file through which it exposes the server's disk.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use support::process;
use support::scenario::Scenario;
use support::Result;

/// Time limit, well above the duration of any test with one mount.
const LIMIT: Duration = Duration::from_secs(60);

/// Time for which another process may keep the file open.
const BUSY_LIMIT: Duration = Duration::from_secs(10);

/// A mounted disk, unmounted when dropped.
pub struct Mount<'a> {
    scenario: &'a Scenario,
    nbdfuse: Arc<Mutex<Child>>,
    mountpoint: String,
    mounted: bool,
    // A process blocked on the file cannot be killed before nbdfuse has
    // answered or exited. Dropping this stops the watchdog thread.
    _watchdog: Sender<()>,
}

impl Mount<'_> {
    /// Mounts the server described by the arguments in a fresh directory.
    pub fn new<'a>(s: &'a Scenario, options: &[&str], server: &[&str]) -> Result<Mount<'a>> {
        let directory = tempfile::Builder::new()
            .prefix("mount")
            .tempdir_in(s.directory())
            .map_err(|e| format!("a mount point: {e}"))?
            .keep();
        let mountpoint = directory.display().to_string();
        s.replace(&mountpoint, "MOUNTPOINT");
        let pid_file = format!("{mountpoint}.pid");
        let file = format!("{mountpoint}/disk");
        let mut arguments = options.to_vec();
        arguments.extend(["--pidfile", &pid_file, &file]);
        arguments.extend(server);

        let mut command = s.command("nbdfuse", &arguments)?;
        let log_path = format!("{mountpoint}.log");
        let log = fs::File::create(&log_path).map_err(|e| format!("{log_path}: {e}"))?;
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        process::end_with_this_thread(&mut command);
        let nbdfuse = command.spawn().map_err(|e| format!("nbdfuse: {e}"))?;
        let nbdfuse = Arc::new(Mutex::new(nbdfuse));
        let mut mount = Mount {
            scenario: s,
            nbdfuse: Arc::clone(&nbdfuse),
            mountpoint,
            mounted: true,
            _watchdog: watch(nbdfuse),
        };

        let start = Instant::now();
        // nbdfuse writes the pid once the mount is ready.
        while fs::read_to_string(&pid_file).unwrap_or_default().is_empty() {
            if let Some(status) = mount.ended()? {
                mount.mounted = false;
                let log = fs::read_to_string(&log_path).unwrap_or_default();
                return Err(format!("nbdfuse: {status}: {log}"));
            }
            if start.elapsed() >= LIMIT {
                return Err("nbdfuse does not get ready".to_owned());
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(mount)
    }

    /// Returns the path of the file that represents the disk.
    pub fn file(&self) -> PathBuf {
        PathBuf::from(self.text_file())
    }

    /// Returns the path of the file as a string.
    pub fn text_file(&self) -> String {
        format!("{}/disk", self.mountpoint)
    }

    fn ended(&self) -> Result<Option<ExitStatus>> {
        let mut nbdfuse = self.nbdfuse.lock().unwrap_or_else(PoisonError::into_inner);
        nbdfuse.try_wait().map_err(|e| format!("nbdfuse: {e}"))
    }

    /// Unmounts as a user does, and records nbdfuse's exit status and output.
    pub fn unmount(mut self) -> Result<()> {
        let start = Instant::now();
        // A process that another test is about to exec is a copy of this one
        // and shares its open files until then.
        while let Err(why) = self.scenario.tool("fusermount3", &["-u", &self.mountpoint]) {
            if !why.contains("Device or resource busy") || start.elapsed() >= BUSY_LIMIT {
                return Err(why);
            }
            thread::sleep(Duration::from_millis(5));
        }
        self.mounted = false;
        let status = {
            let mut nbdfuse = self.nbdfuse.lock().unwrap_or_else(PoisonError::into_inner);
            process::wait(&mut nbdfuse, LIMIT).map_err(|e| format!("nbdfuse: {e}"))?
        };
        let status = status.ok_or("nbdfuse does not end after it was unmounted")?;
        let log_path = format!("{}.log", self.mountpoint);
        let log = fs::read(&log_path).map_err(|e| format!("{log_path}: {e}"))?;
        self.scenario
            .record("ending of nbdfuse", status.to_string().as_bytes());
        self.scenario.record("stderr of nbdfuse", &log);
        match status.success() {
            true => Ok(()),
            false => Err(format!(
                "nbdfuse: {status}: {}",
                String::from_utf8_lossy(&log)
            )),
        }
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        if self.mounted {
            // Detach even while the file is still open elsewhere.
            let detach = ["-u", "-z", &self.mountpoint];
            let _ = self.scenario.tool("fusermount3", &detach);
        }
        let mut nbdfuse = self.nbdfuse.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = nbdfuse.kill();
        let _ = nbdfuse.wait();
    }
}

/// Kills nbdfuse if it is still running at the time limit.
fn watch(nbdfuse: Arc<Mutex<Child>>) -> Sender<()> {
    let (sender, gone) = mpsc::channel();
    thread::spawn(move || {
        if gone.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
            let mut nbdfuse = nbdfuse.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = nbdfuse.kill();
        }
    });
    sender
}
