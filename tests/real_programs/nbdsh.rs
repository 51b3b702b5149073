// SPDX-License-Identifier: LGPL-2.1-or-later

//! nbdsh and the Python module: the programs in `scripts/`, which use the library
//! as Python programs do. Comments at the top of a script configure the run:
//!
//! - `# program: python3` for a script that needs no shell;
//! - `# server: LINE`, once for each server to run it against; without one, the
//!   script starts its servers itself;
//! - `# options: WORDS` for nbdsh before the script.
//!
//! `@URI@` and `@SOCKET@` in the options and in the script stand for the server's
//! address.

use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};

use crate::images;
use crate::servers::is_simple;
use support::compare::same_since;
use support::library;
use support::scenario::{Ending, Scenario};
use support::servers::words;
use support::Result;

pub fn trials() -> Vec<Trial> {
    match scripts() {
        Ok(scripts) => scripts.iter().flat_map(of_script).collect(),
        Err(failure) => vec![Trial::test("nbdsh: scripts", || Err(Failed::from(failure)))],
    }
}

struct Script {
    name: String,
    text: String,
}

fn scripts() -> Result<Vec<Script>> {
    let directory = library::source().join("tests/real_programs/scripts");
    let entries = fs::read_dir(&directory).and_then(|entries| {
        let paths = entries.map(|entry| entry.map(|entry| entry.path()));
        paths.collect::<std::io::Result<Vec<PathBuf>>>()
    });
    let mut paths = entries.map_err(|e| format!("{}: {e}", directory.display()))?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "py"));
    paths.sort();
    if paths.is_empty() {
        return Err(format!("no scripts in {}", directory.display()));
    }
    paths.iter().map(|path| script(path)).collect()
}

fn script(path: &Path) -> Result<Script> {
    let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    Ok(Script {
        name: name.replace('_', " "),
        text,
    })
}

impl Script {
    /// Returns the values of the comments with this key.
    fn comments<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        let of_line = move |line: &'a str| line.strip_prefix("# ")?.strip_prefix(key);
        self.text.lines().filter_map(of_line).map(str::trim)
    }
}

fn of_script(script: &Script) -> Vec<Trial> {
    let options = script.comments("options:").collect::<Vec<_>>().join(" ");
    let program = script.comments("program:").next().unwrap_or("nbdsh");
    let trial = |name: String, server: Option<String>| {
        let (options, text) = (options.clone(), script.text.clone());
        let program = program.to_owned();
        // An old library does not ask such a server for its meta contexts.
        let since = match server.as_deref().is_some_and(is_simple) && script.name == "option mode" {
            true => 22,
            false => 0,
        };
        same_since(since, name, move |s| {
            run(s, &program, server.as_deref(), &options, &text)
        })
    };
    let mut trials: Vec<_> = script
        .comments("server:")
        .map(|server| {
            trial(
                format!("{program}: {}: {server}", script.name),
                Some(server.to_owned()),
            )
        })
        .collect();
    if trials.is_empty() {
        trials.push(trial(format!("{program}: {}", script.name), None));
    }
    trials
}

fn run(s: &Scenario, program: &str, line: Option<&str>, options: &str, text: &str) -> Result<()> {
    let mut options = words(options);
    let mut text = text.to_owned();
    images::prepare(s, line.unwrap_or(&text))?;
    let server = line.map(|line| s.serve(line)).transpose()?;
    if let Some(server) = &server {
        if options.is_empty() && program == "nbdsh" {
            options = words("-u @URI@");
        }
        let socket = server.address().to_string();
        let fill = |text: &str| {
            text.replace("@URI@", &server.uri(""))
                .replace("@SOCKET@", &socket)
        };
        options = options.iter().map(|option| fill(option)).collect();
        text = fill(&text);
    }
    let mut arguments: Vec<_> = options.iter().map(String::as_str).collect();
    match program {
        "nbdsh" => arguments.extend(["-c", "-"]),
        _ => arguments.push("-"),
    }
    s.run(program, &arguments, text.as_bytes(), Ending::Success)?;
    Ok(())
}
