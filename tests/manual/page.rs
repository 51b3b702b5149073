// SPDX-License-Identifier: LGPL-2.1-or-later

//! Access to the pages and their parts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use manual::interface::{functions, Function};

const FUNCTIONS: &str = include_str!("../../src/capi/functions.tsv");
const EXTENSIONS: &str = include_str!("../../src/capi/extensions.tsv");

/// The directory of the pages, which are written once for all tests.
pub fn directory() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("manual");
        if directory.exists() {
            fs::remove_dir_all(&directory).expect("an old directory can be removed");
        }
        manual::write(Path::new(env!("CARGO_MANIFEST_DIR")), &directory)
            .unwrap_or_else(|error| panic!("{error}"));
        directory
    })
}

/// Returns the source of each page, by name.
pub fn pages() -> BTreeMap<String, String> {
    fs::read_dir(directory().join("man3"))
        .expect("there are pages")
        .map(|entry| {
            let path = entry.expect("a page").path();
            let name = path.file_stem().expect("a name").to_string_lossy();
            let text = fs::read_to_string(&path).expect("a page is text");
            (name.into_owned(), text)
        })
        .collect()
}

/// Returns the pages of functions, each with its line of the table.
pub fn of_functions() -> Vec<(Function, String)> {
    let mut pages = pages();
    rows()
        .into_iter()
        .map(|row| {
            let page = pages.remove(&row.name);
            let page = page.unwrap_or_else(|| panic!("no page for {}", row.name));
            (row, page)
        })
        .collect()
}

/// Returns the tables of functions.
pub fn rows() -> Vec<Function> {
    [FUNCTIONS, EXTENSIONS]
        .into_iter()
        .flat_map(functions)
        .collect()
}

/// Returns the headings of the sections and subsections of a page.
pub fn headings(page: &str) -> BTreeSet<&str> {
    page.lines()
        .filter_map(|line| line.strip_prefix(".SH ").or(line.strip_prefix(".SS ")))
        .collect()
}

/// Returns the headings of a page, each with the text below it.
pub fn sections(page: &str) -> Vec<(String, String)> {
    page.split("\n.SH ")
        .skip(1)
        .map(|section| section.split_once('\n').expect("a heading has its line"))
        .map(|(title, text)| (title.into(), text.into()))
        .collect()
}

pub fn section(page: &str, title: &str) -> Option<String> {
    sections(page)
        .into_iter()
        .find_map(|(it, text)| (it == title).then_some(text))
}

/// The visible text of a piece of roff, as far as our pages use roff.
pub fn plain(roff: &str) -> String {
    let mut text = roff.to_string();
    for (escape, shown) in [
        ("\\fB", ""),
        ("\\fI", ""),
        ("\\fP", ""),
        ("\\%", ""),
        ("\\&", ""),
        ("\\-", "-"),
        ("\\(aq", "'"),
        ("\\(ga", "`"),
        ("\\(ha", "^"),
        ("\\(ti", "~"),
        ("\\e", "\\"),
    ] {
        text = text.replace(escape, shown);
    }
    text
}
