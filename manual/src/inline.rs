// SPDX-License-Identifier: LGPL-2.1-or-later

//! Running text: plain words, in which references to manual pages are marked
//! up, and code.

use crate::{roff, Result};

/// Maximum width of a list term that is set apart from its explanation.
pub const TERM: usize = 70;

/// Formats plain words. References such as `poll(2)` are marked up.
pub fn words(text: &str) -> Result<String> {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, name, section, after)) = reference(rest) {
        shown.push_str(&roff::text(before)?);
        shown.push_str(&format!("\\fB{}\\fP({section})", roff::code(name)?));
        rest = after;
    }
    shown.push_str(&roff::text(rest)?);
    Ok(shown)
}

/// Finds the first reference in a text: returns the text before it, the name of
/// the page, its section, and the text after it.
fn reference(text: &str) -> Option<(&str, &str, char, &str)> {
    for (open, _) in text.match_indices('(') {
        let mut inside = text[open + 1..].chars();
        let (Some(section @ '1'..='8'), Some(')')) = (inside.next(), inside.next()) else {
            continue;
        };
        let is_part = |it: char| it.is_ascii_alphanumeric() || "_-.".contains(it);
        let start = text[..open]
            .rfind(|it| !is_part(it))
            .map_or(0, |index| index + 1);
        if start < open {
            let name = &text[start..open];
            return Some((&text[..start], name, section, inside.as_str()));
        }
    }
    None
}

/// Splits `name: explanation` in two, unless the name ends a sentence.
pub fn term(text: &str) -> Option<(&str, &str)> {
    let (term, rest) = match text.split_once(": ") {
        Some(parts) => parts,
        None => (text.strip_suffix(':')?, ""),
    };
    (!term.contains(". ")).then_some((term, rest))
}

#[cfg(test)]
mod tests {
    use super::{term, words};

    #[test]
    fn page_references_are_highlighted() {
        assert_eq!(
            words("see poll(2), qemu-nbd(8).").unwrap(),
            "see \\fBpoll\\fP(2), \\fBqemu\\-nbd\\fP(8)."
        );
        assert_eq!(words("hole (2) and (x)").unwrap(), "hole (2) and (x)");
    }

    #[test]
    fn a_term_ends_with_a_colon() {
        assert_eq!(term(" (0x1): a flag: so"), Some((" (0x1)", "a flag: so")));
        assert_eq!(term("it. So: no"), None);
        assert_eq!(term("none"), None);
    }
}
