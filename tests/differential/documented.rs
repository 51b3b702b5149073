// SPDX-License-Identifier: LGPL-2.1-or-later

//! The table of differences and `docs/differences.md` say the same.

use std::collections::BTreeSet;
use std::fs;

use super::differences::TABLE;
use super::support::library;
use super::support::Result;

/// The part of the document that is about what this test meets.
const SECTION: &str = "## What the differential test meets";

pub fn check() -> Result<()> {
    let path = library::source().join("docs/differences.md");
    let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let section = text
        .split_once(&format!("\n{SECTION}\n"))
        .map(|(_, rest)| rest.split("\n## ").next().unwrap_or_default())
        .ok_or_else(|| format!("{} has no '{SECTION}'", path.display()))?;
    let described: BTreeSet<_> = section
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .collect();
    let listed: BTreeSet<_> = TABLE.iter().map(|difference| difference.heading).collect();
    let missing = |these: &BTreeSet<&str>, those: &BTreeSet<&str>| {
        let missing: Vec<_> = these.difference(those).copied().collect();
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
