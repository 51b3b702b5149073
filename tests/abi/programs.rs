// SPDX-License-Identifier: LGPL-2.1-or-later

//! Programs compiled with either header run on either library.

use std::path::{Path, PathBuf};
use std::process::Command;

use manual::interface::Function;

use crate::{cc, directory, our_header, outcome, read, run, system_header};
use support::library::{self, Library};
use support::servers::{Address, Server};

const PROGRAM: &str = "tests/abi/every-common-function.c";
const FUNCTIONS: &str = include_str!("../../src/capi/functions.tsv");

/// Compiles and links the program with the header in that directory, as if only
/// one of the two were installed.
fn compile(header: &Path, directory: &Path) -> (PathBuf, PathBuf) {
    std::fs::create_dir_all(directory).expect("a directory can be made");
    let (object, program) = (directory.join("program.o"), directory.join("program"));
    let include = header.parent().expect("it is in a directory");
    run(&mut cc(&[
        "-O2".as_ref(),
        "-I".as_ref(),
        include.as_ref(),
        "-c".as_ref(),
        library::source().join(PROGRAM).as_ref(),
        "-o".as_ref(),
        object.as_ref(),
    ]));
    run(&mut cc(&[
        object.as_ref(),
        "-lnbd".as_ref(),
        "-o".as_ref(),
        program.as_ref(),
    ]));
    (object, program)
}

/// Returns the program's output with the given library, against a new server
/// each time.
fn prints(program: &Path, library: &Library, directory: &Path) -> String {
    let options = "--size 1M --description text --block-size 512,4096,1048576";
    let memserver = format!("memserver {options}");
    let unix = Server::start(directory, "unix", &memserver).expect("memserver starts");
    let tcp = Server::start_on_a_port(directory, "tcp", &memserver).expect("memserver starts");
    let (Address::Unix(path), Address::Port(port)) = (unix.address(), tcp.address()) else {
        panic!("one server on a Unix socket, one on a port");
    };
    let mut command: Command = library.command(program);
    command
        .arg(library::memserver().expect("there is a memserver"))
        .arg(path)
        .arg(port.to_string());
    let output = outcome(&mut command);
    assert!(
        output.status.success(),
        "{command:?}: {}",
        output.describe()
    );
    String::from_utf8(output.stdout).expect("it prints text")
}

/// Symbol versions added after libnbd 1.14.
const LATER: [&str; 4] = ["LIBNBD_1.16", "LIBNBD_1.18", "LIBNBD_1.22", "LIBNBD_1.24"];

#[test]
fn the_program_calls_every_function_since_1_14() {
    let text = read(&library::source().join(PROGRAM));
    let table = manual::interface::functions(FUNCTIONS);
    let (later, old): (Vec<_>, Vec<_>) = table
        .iter()
        .partition(|function| LATER.contains(&function.version.as_str()));
    assert!(old.len() > 100 && later.len() > 10);
    for Function { name, .. } in old {
        assert!(text.contains(&format!("{name} (")), "{name}");
    }
}

/// With identical machine code, the headers must agree on all types, sizes,
/// constants and ownership rules.
#[test]
fn either_header_compiles_to_the_same_code() {
    let directory = directory("code");
    let [theirs, ours] =
        [("theirs", system_header()), ("ours", our_header())].map(|(name, header)| {
            let (object, _) = compile(&header, &directory.join(name));
            let mut command = Command::new("objdump");
            command.args(["--disassemble", "--reloc", "--full-contents"]);
            let text = run(command.arg(&object));
            text.replace(&*object.to_string_lossy(), "")
        });
    assert!(theirs.contains("nbd_aio_pread_structured"));
    assert!(theirs == ours, "the two object files differ");
}

#[test]
fn programs_compiled_with_either_header_run_on_either_library() {
    let directory = directory("programs");
    let libraries = [
        Library::system(),
        Library::under_test().expect("cargo built it"),
    ];
    let mut printed = Vec::new();
    for (name, header) in [("theirs", system_header()), ("ours", our_header())] {
        let (_, program) = compile(&header, &directory.join(name));
        for library in &libraries {
            let text = prints(&program, library, &directory);
            assert!(text.lines().count() > 250, "{text}");
            printed.push((format!("header: {name}, library: {}", library.name), text));
        }
    }
    let (_, expected) = &printed[0];
    for (case, text) in &printed {
        let lines = expected.lines().zip(text.lines());
        for (expected, line) in lines {
            assert_eq!(line, expected, "{case}");
        }
        assert_eq!(text.len(), expected.len(), "{case}");
    }
}
