// SPDX-License-Identifier: LGPL-2.1-or-later

//! `include/libnbd.h`: cbindgen reads the functions and the callbacks from the
//! Rust source and writes them in C; this adds what it has no words for, which
//! are the constants as C spells them, and each function's attributes and
//! `LIBNBD_HAVE_*` macro.
//!
//! On the way, every function's type in Rust is held against the interface
//! table, so the ABI cannot drift from it unseen.

use std::fmt::Write;
use std::path::Path;
use std::{fs, io};

use crate::interface::{Constant, Function};
use crate::layout::{comment, wrap, WIDTH};

/// Writes the header where it differs from the one that is there.
///
/// A source tree that cannot be written to, such as an unpacked package, is left
/// as it is.
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

/// What cbindgen makes of the source, with the constants after the includes.
fn generate(source: &Path, constants: &[Constant]) -> io::Result<String> {
    let mut config = cbindgen::Config::from_file(source.join("cbindgen.toml"))
        .map_err(|error| wrong(format!("cbindgen.toml: {error}")))?;
    config
        .after_includes
        .get_or_insert_default()
        .push_str(&defines(constants));

    // cbindgen goes on from a file to the modules that it declares.
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

/// The macros, one group for each subject: the second word of a name.
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

/// Completes cbindgen's text, line by line, and puts the functions in the order
/// of the table.
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
    Ok(squeeze(&[before, all.join("\n"), after].join("\n")))
}

/// The name of the callback type whose declaration ends here.
fn callback(line: &str) -> Option<&str> {
    line.strip_prefix("} ")?
        .strip_suffix(';')
        .filter(|name| name.ends_with("_callback"))
}

/// How a program can see at compile time that the library has something.
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

/// A function declaration as cbindgen writes it, on one line.
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

    /// The function of the table that this is, with exactly the same type.
    fn find(&self, functions: &[Function]) -> io::Result<usize> {
        let index = functions
            .iter()
            .position(|function| function.name == self.name)
            .ok_or_else(|| wrong(format!("{} is not in functions.tsv", self.name)))?;
        let function = &functions[index];
        // A program may pass any byte, of which the `bool` of Rust allows two.
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

/// A C type or parameter list with only one way left to space and spell it.
fn c_type(text: &str) -> String {
    text.replace("unsigned int", "unsigned")
        .replace("c_bool", "bool")
        .split('*')
        .map(str::trim)
        .collect::<Vec<_>>()
        .join("*")
}

/// One blank line where there are several.
fn squeeze(text: &str) -> String {
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
