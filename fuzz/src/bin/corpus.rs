// SPDX-License-Identifier: LGPL-2.1-or-later

//! Unpacks and packs the corpus: `corpus unpack DIRECTORY` writes it in
//! libFuzzer's form, a directory for each target; `corpus pack DIRECTORY`
//! replaces it with the files found there.

use std::env;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use fuzzing::{corpus, TARGETS};

type Work = fn(&str, &Path) -> io::Result<()>;

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let (work, directory): (Work, _) = match &*arguments {
        [command, directory] if command == "unpack" => (corpus::unpack, directory),
        [command, directory] if command == "pack" => (corpus::pack, directory),
        _ => {
            eprintln!("usage: corpus unpack|pack DIRECTORY");
            return ExitCode::from(2);
        }
    };
    for (target, _) in TARGETS {
        if let Err(error) = work(target, &Path::new(directory).join(target)) {
            eprintln!("{target}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
