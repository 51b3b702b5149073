// SPDX-License-Identifier: LGPL-2.1-or-later

//! The pages display without warnings.

use std::process::Command;

use crate::page::{directory, pages};

#[test]
fn man_displays_every_page_without_warnings() {
    for name in pages().keys() {
        let output = Command::new("man")
            .args(["--warnings", "-E", "UTF-8", "-l"])
            .arg(directory().join(format!("man3/{name}.3")))
            .env("LC_ALL", "C.UTF-8")
            .env("MANWIDTH", "80")
            .env_remove("MANROFFOPT")
            .output()
            .expect("there is man");
        let warnings = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && warnings.is_empty(),
            "{name}: {warnings}"
        );
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("LICENSE"), "{name}: {text}");
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{name}: {line}");
        }
    }
}

#[test]
fn man_finds_a_page_by_its_name() {
    let output = Command::new("man")
        .arg("-M")
        .arg(directory())
        .args(["3", "nbd_aio_zero"])
        .env("LC_ALL", "C.UTF-8")
        .env("MANPAGER", "cat")
        .output()
        .expect("there is man");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("SYNOPSIS") && text.contains("nbd_aio_zero(3)"),
        "{text}"
    );
}

/// Expected complaint: as in the pages of Linux, the title of a page is the
/// name of its function.
const IN_LOWER_CASE: &str = "STYLE: lower case character in document title";

/// Position of the line below NAME, which apropos(1) reads and which therefore
/// is not wrapped.
const NAME: &str = ".3:8:";

#[test]
fn mandoc_lint_passes() {
    let mut command = Command::new("mandoc");
    command.args(["-T", "lint"]);
    for name in pages().keys() {
        command.arg(directory().join(format!("man3/{name}.3")));
    }
    let output = command.output().expect("there is mandoc");
    let text = String::from_utf8_lossy(&output.stdout);
    let faults = text
        .lines()
        .filter(|it| !it.contains(IN_LOWER_CASE) && !it.contains(NAME));
    let faults: Vec<&str> = faults.collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
