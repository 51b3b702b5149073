// SPDX-License-Identifier: LGPL-2.1-or-later

//! The location of the library under test.
//!
//! Two environment variables select another library, to be tested in the same way
//! (`target.rs` has more of them):
//!
//! - `LIBNBD_UNDER_TEST=/path/to/libnbd.so.0` tests that file instead of ours;
//! - `LIBNBD_TEST_LAUNCHER=/path/to/command` runs each program that uses the library
//!   under test through a command: a dynamic linker or an emulator.

use std::ffi::OsString;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::OnceLock;
use std::time::Duration;
use std::{env, fs};

use super::process::text;
use super::{programs, target, Result};

/// The library that a program is run with.
#[derive(Clone)]
pub struct Library {
    pub name: &'static str,
    /// Value of LD_LIBRARY_PATH; without it, the system's library is used.
    pub directory: Option<PathBuf>,
    launcher: Option<OsString>,
}

impl Library {
    /// Returns the C library that the distribution installed.
    pub fn system() -> Library {
        Library {
            name: "system",
            directory: None,
            launcher: None,
        }
    }

    /// Returns the minor version of the system's library.
    pub fn system_minor() -> Result<u32> {
        let mut nbdcopy = Library::system().command(&programs::find("nbdcopy")?);
        let versions = text(nbdcopy.arg("--version"))?;
        // The output has the program's version, and the library's on another
        // line.
        let line = versions.lines().find_map(|l| l.strip_prefix("libnbd 1."));
        line.and_then(|rest| rest.split('.').next()?.parse().ok())
            .ok_or_else(|| format!("no version of libnbd: {versions}"))
    }

    /// Returns the library that cargo built for this test run.
    pub fn under_test() -> Result<Library> {
        Ok(Library {
            name: "under test",
            directory: Some(library_directory()?),
            launcher: env::var_os("LIBNBD_TEST_LAUNCHER"),
        })
    }

    /// Returns a command that runs the program with this library.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = match &self.launcher {
            None => Command::new(program),
            Some(launcher) => {
                let mut command = Command::new(launcher);
                command.arg(program);
                command
            }
        };
        match &self.directory {
            Some(directory) => command.env("LD_LIBRARY_PATH", directory),
            None => command.env_remove("LD_LIBRARY_PATH"),
        };
        if self.is_emulated() {
            command
                .env("TEST_UNDER_EMULATOR", "1")
                .env("TEST_SECONDS", "480");
        }
        command
    }

    /// Returns true if programs run in an emulator with this library.
    pub fn is_emulated(&self) -> bool {
        self.launcher.as_deref().is_some_and(target::is_emulator)
    }

    /// Returns the time limit of a program with this library; `limit` is the
    /// one without an emulator.
    pub fn limit(&self, limit: Duration) -> Duration {
        if self.is_emulated() {
            4 * limit
        } else {
            limit
        }
    }

    /// Returns true if a launcher selects the library.
    pub fn has_launcher(&self) -> bool {
        self.launcher.is_some()
    }
}

/// Returns the root of the source tree.
pub fn source() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here)
}

/// Returns the `target` directory.
pub fn target_directory() -> Result<PathBuf> {
    let profile = profile_directory()?;
    Ok(profile.parent().unwrap_or(Path::new("/")).to_owned())
}

/// Returns `target/release` or similar: the parent of the directory of this
/// test.
pub fn profile_directory() -> Result<PathBuf> {
    let test = env::current_exe().map_err(|e| format!("path of this test: {e}"))?;
    match test.ancestors().nth(2) {
        Some(directory) => Ok(directory.to_owned()),
        None => Err(format!(
            "{} is in no cargo target directory",
            test.display()
        )),
    }
}

/// Returns a directory with the library under the two names that linkers look
/// for.
pub fn library_directory() -> Result<PathBuf> {
    // Made once, because tests that need it run in parallel.
    static DIRECTORY: OnceLock<Result<PathBuf>> = OnceLock::new();
    DIRECTORY.get_or_init(make_library_directory).clone()
}

fn make_library_directory() -> Result<PathBuf> {
    let (library, name) = match env::var("LIBNBD_UNDER_TEST") {
        Ok(path) => (PathBuf::from(&path), path.replace('/', "_")),
        // `cargo test` builds the library here; only `cargo build` links it one
        // level up, so that link can be stale.
        Err(_) => (
            profile_directory()?.join("deps/libnbd.so"),
            "lib".to_owned(),
        ),
    };
    let library = fs::canonicalize(&library).map_err(|e| format!("{}: {e}", library.display()))?;
    let directory = target::directory(&name)?;
    fs::create_dir_all(&directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    for name in ["libnbd.so", "libnbd.so.0"] {
        replace_link(&library, &directory.join(name))?;
    }
    Ok(directory)
}

/// Another test run may be using the link, so it is replaced atomically.
fn replace_link(target: &Path, link: &Path) -> Result<()> {
    let new = link.with_extension(format!("{}.new", process::id()));
    symlink(target, &new)
        .and_then(|()| fs::rename(&new, link))
        .map_err(|e| format!("{}: {e}", link.display()))
}

/// Returns the path of memserver, building it if the workspace was not built.
/// `LIBNBD_TEST_MEMSERVER` overrides it.
pub fn memserver() -> Result<PathBuf> {
    static MEMSERVER: OnceLock<Result<PathBuf>> = OnceLock::new();
    MEMSERVER.get_or_init(find_or_build_memserver).clone()
}

fn find_or_build_memserver() -> Result<PathBuf> {
    if let Some(memserver) = env::var_os("LIBNBD_TEST_MEMSERVER") {
        return Ok(memserver.into());
    }
    let directory = profile_directory()?;
    let memserver = directory.join("memserver");
    if memserver.exists() {
        return Ok(memserver);
    }
    // The development profile is the only one whose directory has another name.
    let profile = match directory.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let target = directory.parent().unwrap_or(Path::new("/"));
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(source())
        .args(["build", "--package", "memserver", "--profile", profile])
        .arg("--target-dir")
        .arg(target)
        .output()
        .map_err(|e| format!("cargo build --package memserver: {e}"))?;
    if memserver.exists() {
        Ok(memserver)
    } else {
        Err(format!(
            "cargo build --package memserver: {}",
            String::from_utf8_lossy(&output.stderr)
        ))
    }
}
