// SPDX-License-Identifier: LGPL-2.1-or-later

//! References in the documents are valid: links, headings, files, `make`
//! targets, and the version of the implementation.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The directories with documents in Markdown.
const DIRECTORIES: [&str; 4] = ["", "docs", "examples", "capi-tests"];

fn source() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn documents() -> Vec<PathBuf> {
    let directories = DIRECTORIES.iter().map(|directory| source().join(directory));
    let entries = directories.flat_map(|directory| fs::read_dir(directory).expect("a directory"));
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .filter(|path| path.extension().is_some_and(|it| it == "md"))
        .collect()
}

/// The targets of the links in a document, except those on other sites.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1);
    let targets = targets.filter_map(|after| after.split_once(')').map(|it| it.0));
    targets.filter(|target| !target.contains("://"))
}

/// The anchors of a document's headings, as forges make them: lower case, with hyphens for
/// blanks, without punctuation.
fn anchors(text: &str) -> Vec<String> {
    let headings = prose(text).filter_map(|line| line.strip_prefix('#'));
    let headings = headings.map(|heading| heading.trim_start_matches('#').trim());
    headings
        .map(|heading| {
            let lower = heading.to_lowercase().replace(' ', "-");
            lower.replace(|c: char| !c.is_alphanumeric() && c != '-' && c != '_', "")
        })
        .collect()
}

/// The lines outside of code blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !code && !fence
    })
}

/// The words in backquotes in the prose.
fn quoted(text: &str) -> Vec<String> {
    let prose: Vec<_> = prose(text).collect();
    let prose = prose.join("\n");
    prose
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// Returns true if a file or folder exists. A path is relative to the top, to `src` or to
/// the document; a name alone may be that of any file.
fn exists(file: &str, document: &Path, names: &BTreeSet<String>) -> bool {
    let beside = document.parent().expect("a directory");
    let places = [source(), &source().join("src"), beside];
    names.contains(file) || places.iter().any(|place| place.join(file).exists())
}

/// The names of the files in this directory and below.
fn names(directory: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type().expect("a type").is_dir() {
            if name != ".git" && name != "target" {
                self::names(&entry.path(), names);
            }
        } else {
            names.insert(name);
        }
    }
}

#[test]
fn every_link_target_exists() {
    let mut seen = 0;
    for document in documents() {
        let text = read(&document);
        let directory = document.parent().expect("a directory");
        for link in links(&text) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let place = match file {
                "" => document.clone(),
                _ => directory.join(file),
            };
            assert!(place.exists(), "{}: {link}", document.display());
            if !heading.is_empty() {
                let anchors = anchors(&read(&place));
                let found = anchors.iter().any(|anchor| anchor == heading);
                assert!(found, "{}: {link}: {anchors:?}", document.display());
            }
            seen += 1;
        }
    }
    assert!(seen > 50, "{seen}");
}

/// A file is named by its path and suffix. Capitals stand for part of a name, and `target`
/// holds what was built.
#[test]
fn every_named_file_exists() {
    const SUFFIXES: [&str; 9] = [
        ".rs", ".c", ".h", ".sh", ".md", ".toml", ".tsv", ".spec", ".yml",
    ];
    let mut there = BTreeSet::new();
    names(source(), &mut there);
    let mut seen = 0;
    for document in documents() {
        let words = quoted(&read(&document));
        let files = words.iter().filter(|word| {
            let is_file = SUFFIXES.iter().any(|suffix| word.ends_with(suffix));
            let is_folder = word.ends_with('/') && !word.starts_with('/');
            let is_pattern = word.contains([' ', '*', '<', '~', '$', ':'])
                || word.contains("NAME")
                || word.starts_with("target/")
                || word.starts_with('.') && word.matches('.').count() == 1 && is_file;
            (is_file || is_folder) && !is_pattern
        });
        for file in files {
            assert!(
                exists(file, &document, &there),
                "{}: {file}",
                document.display()
            );
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn every_named_make_target_exists() {
    let makefile = read(&source().join("Makefile"));
    let phony = makefile.lines().find_map(|it| it.strip_prefix(".PHONY:"));
    let targets: Vec<_> = phony.expect("targets").split_whitespace().collect();
    let mut seen = 0;
    for document in documents() {
        for word in quoted(&read(&document)) {
            let Some((_, words)) = word.split_once("make ") else {
                continue;
            };
            if !word.starts_with("make ") && !word.contains("' make ") {
                continue;
            }
            let named = words.split_whitespace();
            let named = named.take_while(|it| !it.contains('='));
            for target in named {
                let found = targets.contains(&target);
                assert!(found, "{}: make {target}", document.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn the_version_of_the_implementation_is_the_same_everywhere() {
    let version = read(&source().join("src/capi/version.rs"));
    let version = version.split_once("c\"Rust ").expect("a version").1;
    let version = version.split('"').next().expect("a version");

    let changelog = read(&source().join("CHANGELOG.md"));
    let newest = changelog.lines().find_map(|line| line.strip_prefix("## "));
    assert_eq!(newest.and_then(|it| it.split(' ').next()), Some(version));

    let debian = read(&source().join("packaging/debian/changelog"));
    let package = concat!("libnbd-rust (", env!("CARGO_PKG_VERSION"), "+rust");
    assert!(
        debian.starts_with(&format!("{package}{version}-")),
        "{debian}"
    );
}
