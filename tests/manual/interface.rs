// SPDX-License-Identifier: LGPL-2.1-or-later

//! The page of a function agrees with its table and its header.

use std::collections::BTreeSet;

use crate::page::{of_functions, pages, plain, rows, section, sections};

const HEADERS: &str = concat!(
    include_str!("../../include/libnbd.h"),
    include_str!("../../include/libnbd-ext.h")
);

/// The sections of a function's page; true for those that each page must have.
const SECTIONS: [(&str, bool); 11] = [
    ("NAME", true),
    ("SYNOPSIS", true),
    ("DESCRIPTION", true),
    ("RETURN VALUE", true),
    ("ERRORS", true),
    ("HANDLE STATE", true),
    ("VERSION", true),
    ("STANDARDS", false),
    ("EXAMPLE", false),
    ("SEE ALSO", true),
    ("LICENSE", true),
];

/// The states of the table, and those that a page distinguishes.
const STATES: [(&str, &[&str]); 6] = [
    ("created", &["created"]),
    ("connecting", &["connecting"]),
    ("negotiating", &["negotiating"]),
    ("connected", &["ready", "processing"]),
    ("closed", &["closed"]),
    ("dead", &["dead"]),
];

/// Normalizes the white space of C code.
fn squeezed(code: &str) -> String {
    let words: Vec<&str> = code.split_whitespace().collect();
    words
        .join(" ")
        .replace("( ", "(")
        .replace("* ", "*")
        .replace(" *", "*")
        .replace(" ;", ";")
}

/// Returns the declarations of the headers, without compiler attributes.
fn declarations() -> String {
    let text: Vec<&str> = HEADERS
        .lines()
        .filter(|line| !line.starts_with("#define"))
        .map(
            |line| match line.trim_start().starts_with("LIBNBD_ATTRIBUTE_") {
                true if line.ends_with(';') => ";",
                true => "",
                false => line,
            },
        )
        .collect();
    squeezed(&text.join("\n"))
}

#[test]
fn every_function_has_a_page() {
    let pages: BTreeSet<String> = pages().into_keys().collect();
    let expected: BTreeSet<String> = rows()
        .into_iter()
        .map(|row| row.name)
        .chain(["libnbd", "libnbd-ext", "libnbd-security"].map(String::from))
        .collect();
    assert!(expected.len() > 168, "{expected:?}");
    assert_eq!(pages, expected);
}

#[test]
fn sections_are_complete_and_in_order() {
    for (row, page) in of_functions() {
        let titles: Vec<String> = sections(&page).into_iter().map(|it| it.0).collect();
        let expected: Vec<&str> = SECTIONS
            .into_iter()
            .filter(|(title, always)| *always || titles.iter().any(|it| it == title))
            .map(|(title, _)| title)
            .collect();
        assert_eq!(titles, expected, "{}", row.name);
        for (title, text) in sections(&page) {
            assert!(!text.trim().is_empty(), "{}: {title} is empty", row.name);
        }
    }
}

#[test]
fn the_name_section_has_function_and_summary() {
    for (row, page) in of_functions() {
        let name = section(&page, "NAME").expect("it is there");
        let (shown, about) = name.split_once(" \\- ").expect("name and subject");
        assert_eq!(shown, row.name);
        assert!(about.trim().len() > 10, "{}: {about}", row.name);
        assert_eq!(name.lines().count(), 1, "{}: {name}", row.name);
    }
}

#[test]
fn the_header_has_each_summary() {
    let lines: Vec<&str> = HEADERS.lines().collect();
    for row in rows() {
        let declares = |line: &&str| {
            let name = line
                .split('(')
                .next()
                .and_then(|it| it.rsplit([' ', '*']).next());
            !line.starts_with(['#', ' ']) && name == Some(row.name.as_str())
        };
        let at = lines.iter().position(declares);
        let above = lines[at.unwrap_or_else(|| panic!("no {}", row.name)) - 1];
        assert!(
            above.starts_with("/* ") && above.ends_with(". */"),
            "{}: {above}",
            row.name
        );
    }
}

