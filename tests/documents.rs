// SPDX-License-Identifier: LGPL-2.1-or-later

//! The documents of the repository refer to files that are there: above all to the
//! tests which `docs/security.md` says would notice a failure.

use std::fs;
use std::path::{Path, PathBuf};

fn documents() -> Vec<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directories = [source.to_owned(), source.join("docs")];
    let entries = directories
        .iter()
        .flat_map(|directory| fs::read_dir(directory).expect("a directory"));
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .filter(|path| path.extension().is_some_and(|it| it == "md"))
        .collect()
}

/// Where the links of a document in Markdown lead to, without what is elsewhere.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1);
    let targets = targets.filter_map(|behind| behind.split_once(')').map(|it| it.0));
    targets.filter(|target| !target.contains("://") && !target.starts_with('#'))
}

#[test]
fn every_link_to_a_file_leads_to_one() {
    let mut seen = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).expect("text");
        let directory = document.parent().expect("a directory");
        for link in links(&text) {
            let file = link.split('#').next().unwrap_or(link);
            let place = directory.join(file);
            assert!(place.exists(), "{}: {link}", document.display());
            seen += 1;
        }
    }
    assert!(seen > 50, "{seen}");
}
