// SPDX-License-Identifier: LGPL-2.1-or-later

//! The examples in the manual pages compile as C.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::page::{pages, plain, sections};

/// Returns the C examples below a heading: whole programs and fragments.
fn examples(section: &str) -> Vec<String> {
    format!("\n{section}")
        .split("\n.\\\" c\n")
        .skip(1)
        .map(|text| {
            let (_, code) = text.split_once(".EX\n").expect("code begins");
            let (code, _) = code.split_once(".EE\n").expect("code ends");
            plain(code)
        })
        .collect()
}

/// Makes a program from fragments: functions stay as they are, and statements
/// become the body of one. They use the handle `nbd`.
fn program(pieces: &[String]) -> String {
    let mut text = String::new();
    for include in [
        "errno",
        "inttypes",
        "poll",
        "signal",
        "stdbool",
        "stdint",
        "stdio",
        "stdlib",
        "string",
        "sys/socket",
        "sys/un",
        "unistd",
        "libnbd-ext",
    ] {
        text.push_str(&format!("#include <{include}.h>\n"));
    }
    for (number, piece) in pieces.iter().enumerate() {
        if piece.starts_with("static ") {
            text.push_str(piece);
        } else {
            text.push_str(&format!(
                "int example_{number} (struct nbd_handle *nbd);\n\
                 int example_{number} (struct nbd_handle *nbd)\n{{\n{piece}\nreturn nbd == NULL;\n}}\n"
            ));
        }
    }
    text
}

#[test]
fn examples_compile() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("examples-of-the-manual");
    fs::create_dir_all(&directory).expect("a directory can be made");
    let mut with_example = 0;
    for (name, page) in pages() {
        for (title, text) in sections(&page) {
            let (programs, pieces): (Vec<String>, Vec<String>) = examples(&text)
                .into_iter()
                .partition(|it| it.contains("\nmain (void)\n"));
            let mut all = programs;
            if !pieces.is_empty() {
                all.push(program(&pieces));
            }
            with_example += usize::from(title == "EXAMPLE" && !all.is_empty());
            for code in all {
                let path = directory.join(format!("{name}-{}.c", title.replace(' ', "-")));
                fs::write(&path, &code).expect("a file can be written");
                let output = Command::new("cc")
                    .args(["-std=gnu11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror"])
                    .args([
                        "-Wno-unused-parameter",
                        "-Wno-unused-variable",
                        "-Wno-unused-but-set-variable",
                        "-Wno-unused-function",
                    ])
                    .arg("-I")
                    .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("include"))
                    .arg(&path)
                    .output()
                    .expect("there is a C compiler");
                assert!(
                    output.status.success(),
                    "{name}, {title}:\n{code}\n{}",
                    String::from_utf8_lossy(&output.stderr)
                );
            }
        }
    }
    assert!(with_example > 20, "{with_example}");
}