#[test]
fn prototypes_match_the_header() {
    let header = declarations();
    for (row, page) in of_functions() {
        let synopsis = plain(&section(&page, "SYNOPSIS").expect("it is there"));
        let synopsis = synopsis.replace(".nf\n", "").replace("\n.fi", "");
        let mut parts = synopsis.split("\n\n");
        let include = match row.version.starts_with("LIBNBD_EXT_") {
            true => "#include <libnbd-ext.h>",
            false => "#include <libnbd.h>",
        };
        assert_eq!(parts.next(), Some(include), "{}", row.name);
        let parts: Vec<String> = parts.map(squeezed).collect();
        for part in &parts {
            assert!(header.contains(part), "{}: {part}", row.name);
        }
        let (prototype, types) = parts.split_last().expect("there is a prototype");
        let declared = squeezed(&format!(
            "{} {}({});",
            row.returns, row.name, row.parameters
        ));
        assert_eq!(*prototype, declared);
        for parameter in row
            .parameters
            .split(", ")
            .filter(|it| it.contains("_callback "))
        {
            let name = parameter.split(' ').next().expect("its type");
            assert!(
                types.iter().any(|it| it.ends_with(&format!("}} {name};"))),
                "{}: {name} is not shown",
                row.name
            );
        }
    }
}

#[test]
fn states_match_the_function_table() {
    for (row, page) in of_functions() {
        let text = plain(&section(&page, "HANDLE STATE").expect("it is there"));
        if !row.parameters.starts_with("struct nbd_handle *") {
            assert!(!text.contains('|'), "{}: {text}", row.name);
            continue;
        }
        for (group, states) in STATES {
            let allowed = row.states == "any" || row.states.split(',').any(|it| it == group);
            let outcome = match (allowed, group) {
                (true, _) => "is allowed",
                (false, "created") => "fails with ENOTCONN",
                (false, _) => "fails with EINVAL",
            };
            for state in states {
                let line = format!("\n{state}|nbd_aio_is_{state}");
                let (_, rest) = text
                    .split_once(&line)
                    .unwrap_or_else(|| panic!("{}: no {state}", row.name));
                let shown = rest.lines().next().and_then(|it| it.split_once('|'));
                assert_eq!(shown.map(|it| it.1), Some(outcome), "{}: {state}", row.name);
            }
        }
    }
}

#[test]
fn versions_match_the_symbols() {
    for (row, page) in of_functions() {
        let text = plain(&section(&page, "VERSION").expect("it is there"));
        assert!(
            text.contains(&format!("version {}.", row.version)),
            "{text}"
        );
        let added = match row.version.strip_prefix("LIBNBD_EXT_") {
            Some(_) => "The C library does not have this function".into(),
            None => format!("libnbd {}.", row.version.trim_start_matches("LIBNBD_")),
        };
        assert!(text.contains(&added), "{text}");
        let define = text.lines().find(|line| line.starts_with("#define "));
        let define = define.expect("the macro is shown");
        assert!(HEADERS.lines().any(|line| line == define), "{define}");
        let name = row.name.trim_start_matches("nbd_ext_").to_uppercase();
        assert!(define.contains(&name), "{define}");
    }
}

#[test]
fn null_and_state_errors_are_listed() {
    for (row, page) in of_functions() {
        let errors = plain(&section(&page, "ERRORS").expect("it is there"));
        assert_eq!(
            errors.contains("\nEFAULT\n"),
            !row.non_null.is_empty(),
            "{}",
            row.name
        );
        let wrong_before = row.states != "any" && !row.states.contains("created");
        assert!(
            !wrong_before || errors.contains("\nENOTCONN\n"),
            "{}",
            row.name
        );
        assert!(
            row.states == "any" || errors.contains("\nEINVAL\n"),
            "{}",
            row.name
        );
    }
}
