// SPDX-License-Identifier: LGPL-2.1-or-later

//! The callback types, as generated into `libnbd.h`.

use std::collections::BTreeMap;

use crate::layout;

/// Width of a line of C in a terminal of 80 columns, between the margins.
pub const WIDTH: usize = 72;

/// The declaration of each type, by its name.
pub type Types = BTreeMap<String, String>;

/// Returns all types that a header declares as structs.
pub fn types(header: &str) -> Types {
    let mut types = Types::new();
    let mut lines: Option<Vec<String>> = None;
    for line in header.lines() {
        if line == "typedef struct {" {
            lines = Some(Vec::new());
        }
        let Some(declaration) = &mut lines else {
            continue;
        };
        match declaration.last_mut() {
            // The header breaks lines for its own margins.
            Some(previous) if previous.ends_with(',') => {
                previous.push(' ');
                previous.push_str(line.trim());
            }
            _ => declaration.push(line.into()),
        }
        if let Some(name) = line.strip_prefix("} ").and_then(|it| it.strip_suffix(';')) {
            let text: Vec<String> = declaration
                .iter()
                .map(|line| layout::wrap(line, WIDTH))
                .collect();
            types.insert(name.into(), text.join("\n"));
            lines = None;
        }
    }
    types
}

/// Returns the types that a declaration mentions, each preceded by those that
/// it mentions itself.
pub fn used<'a>(declaration: &str, types: &'a Types) -> Vec<&'a str> {
    let mut found = Vec::new();
    for (name, text) in types {
        if words(declaration).any(|word| word == name) {
            let needed = used(text.rsplit_once('}').map_or("", |it| it.0), types);
            for text in needed.into_iter().chain([text.as_str()]) {
                if !found.contains(&text) {
                    found.push(text);
                }
            }
        }
    }
    found
}

/// Returns the identifiers in a piece of C.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|it: char| !(it.is_ascii_alphanumeric() || it == '_'))
}

#[cfg(test)]
mod tests {
    use super::{types, used};

    const HEADER: &str = "\
typedef struct {\n  uint64_t length;\n} nbd_extent;\n\
typedef struct {\n  int (*callback)(void *user_data,\n                  nbd_extent *entries);\n\
} nbd_extent64_callback;\n";

    #[test]
    fn callback_types_include_the_types_they_use() {
        let types = types(HEADER);
        let found = used("int f(nbd_extent64_callback x)", &types);
        assert_eq!(found.len(), 2);
        assert!(found[0].ends_with("} nbd_extent;"));
        assert!(found[1].contains("int (*callback)(void *user_data, nbd_extent *entries);"));
    }

    #[test]
    fn only_whole_names_count() {
        assert!(used("int f(nbd_extent64 x)", &types(HEADER)).is_empty());
    }
}
