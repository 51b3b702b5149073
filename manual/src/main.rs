// SPDX-License-Identifier: LGPL-2.1-or-later

//! Writes the manual pages: `manual DIRECTORY` writes them to `DIRECTORY/man3`,
//! so that `man -M DIRECTORY` finds them.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [directory] = arguments.as_slice() else {
        eprintln!("usage: manual DIRECTORY");
        return ExitCode::from(2);
    };
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    match manual::write(&source, Path::new(directory)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("manual: {error}");
            ExitCode::FAILURE
        }
    }
}
