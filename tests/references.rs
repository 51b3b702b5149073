// SPDX-License-Identifier: LGPL-2.1-or-later

//! References to manual pages and their sections are valid, in documents and comments.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Directories whose text refers to manual pages.
const SOURCES: [&str; 10] = [
    "benches",
    "build",
    "capi-tests",
    "docs",
    "examples",
    "fuzz",
    "manual",
    "memserver",
    "src",
    "tests",
];

/// Documents at the top that refer to manual pages.
const DOCUMENTS: [&str; 2] = ["README.md", "CONTRIBUTING.md"];

/// The text files below a directory of the repository.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("a directory");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false => vec![path],
        })
        .filter(|path| {
            let extension = path.extension().and_then(|it| it.to_str());
            extension.is_some_and(|it| ["c", "h", "md", "py", "rs", "sh"].contains(&it))
        })
        .collect()
}

/// The text on one line, without the marks of comments, which can divide a reference.
fn on_one_line(text: &str) -> String {
    let words = text.lines().flat_map(|line| {
        let line = line.trim_start();
        let line = line.trim_start_matches(['/', '*', '!', '#']);
        line.split_whitespace()
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Returns the headings of libnbd(3), in lower case.
fn sections_of_the_overview() -> BTreeSet<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(source.join("docs/libnbd.md")).expect("text");
    let mut in_code = false;
    let mut headings = BTreeSet::from(["functions".into(), "license".into()]);
    for line in text.lines() {
        in_code ^= line.starts_with("```");
        let heading = line.trim_start_matches('#').strip_prefix(' ');
        if let Some(heading) = heading.filter(|_| !in_code && line.starts_with('#')) {
            headings.insert(heading.to_lowercase());
        }
    }
    headings
}

/// The sections that a text refers to, in order: `libnbd(3), "Callbacks" and "Threads"`.
fn referenced_sections(text: &str) -> Vec<&str> {
    let mut sections = Vec::new();
    for after in text.split("libnbd(3)").skip(1) {
        let mut rest = after
            .trim_start_matches(',')
            .strip_prefix(' ')
            .unwrap_or("");
        while let Some((section, after)) = rest.strip_prefix('"').and_then(|it| it.split_once('"'))
        {
            sections.push(section);
            rest = after.trim_start_matches([',', ' ']);
            rest = rest.strip_prefix("and ").unwrap_or(rest);
        }
    }
    sections
}

/// The functions whose pages a text refers to, such as `nbd_create(3)`.
fn referenced_functions(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("(3)").filter_map(|(end, _)| {
        let is_part = |it: char| it.is_ascii_alphanumeric() || it == '_';
        let start = text[..end].rfind(|it| !is_part(it)).map_or(0, |it| it + 1);
        Some(&text[start..end]).filter(|name| name.starts_with("nbd_"))
    })
}

#[test]
fn every_manual_page_reference_exists() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tables = ["functions.tsv", "extensions.tsv"]
        .map(|table| fs::read_to_string(source.join("src/capi").join(table)).expect("text"));
    let functions: BTreeSet<&str> = tables
        .iter()
        .flat_map(|table| table.lines())
        .filter_map(|it| it.split('\t').next())
        .collect();
    let sections = sections_of_the_overview();
    let (mut seen_functions, mut seen_sections) = (0, 0);
    let mut dead = Vec::new();
    let documents = DOCUMENTS.iter().map(|it| source.join(it));
    let sources = SOURCES.iter().flat_map(|it| sources(&source.join(it)));
    for path in sources.chain(documents) {
        let text = on_one_line(&fs::read_to_string(&path).expect("text"));
        for name in referenced_functions(&text) {
            seen_functions += 1;
            if !functions.contains(name) {
                dead.push(format!("{}: {name}(3)", path.display()));
            }
        }
        for title in referenced_sections(&text) {
            seen_sections += 1;
            if !sections.contains(&title.to_lowercase()) {
                dead.push(format!("{}: libnbd(3), \"{title}\"", path.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{}:\n{}", dead.len(), dead.join("\n"));
    assert!(seen_functions > 300, "{seen_functions}");
    assert!(seen_sections > 60, "{seen_sections}");
}

#[test]
fn section_references_are_parsed_to_the_end() {
    let text = on_one_line("/* Source: libnbd(3), \"A\n * b\" and \"C\", libnbd(3) on \"d\". */");
    assert_eq!(referenced_sections(&text), ["A b", "C"]);
}

#[test]
fn c_programs_cite_their_rule_as_source() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"));
    for path in sources(&source.join("capi-tests")) {
        let text = fs::read_to_string(&path).expect("text");
        for line in text.lines() {
            let line = line.trim_start().trim_start_matches(['/', '*', ' ']);
            assert!(!line.starts_with("Rule:"), "{}: {line}", path.display());
        }
    }
}
