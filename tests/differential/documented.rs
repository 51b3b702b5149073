// SPDX-License-Identifier: LGPL-2.1-or-later

//! The table of differences and `docs/differences.md` agree.

use std::collections::BTreeSet;
use std::fs;

use super::differences::{Versions, TABLE};
use support::library;
use support::Result;

/// Line in the document that marks an entry of the table.
const KNOWN: &str = "\n- Known to the differential test.\n";
/// Heading above the list of differences from older versions.
const OLDER: &str = "## Older versions of the C library";

pub fn check() -> Result<()> {
    let path = library::source().join("docs/differences.md");
    let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let known = |entry: &&str| entry.contains(KNOWN);
    let heading = |entry: &str| Some(entry.lines().next()?.to_owned());
    let item = |line: &'_ str| {
        let (heading, _) = line.strip_prefix("- **")?.split_once("**")?;
        Some(heading.to_owned())
    };
    let entries = text.split("\n### ").skip(1);
    let reference = entries.filter(known).filter_map(heading);
    let older = section(&text, OLDER)?.lines().filter_map(item);
    same(Versions::Reference, reference.collect())?;
    same(Versions::Older, older.collect())
}

fn section<'t>(text: &'t str, title: &str) -> Result<&'t str> {
    let found = text.split_once(&format!("\n{title}\n"));
    let section = found.map(|(_, rest)| rest.split("\n## ").next().unwrap_or_default());
    section.ok_or_else(|| format!("docs/differences.md has no '{title}'"))
}

/// Checks that the document lists exactly the entries of the table for these
/// versions.
fn same(version: Versions, described: BTreeSet<String>) -> Result<()> {
    let entries = TABLE.iter().filter(|entry| entry.version == version);
    let listed: BTreeSet<_> = entries.map(|entry| entry.heading.to_owned()).collect();
    let missing = |these: &BTreeSet<String>, those: &BTreeSet<String>| {
        let missing: Vec<_> = these.difference(those).cloned().collect();
        (!missing.is_empty()).then(|| missing.join("; "))
    };
    if let Some(headings) = missing(&listed, &described) {
        return Err(format!("not in docs/differences.md: {headings}"));
    }
    match missing(&described, &listed) {
        Some(headings) => Err(format!("in docs/differences.md only: {headings}")),
        None => Ok(()),
    }
}
