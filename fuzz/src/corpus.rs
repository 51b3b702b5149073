// SPDX-License-Identifier: LGPL-2.1-or-later

//! The initial inputs: `corpus/TARGET.hex` has one per line, in hexadecimal.

use std::fs;
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};

fn file(target: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    directory.join(format!("{target}.hex"))
}

/// Reads the inputs of a target.
pub fn read(target: &str) -> Result<Vec<Vec<u8>>> {
    let path = file(target);
    let text = fs::read_to_string(&path)?;
    let wrong = |number: usize| {
        let place = format!("{}:{}: not hexadecimal", path.display(), number + 1);
        Error::new(ErrorKind::InvalidData, place)
    };
    let line = |(number, line)| bytes(line).ok_or_else(|| wrong(number));
    text.lines().enumerate().map(line).collect()
}

/// Writes each input of a target to a separate file, as libFuzzer expects.
pub fn unpack(target: &str, directory: &Path) -> Result<()> {
    fs::create_dir_all(directory)?;
    for (number, input) in read(target)?.iter().enumerate() {
        fs::write(directory.join(format!("{number:04}")), input)?;
    }
    Ok(())
}

/// Replaces the inputs of a target with the files of a directory.
pub fn pack(target: &str, directory: &Path) -> Result<()> {
    let mut inputs = fs::read_dir(directory)?
        .map(|entry| fs::read(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    inputs.sort();
    inputs.dedup();
    let line = |input: &Vec<u8>| {
        let digits = input.iter().map(|byte| format!("{byte:02x}"));
        digits.chain(["\n".to_owned()]).collect::<String>()
    };
    fs::write(file(target), inputs.iter().map(line).collect::<String>())
}

fn bytes(line: &str) -> Option<Vec<u8>> {
    let pair = |at| u8::from_str_radix(line.get(at..at + 2)?, 16).ok();
    (0..line.len()).step_by(2).map(pair).collect()
}
