// SPDX-License-Identifier: LGPL-2.1-or-later

//! Doc comments of the C functions, from the Rust source.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use syn::{Attribute, Expr, ExprLit, Item, Lit, Meta};

use crate::{read as read_file, Result};

/// The headings that a comment may have, each at most once.
const HEADINGS: [&str; 6] = [
    "Parameters",
    "Result",
    "Errors",
    "Standards",
    "Example",
    "See also",
];

/// The comment of a function, split at its headings. All parts are Markdown.
#[derive(Debug, Default)]
pub struct Comment {
    /// The first paragraph: a sentence that says what the function does.
    pub summary: String,
    /// The text from there to the first heading.
    pub body: String,
    sections: BTreeMap<&'static str, String>,
}

impl Comment {
    /// Returns the text below a heading.
    pub fn section(&self, heading: &str) -> Option<&str> {
        self.sections.get(heading).map(|text| text.trim())
    }

    fn parse(text: &str) -> Result<Comment> {
        let (summary, rest) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut comment = Comment {
            summary: summary.split_whitespace().collect::<Vec<_>>().join(" "),
            ..Comment::default()
        };
        if !comment.summary.ends_with('.') {
            return Err("the first paragraph is not a sentence".into());
        }
        let mut heading = None;
        let mut in_code = false;
        for line in rest.lines() {
            in_code ^= line.starts_with("```");
            if let Some(title) = line.strip_prefix("# ").filter(|_| !in_code) {
                let title = HEADINGS
                    .into_iter()
                    .find(|known| *known == title)
                    .ok_or_else(|| format!("unknown heading: {title}"))?;
                if comment.sections.insert(title, String::new()).is_some() {
                    return Err(format!("{title} is there twice"));
                }
                heading = Some(title);
                continue;
            }
            let part = match heading {
                None => &mut comment.body,
                Some(title) => comment.sections.get_mut(title).expect("inserted above"),
            };
            part.push_str(line);
            part.push('\n');
        }
        Ok(comment)
    }
}

/// The functions of one file, with their subject.
#[derive(Debug)]
pub struct Group {
    /// The beginning of the comment of the file, up to the first colon or period.
    pub subject: String,
    /// The functions, by name.
    pub comments: BTreeMap<String, Comment>,
}

/// Reads the comments of all functions that the files of a directory export to
/// C.
pub fn read(directory: &Path) -> Result<Vec<Group>> {
    let mut groups = Vec::new();
    let entries = fs::read_dir(directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    for entry in entries {
        let path = entry
            .map_err(|e| format!("{}: {e}", directory.display()))?
            .path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let file = syn::parse_file(&read_file(&path)?)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let mut group = Group {
            subject: subject(&documentation(&file.attrs)),
            comments: BTreeMap::new(),
        };
        for item in file.items {
            let Item::Fn(item) = item else { continue };
            if !item.attrs.iter().any(|it| it.path().is_ident("no_mangle")) {
                continue;
            }
            let name = item.sig.ident.to_string();
            let comment = Comment::parse(&documentation(&item.attrs))
                .map_err(|error| format!("{}: {name}: {error}", path.display()))?;
            group.comments.insert(name, comment);
        }
        if !group.comments.is_empty() {
            groups.push(group);
        }
    }
    Ok(groups)
}

/// The subject of a file, from its comment.
fn subject(documentation: &str) -> String {
    let end = documentation
        .find([':', '.'])
        .unwrap_or(documentation.len());
    let words: Vec<&str> = documentation[..end].split_whitespace().collect();
    words.join(" ")
}

/// Joins a `///` comment, which the compiler represents as one attribute per
/// line.
fn documentation(attributes: &[Attribute]) -> String {
    attributes
        .iter()
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
                Expr::Lit(ExprLit {
                    lit: Lit::Str(line),
                    ..
                }) => Some(line.value()),
                _ => None,
            },
            _ => None,
        })
        .map(|line| line.strip_prefix(' ').unwrap_or(&line).to_string() + "\n")
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{subject, Comment};

    #[test]
    fn a_comment_is_cut_at_its_headings() {
        let comment = Comment::parse("Does it.\n\nAll.\n\n# Errors\n\n- `EIO`: no.\n").unwrap();
        assert_eq!(comment.summary, "Does it.");
        assert_eq!(comment.body.trim(), "All.");
        assert_eq!(comment.section("Errors"), Some("- `EIO`: no."));
        assert_eq!(comment.section("Result"), None);
    }

    #[test]
    fn code_blocks_have_no_headings() {
        let text = "Does it.\n\n# Example\n\n```c\n# include <x.h>\n```\n";
        let comment = Comment::parse(text).unwrap();
        assert!(comment.section("Example").unwrap().contains("# include"));
    }

    #[test]
    fn unknown_headings_are_errors() {
        assert!(Comment::parse("Does it.\n\n# Returns\n").is_err());
        assert!(Comment::parse("Does it.\n\n# Errors\n\n# Errors\n").is_err());
        assert!(Comment::parse("Does it\n").is_err());
    }

    #[test]
    fn the_subject_comes_from_the_file_comment() {
        assert_eq!(subject("Handles: made,\nand closed. So."), "Handles");
        assert_eq!(subject("Commands that\nwait. So: it"), "Commands that wait");
    }
}
