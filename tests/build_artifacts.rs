// SPDX-License-Identifier: LGPL-2.1-or-later

//! The build artifacts that programs rely on: the shared library and its
//! symbols, the static library, and the headers.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::library::Library;
use support::{process, target};

use manual::interface::{functions, Constant, Function};

const FUNCTIONS: &str = include_str!("../src/capi/functions.tsv");
const EXTENSIONS: &str = include_str!("../src/capi/extensions.tsv");
const CONSTANTS: &str = include_str!("../src/capi/constants.tsv");

/// A minimal program that uses the library and prints its version.
const PROGRAM: &str = r#"
#include <stddef.h>
#include <stdio.h>
#include <libnbd.h>

int
main (void)
{
  struct nbd_handle *nbd = nbd_create ();

  if (nbd == NULL)
    return 1;
  printf ("%s %s\n", nbd_get_package_name (nbd), nbd_get_version (nbd));
  nbd_close (nbd);
  return 0;
}
"#;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the directory of the shared and the static library under test.
fn built() -> PathBuf {
    let directory = support::library::library_directory().expect("cargo built it");
    let library = fs::canonicalize(directory.join("libnbd.so")).expect("it is there");
    library
        .parent()
        .expect("it is in a directory")
        .to_path_buf()
}

/// Returns a command that runs a program built for the target system.
fn command(program: &Path) -> Command {
    let library = Library::under_test().expect("cargo built it");
    library.command(program)
}

/// Returns a fresh directory for a test.
fn directory(name: &str) -> PathBuf {
    support::directory::fresh(name).expect("a directory can be made")
}

/// Runs a program that must succeed, and returns its output.
fn run(command: &mut Command) -> String {
    process::text(command).unwrap_or_else(|failure| panic!("{failure}"))
}

/// Compiles C with all warnings as errors.
fn compile(compiler: &str, arguments: &[&OsStr]) {
    run(Command::new(compiler)
        .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror"])
        .args(arguments));
}

#[test]
fn the_library_exports_exactly_the_versioned_functions() {
    let printed = run(Command::new(target::tool("nm"))
        .args(["--dynamic", "--defined-only"])
        .arg(built().join("libnbd.so")));
    // Version nodes are absolute symbols if the linker emits them.
    let exported: BTreeMap<&str, &str> = printed
        .lines()
        .map(|line| line.split_whitespace().skip(1).collect::<Vec<_>>())
        .filter(|words| words[0] != "A")
        .map(|words| {
            assert_eq!(words[0], "T", "{words:?} is not a function");
            words[1]
                .split_once("@@")
                .unwrap_or_else(|| panic!("{words:?} has no default version"))
        })
        .collect();
    let (table, extensions) = (functions(FUNCTIONS), functions(EXTENSIONS));
    assert_eq!(table.len(), 165);
    for Function { name, version, .. } in &extensions {
        assert!(name.starts_with("nbd_ext_"), "{name}");
        assert_eq!(version, "LIBNBD_EXT_1.0", "{name}");
    }
    let expected: BTreeMap<&str, &str> = table
        .iter()
        .chain(&extensions)
        .map(|function| (function.name.as_str(), function.version.as_str()))
        .collect();
    assert_eq!(exported, expected);
}

/// The C programs about states and NULL include these lists of calls.
#[test]
fn c_programs_call_every_function_in_every_state() {
    for (table, list) in [
        (FUNCTIONS, "every-function.h"),
        (EXTENSIONS, "every-extension.h"),
    ] {
        let list = root().join("capi-tests/harness").join(list);
        let text = fs::read_to_string(&list).expect("it is text");
        for Function {
            name, parameters, ..
        } in functions(table)
        {
            let listed = text.contains(&format!("FUNCTION ({name},"));
            assert!(
                listed || parameters == "void" || name == "nbd_close",
                "{name}"
            );
        }
    }
}

