// SPDX-License-Identifier: LGPL-2.1-or-later

//! Linker arguments for `libnbd.so`: its soname and symbol versions.
//!
//! Linker arguments are needed because rustc links a cdylib with its own version script, which is
//! anonymous and lists every exported function. If two scripts list a function, rustc's script
//! wins. So the script written here only declares the version nodes, and the functions get their
//! versions from symbol names: asking lld for an undefined symbol `name@@NODE` (`--undefined`)
//! makes `NODE` the default version of `name`. The object files need no changes, so the split of
//! the crate into codegen units does not matter, and the symbols of the static library and the
//! rlib are unversioned and link into anything.
//!
//! GNU ld rejects a second version script. lld is the default linker of the toolchain on the most
//! common target, and is requested explicitly on all of them.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

use crate::interface::Function;

/// The soname: the ABI that programs are linked against.
const SONAME: &str = "libnbd.so.0";

/// Writes the linker's input to `out`, and the arguments for the cdylib to cargo. Each table has
/// version nodes of its own.
pub fn link(tables: &[&[Function]], out: &Path) -> io::Result<()> {
    let text = |of: fn(&[Function]) -> String| tables.iter().map(|it| of(it)).collect::<String>();
    let script = out.join("versions.map");
    fs::write(&script, text(version_script))?;
    let list = out.join("symbols.args");
    fs::write(&list, text(arguments))?;

    let mut all = lld();
    all.extend([
        format!("-Wl,-soname,{SONAME}"),
        // After dlclose, threads and atexit handlers of the program may still be inside the
        // library.
        "-Wl,-z,nodelete".into(),
        format!("-Wl,--version-script={}", script.display()),
        format!("@{}", list.display()),
    ]);
    for argument in all {
        println!("cargo:rustc-cdylib-link-arg={argument}");
    }
    Ok(())
}

/// Returns compiler driver arguments that select lld: the toolchain's own if it has one,
/// otherwise the system's.
fn lld() -> Vec<String> {
    let mut arguments = vec!["-fuse-ld=lld".to_string()];
    if let Some(directory) = toolchain_lld() {
        arguments.push(format!("-B{}", directory.display()));
    }
    arguments
}

fn toolchain_lld() -> Option<PathBuf> {
    let rustc = env::var_os("RUSTC")?;
    let printed = Command::new(rustc).args(["--print", "sysroot"]).output();
    let sysroot = String::from_utf8(printed.ok()?.stdout).ok()?;
    let directory = Path::new(sysroot.trim())
        .join("lib/rustlib")
        .join(env::var_os("HOST")?)
        .join("bin/gcc-ld");
    directory.join("ld.lld").exists().then_some(directory)
}

/// Returns a version script that only declares the nodes, each one the child of the previous.
fn version_script(functions: &[Function]) -> String {
    let nodes: BTreeSet<(Vec<u32>, &str)> = functions
        .iter()
        .map(|function| (numbers(&function.version), function.version.as_str()))
        .collect();
    let mut script = String::new();
    let mut parent = String::new();
    for (_, node) in nodes {
        writeln!(script, "{node} {{ }}{parent};").expect("a String takes all text");
        parent = format!(" {node}");
    }
    script
}

/// Returns a key that sorts `LIBNBD_1.4` before `LIBNBD_1.12`.
fn numbers(node: &str) -> Vec<u32> {
    node.split(|character: char| !character.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .collect()
}

/// Returns a response file for the compiler driver, one argument per line.
fn arguments(functions: &[Function]) -> String {
    functions
        .iter()
        .map(|Function { name, version, .. }| format!("-Wl,--undefined={name}@@{version}\n"))
        .collect()
}
