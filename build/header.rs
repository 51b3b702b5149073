// SPDX-License-Identifier: LGPL-2.1-or-later

//! Generates `include/libnbd.h`. cbindgen translates the functions and the callbacks from Rust to
//! C. This adds the constants in C spelling, and the attributes and `LIBNBD_HAVE_*` macro of each
//! function.
//!
//! Every function's type in Rust is compared with the interface table, so that the ABI cannot
//! change by accident.

use std::fmt::Write;
use std::path::Path;
use std::{fs, io};

use crate::interface::{Constant, Function};
use crate::layout::{comment, wrap, WIDTH};

/// Writes the header if it differs from the existing one.
///
/// In a read-only source tree, such as an unpacked package, nothing is written.
pub fn write(source: &Path, functions: &[Function], constants: &[Constant]) -> io::Result<()> {
    let text = complete(&generate(source, constants)?, functions)?;
    let path = source.join("include/libnbd.h");
    if fs::read_to_string(&path).is_ok_and(|present| present == text) {
        return Ok(());
    }
    match fs::write(&path, text) {
        Err(error) if is_read_only(&error) => {
            println!("cargo:warning=include/libnbd.h is out of date: {error}");
            Ok(())
        }
        result => result,
    }
}

fn is_read_only(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
    )
}

/// Returns cbindgen's output, with the constants after the includes.
fn generate(source: &Path, constants: &[Constant]) -> io::Result<String> {
    let mut config = cbindgen::Config::from_file(source.join("cbindgen.toml"))
        .map_err(|error| wrong(format!("cbindgen.toml: {error}")))?;
    config
        .after_includes
        .get_or_insert_default()
        .push_str(&defines(constants));

    // cbindgen follows module declarations from file to file.
    let bindings = cbindgen::Builder::new()
        .with_config(config)
        .with_src(source.join("src/handle/callback.rs"))
        .with_src(source.join("src/capi/mod.rs"))
        .generate()
        .map_err(|error| wrong(format!("cbindgen: {error}")))?;
    let mut text = Vec::new();
    bindings.write(&mut text);
    String::from_utf8(text).map_err(|error| wrong(error.to_string()))
}

/// Returns the macros, one group for each subject: the second word of a name.
fn defines(constants: &[Constant]) -> String {
    let mut text = String::new();
    let mut previous = None;
    for Constant { name, value } in constants {
        let subject = name.split('_').nth(1);
        if subject != previous {
            text.push('\n');
        }
        previous = subject;
        writeln!(text, "#define {name:<40} {value}").expect("a String takes all text");
    }
    text
}

/// Completes cbindgen's output line by line, and sorts the functions in the order of the table.
fn complete(generated: &str, functions: &[Function]) -> io::Result<String> {
    let mut before = String::new();
    let mut after = String::new();
    let mut around = &mut before;
    let mut declarations: Vec<Option<String>> = vec![None; functions.len()];
    let mut documentation: Vec<&str> = Vec::new();

    for line in generated.lines() {
        if let Some(text) = line.trim_start().strip_prefix("//") {
            documentation.push(text.trim());
            continue;
        }
        if let Some(prototype) = Prototype::read(line) {
            let index = prototype.find(functions)?;
            let text = declaration(&functions[index], &prototype, &documentation.join(" "));
            if declarations[index].replace(text).is_some() {
                return Err(wrong(format!("{} is there twice", prototype.name)));
            }
            documentation.clear();
            around = &mut after;
            continue;
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        if !documentation.is_empty() {
            around.push_str(&comment(&documentation.join(" "), indent));
            documentation.clear();
        }
        around.push_str(&wrap(line, WIDTH));
        around.push('\n');
        if let Some(name) = callback(line) {
            around.push_str(&have(name));
        }
    }

    let missing: Vec<&str> = functions
        .iter()
        .zip(&declarations)
        .filter_map(|(function, text)| text.is_none().then_some(function.name.as_str()))
        .collect();
    if !missing.is_empty() {
        return Err(wrong(format!("not in src/capi: {}", missing.join(", "))));
    }
    let all = declarations.into_iter().flatten().collect::<Vec<_>>();
    Ok(merge_blank_lines(
        &[before, all.join("\n"), after].join("\n"),
    ))
}

/// Returns the name of the callback type whose declaration ends on this line.
fn callback(line: &str) -> Option<&str> {
    line.strip_prefix("} ")?
        .strip_suffix(';')
        .filter(|name| name.ends_with("_callback"))
}

/// Returns the `LIBNBD_HAVE_*` macro, with which programs can detect a feature at compile time.
fn have(name: &str) -> String {
    format!("#define LIBNBD_HAVE_{} 1\n", name.to_uppercase())
}

fn declaration(function: &Function, prototype: &Prototype, documentation: &str) -> String {
    let mut text = comment(documentation, "");
    let head = format!("{}({})", prototype.head(), function.parameters);
    text.push_str(&wrap(&head, WIDTH));
    if let Some(release) = &function.release {
        write!(text, "\n  LIBNBD_ATTRIBUTE_ALLOC_DEALLOC({release})").expect("text");
    }
    if !function.non_null.is_empty() {
        let numbers: Vec<String> = function.non_null.iter().map(usize::to_string).collect();
        write!(text, "\n  LIBNBD_ATTRIBUTE_NONNULL({})", numbers.join(", ")).expect("text");
    }
    text.push_str(";\n");
    text.push_str(&have(&function.name));
    text
}

/// A function declaration by cbindgen, on one line.
struct Prototype<'a> {
    returns: &'a str,
    name: &'a str,
    parameters: &'a str,
}

impl<'a> Prototype<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let (head, parameters) = line.strip_suffix(");")?.split_once('(')?;
        let (returns, name) = head.split_at(head.rfind([' ', '*'])? + 1);
        name.starts_with("nbd_").then_some(Prototype {
            returns,
            name,
            parameters,
        })
    }

    fn head(&self) -> String {
        format!("{}{}", self.returns, self.name).replace("unsigned int", "unsigned")
    }

    /// Returns the index of the function in the table, after checking that its type is the same.
    fn find(&self, functions: &[Function]) -> io::Result<usize> {
        let index = functions
            .iter()
            .position(|function| function.name == self.name)
            .ok_or_else(|| wrong(format!("{} is not in functions.tsv", self.name)))?;
        let function = &functions[index];
        // A C program may pass any byte, but Rust's `bool` allows only two.
        if self
            .parameters
            .split(", ")
            .any(|parameter| parameter.starts_with("bool "))
        {
            return Err(wrong(format!("{} takes bool, not c_bool", self.name)));
        }
        let [ours, theirs] = [
            (self.returns, self.parameters),
            (function.returns.as_str(), function.parameters.as_str()),
        ]
        .map(|(returns, parameters)| [returns, parameters].map(c_type).join(" f "));
        if ours != theirs {
            return Err(wrong(format!(
                "{}: the Rust function is `{ours}`, functions.tsv has `{theirs}`",
                self.name
            )));
        }
        Ok(index)
    }
}

/// Normalizes the spaces and spelling of a C type or parameter list.
fn c_type(text: &str) -> String {
    text.replace("unsigned int", "unsigned")
        .replace("c_bool", "bool")
        .split('*')
        .map(str::trim)
        .collect::<Vec<_>>()
        .join("*")
}

/// Replaces several blank lines by one.
fn merge_blank_lines(text: &str) -> String {
    let mut squeezed = String::new();
    for line in text.lines() {
        if !(line.is_empty() && squeezed.ends_with("\n\n")) {
            squeezed.push_str(line);
            squeezed.push('\n');
        }
    }
    squeezed
}

fn wrong(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