#[test]
fn the_soname_is_libnbd_so_0() {
    let printed = run(Command::new(target::tool("readelf"))
        .args(["--wide", "--dynamic"])
        .arg(built().join("libnbd.so")));
    let entry = |tag: &str| {
        printed
            .lines()
            .filter(|line| line.contains(&format!("({tag})")))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert!(entry("SONAME").contains("[libnbd.so.0]"), "{printed}");
    assert!(entry("FLAGS_1").contains("NODELETE"), "{printed}");
    assert!(entry("FLAGS_1").contains("NOW"), "{printed}");
    assert_eq!(entry("TEXTREL"), "");
    assert_eq!(entry("RPATH") + &entry("RUNPATH"), "");
    // The library needs only what every system has. The dynamic linker is
    // called ld-linux-x86-64.so.2, ld64.so.1, and so on.
    for line in printed.lines().filter(|line| line.contains("(NEEDED)")) {
        assert!(
            ["[libc.so.6]", "[libgcc_s.so.1]", "[ld"]
                .iter()
                .any(|library| line.contains(library)),
            "{line}"
        );
    }

    let segments = run(Command::new(target::tool("readelf"))
        .args(["--wide", "--segments"])
        .arg(built().join("libnbd.so")));
    assert!(segments.contains("GNU_RELRO"), "{segments}");
    let stack = segments
        .lines()
        .find(|line| line.contains("GNU_STACK"))
        .expect("the stack's protection is stated");
    assert!(!stack.contains("RWE"), "{stack}");
}

/// The header comes first in the translation unit, so it must include
/// everything that it needs.
#[test]
fn the_headers_compile_in_every_dialect() {
    for (header, call) in [
        ("libnbd.h", "nbd_get_debug"),
        ("libnbd-ext.h", "nbd_ext_get_user_timeout"),
    ] {
        let text = format!(
            "#include <{header}>\n#include <{header}>\n\
             int program (struct nbd_handle *h);\n\
             int program (struct nbd_handle *h) {{ return {call} (h); }}\n"
        );
        compiles_in_every_dialect(&text);
    }
}

fn compiles_in_every_dialect(text: &str) {
    let directory = directory("dialects");
    let include = root().join("include");
    let compilers: [(&str, &str, &[&str]); 4] = [
        (
            "gcc",
            "c",
            &["-std=c99", "-std=c11", "-std=c2x", "-std=gnu17"],
        ),
        ("g++", "cc", &["-std=c++11", "-std=c++17", "-std=c++20"]),
        ("clang", "c", &["-std=c99", "-std=c11", "-std=c2x"]),
        ("clang++", "cc", &["-std=c++11", "-std=c++20"]),
    ];
    for (compiler, suffix, dialects) in compilers {
        let source = directory.join(format!("header.{suffix}"));
        fs::write(&source, text).expect("a file can be written");
        for dialect in dialects {
            compile(
                compiler,
                &[
                    dialect.as_ref(),
                    "-I".as_ref(),
                    include.as_ref(),
                    "-fsyntax-only".as_ref(),
                    source.as_ref(),
                ],
            );
        }
    }
}

/// A C program that checks the value and type of every constant in the table,
/// and every feature macro.
#[test]
fn macros_have_the_right_value_and_type() {
    let directory = directory("macros");
    let mut text = String::from(
        "#include <libnbd-ext.h>\n#include <stddef.h>\n#include <string.h>\n\
         #define INT(x) _Generic ((x), int: 1, default: 0)\n\
         #define UNSIGNED(x) _Generic ((x), unsigned: 1, default: 0)\n\
         #define TEXT(x) _Generic ((x), char *: 1, default: 0)\n",
    );
    let mut constants = 0;
    let mut body = String::new();
    for Constant { name, value } in manual::interface::constants(CONSTANTS) {
        constants += 1;
        if value.starts_with('"') {
            text += &format!("_Static_assert (TEXT ({name}), \"{name}\");\n");
            body += &format!("  if (strcmp ({name}, {value}) != 0) return {constants};\n");
        } else {
            let kind = if value.ends_with('U') {
                "UNSIGNED"
            } else {
                "INT"
            };
            text += &format!("_Static_assert ({kind} ({name}), \"{name}\");\n");
            text += &format!("_Static_assert ({name} == {value}, \"{name}\");\n");
        }
    }
    assert_eq!(constants, 46);
    let callbacks = [
        "nbd_chunk_callback",
        "nbd_completion_callback",
        "nbd_context_callback",
        "nbd_debug_callback",
        "nbd_extent_callback",
        "nbd_extent64_callback",
        "nbd_list_callback",
    ];
    let tables = [FUNCTIONS, EXTENSIONS].map(functions);
    let have = tables.iter().flatten().map(Function::have);
    let of_callbacks = callbacks.map(|name| format!("LIBNBD_HAVE_{}", name.to_uppercase()));
    for have in have.chain(of_callbacks) {
        text += &format!("#if {have} != 1\n#error {have}\n#endif\n");
    }
    for callback in callbacks {
        text += &format!(
            "_Static_assert (sizeof ({callback}) == 3 * sizeof (void *), \"{callback}\");\n"
        );
    }
    text += "static nbd_completion_callback none;\nint\nmain (void)\n{\n\
             \x20 none = NBD_NULL_COMPLETION;\n\
             \x20 if (none.callback != NULL || none.user_data != NULL) return 99;\n";
    text += &body;
    text += "  return 0;\n}\n";

    let source = directory.join("macros.c");
    let program = directory.join("macros");
    fs::write(&source, text).expect("a file can be written");
    let include = root().join("include");
    compile(
        &target::cc(),
        &[
            "-std=c11".as_ref(),
            "-I".as_ref(),
            include.as_ref(),
            source.as_ref(),
            "-o".as_ref(),
            program.as_ref(),
        ],
    );
    run(&mut command(&program));
}

/// The headers must not claim names that programs may use themselves.
#[test]
fn the_headers_define_no_other_names() {
    let directory = directory("names");
    let before = directory.join("before.h");
    let includes = "#include <stdbool.h>\n#include <stdint.h>\n#include <sys/socket.h>\n\
                    #include <sys/uio.h>\n";
    fs::write(&before, includes).expect("a file can be written");
    let macros = |header: &Path| -> Vec<String> {
        run(Command::new(target::cc())
            .args(["-dM", "-E", "-x", "c", "-I"])
            .arg(root().join("include"))
            .arg(header))
        .lines()
        .filter_map(|line| line.split([' ', '(']).nth(1).map(String::from))
        .collect()
    };
    let ordinary = macros(&before);
    // It includes the other one.
    for name in macros(&root().join("include/libnbd-ext.h")) {
        assert!(
            ordinary.contains(&name)
                || name.starts_with("LIBNBD_")
                || name == "NBD_NULL_COMPLETION",
            "{name}"
        );
    }

    let program = "typedef int nbd_handle;\nstruct nbd_extent { int x; };\n\
                   struct nbd_chunk_callback { int x; };\n#include <libnbd-ext.h>\n";
    let source = directory.join("names.c");
    fs::write(&source, program).expect("a file can be written");
    let include = root().join("include");
    compile(
        &target::cc(),
        &[
            "-I".as_ref(),
            include.as_ref(),
            "-fsyntax-only".as_ref(),
            source.as_ref(),
        ],
    );
}

/// Compilers that support the attribute warn, unless the program opts out.
#[test]
fn the_nonnull_attribute_warns_and_can_be_turned_off() {
    let directory = directory("nonnull");
    let source = directory.join("null.c");
    fs::write(
        &source,
        "#include <stddef.h>\n#include <libnbd.h>\n\
         int main (void) { return nbd_get_debug (NULL); }\n",
    )
    .expect("a file can be written");
    let compiles = |defines: &[&str]| {
        Command::new(target::tool("gcc"))
            .args(["-Wall", "-Werror", "-fsyntax-only", "-I"])
            .arg(root().join("include"))
            .args(defines)
            .arg(&source)
            .output()
            .expect("gcc runs")
            .status
            .success()
    };
    let gcc = run(Command::new(target::tool("gcc")).arg("-dumpversion"));
    let major: u32 = gcc
        .split(['.', '\n'])
        .next()
        .and_then(|number| number.parse().ok())
        .expect("gcc prints its version");
    assert_eq!(compiles(&[]), major < 12);
    assert!(compiles(&["-DLIBNBD_ATTRIBUTE_NONNULL(...)="]));
}

#[test]
fn programs_link_with_the_static_library() {
    let directory = directory("static");
    let source = directory.join("program.c");
    fs::write(&source, PROGRAM).expect("a file can be written");
    let include = root().join("include");
    let archive = built().join("libnbd.a");

    // Into a program, also one without shared libraries, and into a plugin.
    for (name, flags) in [
        ("dynamic", &[][..]),
        ("static", &["-static"]),
        ("plugin.so", &["-shared", "-fPIC"]),
    ] {
        let program = directory.join(name);
        // glibc warns about getaddrinfo in a static program; that is not an
        // error here.
        run(Command::new(target::cc())
            .args(flags)
            .arg("-I")
            .arg(&include)
            .arg(&source)
            .arg(&archive)
            .arg("-o")
            .arg(&program)
            .args(["-lutil", "-lrt", "-lpthread", "-lm", "-ldl"]));
        if !name.ends_with(".so") {
            assert_eq!(run(&mut command(&program)), "libnbd 1.24.4\n");
        }
    }
}
