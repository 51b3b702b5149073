// SPDX-License-Identifier: LGPL-2.1-or-later

//! Generates `include/libnbd.h` and `include/libnbd-ext.h`. cbindgen translates the functions and
//! the callbacks from Rust to C. This adds the constants in C spelling, and the attributes and
//! `LIBNBD_HAVE_*` or `LIBNBD_EXT_HAVE_*` macro of each function. The fixed parts are in
//! `cbindgen.toml` and `build/libnbd-ext.h.in`.
//!
//! Every function's type in Rust is compared with the interface table, so that the ABI cannot
//! change by accident.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::{fs, io};

use crate::interface::{Constant, Function};
use crate::layout::{comment, wrap, WIDTH};

/// Writes the headers that differ from the existing ones.
pub fn write(
    source: &Path,
    functions: &[Function],
    extensions: &[Function],
    constants: &[Constant],
) -> io::Result<()> {
    let generated = generate(source, constants)?;
    let parts = Parts::read(&generated, &[functions, extensions])?;

    let declarations = parts.declarations(functions)?;
    let text = [parts.before.as_str(), &declarations, &parts.after].join("\n");
    replace(&source.join("include/libnbd.h"), &text)?;

    let frame = fs::read_to_string(source.join("build/libnbd-ext.h.in"))?;
    let text = frame.replace("@FUNCTIONS@", &parts.declarations(extensions)?);
    replace(&source.join("include/libnbd-ext.h"), &text)
}

/// Writes a header if it differs from the existing one.
///
/// In a read-only source tree, such as an unpacked package, nothing is written.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let text = merge_blank_lines(text);
    if fs::read_to_string(path).is_ok_and(|present| present == text) {
        return Ok(());
    }
    match fs::write(path, text) {
        Err(error) if is_read_only(&error) => {
            println!("cargo:warning={} is out of date: {error}", path.display());
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

/// cbindgen's output, completed: what comes before and after the functions, and the declaration
/// of each function, by its name.
struct Parts {
    before: String,
    after: String,
    functions: BTreeMap<String, String>,
}

impl Parts {
    /// Completes cbindgen's output line by line.
    fn read(generated: &str, tables: &[&[Function]]) -> io::Result<Parts> {
        let mut before = String::new();
        let mut after = String::new();
        let mut around = &mut before;
        let mut functions = BTreeMap::new();
        let mut documentation: Vec<&str> = Vec::new();

        for line in generated.lines() {
            if let Some(text) = line.trim_start().strip_prefix("//") {
                documentation.push(text.trim());
                continue;
            }
            if let Some(prototype) = Prototype::read(line) {
                let function = prototype.find(tables)?;
                let text = declaration(function, &prototype, &documentation.join(" "));
                if functions.insert(function.name.clone(), text).is_some() {
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
                around.push_str(&define(&format!("LIBNBD_HAVE_{}", name.to_uppercase())));
            }
        }
        Ok(Parts {
            before,
            after,
            functions,
        })
    }

    /// Returns the declarations of the functions in a table, in its order.
    fn declarations(&self, table: &[Function]) -> io::Result<String> {
        let declaration = |function: &Function| {
            let text = self.functions.get(&function.name).map(String::as_str);
            text.ok_or_else(|| wrong(format!("not in src/capi: {}", function.name)))
        };
        let all: io::Result<Vec<&str>> = table.iter().map(declaration).collect();
        Ok(all?.join("\n"))
    }
}

/// Returns the name of the callback type whose declaration ends on this line.
fn callback(line: &str) -> Option<&str> {
    line.strip_prefix("} ")?
        .strip_suffix(';')
        .filter(|name| name.ends_with("_callback"))
}

/// Returns a macro with which programs can detect a feature at compile time.
fn define(have: &str) -> String {
    format!("#define {have} 1\n")
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
    text.push_str(&define(&function.have()));
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

    /// Returns the function's line in a table, after checking that its type is the same.
    fn find<'b>(&self, tables: &[&'b [Function]]) -> io::Result<&'b Function> {
        let function = tables
            .iter()
            .copied()
            .flatten()
            .find(|function| function.name == self.name)
            .ok_or_else(|| wrong(format!("{} is in no interface table", self.name)))?;
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
                "{}: the Rust function is `{ours}`, the interface table has `{theirs}`",
                self.name
            )));
        }
        Ok(function)
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
