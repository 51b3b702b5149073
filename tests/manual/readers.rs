// SPDX-License-Identifier: LGPL-2.1-or-later

//! The pages are fit for the programs that show them.

use std::process::Command;

use crate::page::{directory, pages};

#[test]
fn man_shows_every_page_without_a_warning_and_within_a_terminal() {
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

#[test]
fn mandoc_has_nothing_to_say_but_on_style() {
    let mut command = Command::new("mandoc");
    command.args(["-T", "lint", "-W", "warning"]);
    for name in pages().keys() {
        command.arg(directory().join(format!("man3/{name}.3")));
    }
    let output = command.output().expect("there is mandoc");
    let notes = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && notes.is_empty(), "{notes}");
}
