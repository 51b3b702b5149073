// SPDX-License-Identifier: LGPL-2.1-or-later

//! The library is byte-identical wherever it is built, and contains no path of
//! the build.

use std::ffi::OsStr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use libtest_mimic::Trial;

use crate::installation::fresh_directory;
use crate::run;
use crate::without_cbindgen::{build, built};
use support::library::source;
use support::Result;

pub fn trials() -> Vec<Trial> {
    vec![Trial::test(
        "builds in two places have the same bytes",
        || Ok(same()?),
    )]
}

fn same() -> Result<()> {
    let here = built()?;
    let place = fresh_directory("same-bytes")?;
    let copy = place.join("copy");
    copy_sources(&copy)?;
    let home = place.join("home");
    copy_cargo_home(&home)?;
    let there = place.join("another/target");
    build(&copy, &home, &there)?;

    for library in ["libnbd.so", "libnbd.a"] {
        let read = |target: &Path| {
            let path = target.join("release").join(library);
            fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))
        };
        let (first, second) = (read(here)?, read(&there)?);
        for path in [source(), &cargo_home(), here] {
            if contains(&first, path) {
                return Err(format!("{} is in {library}", path.display()));
            }
        }
        if first != second {
            return Err(format!(
                "{library} of {} and {} differ",
                here.display(),
                there.display()
            ));
        }
    }
    Ok(())
}

/// Copies everything in the checkout except build results.
fn copy_sources(copy: &Path) -> Result<()> {
    let failed = |e| format!("{}: {e}", copy.display());
    fs::create_dir(copy).map_err(failed)?;
    for entry in fs::read_dir(source()).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !["target", ".git"]
            .map(OsStr::new)
            .contains(&entry.file_name().as_os_str())
        {
            let mut cp = Command::new("cp");
            run(cp.arg("-R").arg(entry.path()).arg(copy))?;
        }
    }
    Ok(())
}

/// Returns cargo's download directory.
pub fn cargo_home() -> PathBuf {
    let home = || Path::new(&env::var_os("HOME").unwrap_or_default()).join(".cargo");
    env::var_os("CARGO_HOME").map_or_else(home, PathBuf::from)
}

/// Copies the downloads, which cargo will unpack there.
fn copy_cargo_home(copy: &Path) -> Result<()> {
    let failed = |e| format!("{}: {e}", copy.display());
    fs::create_dir_all(copy.join("registry")).map_err(failed)?;
    for name in ["config.toml", "registry/cache", "registry/index"] {
        let original = cargo_home().join(name);
        if original.exists() {
            symlink(original, copy.join(name)).map_err(failed)?;
        }
    }
    Ok(())
}

fn contains(bytes: &[u8], path: &Path) -> bool {
    let path = path.as_os_str().as_encoded_bytes();
    bytes.windows(path.len()).any(|window| window == path)
}
