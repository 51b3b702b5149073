// SPDX-License-Identifier: LGPL-2.1-or-later

//! Each build system finds the installed library by its usual means: the
//! projects are in the directories beside this file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Trial;

use crate::installation::{fresh_directory, Installation};
use crate::{run, runs, PROGRAM};
use support::library::source;
use support::Result;

/// Builds the program of a project and returns its path.
type Build = fn(&Project) -> Result<PathBuf>;

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![Trial::test("cc and pkg-config build a program", || {
        Ok(pkg_config()?)
    })];
    let systems: [(&'static str, Build); 3] =
        [("autoconf", autoconf), ("cmake", cmake), ("meson", meson)];
    for (name, build) in systems {
        trials.push(Trial::test(format!("{name} builds a program"), move || {
            let project = Project::new(name)?;
            let program = build(&project)?;
            Ok(runs(&program, Some(&project.installation))?)
        }));
    }
    trials
}

fn pkg_config() -> Result<()> {
    // A staged installation: pkg-config must return the current location of the
    // files.
    let installation = Installation::staged("pkg-config", "/opt/nbd/lib")?;
    let program = fresh_directory("pkg-config-program")?.join("program");
    let mut cc = Command::new("cc");
    cc.args(["-Wall", "-Wextra", "-Werror"])
        .arg(source().join(PROGRAM))
        .arg("-o")
        .arg(&program)
        .args(installation.flags(&["--cflags", "--libs"])?);
    run(&mut cc)?;
    runs(&program, Some(&installation))
}

/// A copy of a project, and the library that it must find.
struct Project {
    directory: PathBuf,
    installation: Installation,
}

impl Project {
    fn new(name: &str) -> Result<Project> {
        let directory = fresh_directory(&format!("{name}-project"))?;
        let copy = |from: &Path| {
            let name = from.file_name().unwrap_or_default();
            let copied = fs::copy(from, directory.join(name));
            copied.map_err(|e| format!("{}: {e}", from.display()))
        };
        copy(&source().join(PROGRAM))?;
        let project = source().join("tests/install").join(name);
        let entries = fs::read_dir(&project).map_err(|e| format!("{}: {e}", project.display()))?;
        for entry in entries {
            copy(&entry.map_err(|e| e.to_string())?.path())?;
        }
        Ok(Project {
            installation: Installation::in_place(&format!("{name}-prefix"))?,
            directory,
        })
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.directory);
        run(self.installation.found_by(&mut command))
    }
}

fn autoconf(project: &Project) -> Result<PathBuf> {
    project.run("autoreconf", &["--install"])?;
    project.run("./configure", &[])?;
    project.run("make", &[])?;
    Ok(project.directory.join("program"))
}

fn cmake(project: &Project) -> Result<PathBuf> {
    project.run("cmake", &["-S", ".", "-B", "build"])?;
    project.run("cmake", &["--build", "build"])?;
    Ok(project.directory.join("build/program"))
}

fn meson(project: &Project) -> Result<PathBuf> {
    project.run("meson", &["setup", "build"])?;
    project.run("meson", &["compile", "-C", "build"])?;
    Ok(project.directory.join("build/program"))
}
