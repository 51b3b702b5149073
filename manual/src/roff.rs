// SPDX-License-Identifier: LGPL-2.1-or-later

//! Text in roff, escaped so that every character is printed as it is.

use crate::Result;

/// Running text. A hyphen before an option or a number becomes a minus sign, which can
/// be copied from the page.
pub fn text(text: &str) -> Result<String> {
    let mut escaped = String::new();
    let mut previous = ' ';
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let begins = !(previous.is_alphanumeric() || previous == '-');
        let goes_on = characters.peek().is_some_and(|next| *next != ' ');
        match character {
            '-' if begins && goes_on => escaped.push_str("\\-"),
            _ => push(&mut escaped, character)?,
        }
        previous = character;
    }
    Ok(escaped)
}

/// Code. Every character can be copied from the page.
pub fn code(text: &str) -> Result<String> {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '-' => escaped.push_str("\\-"),
            '\'' => escaped.push_str("\\(aq"),
            '`' => escaped.push_str("\\(ga"),
            '^' => escaped.push_str("\\(ha"),
            '~' => escaped.push_str("\\(ti"),
            _ => push(&mut escaped, character)?,
        }
    }
    Ok(escaped)
}

fn push(escaped: &mut String, character: char) -> Result<()> {
    match character {
        '\\' => escaped.push_str("\\e"),
        ' ' | '\n' => escaped.push(character),
        _ if character.is_ascii_graphic() => escaped.push(character),
        // Terminals and locales differ in the characters that they can show.
        _ => return Err(format!("{character:?} is not ASCII")),
    }
    Ok(())
}

/// Lines, protected from being interpreted as requests.
pub fn lines(text: &str) -> String {
    text.lines()
        .map(|line| {
            let guard = if line.starts_with(['.', '\'']) {
                "\\&"
            } else {
                ""
            };
            format!("{guard}{}\n", line.trim_end())
        })
        .collect()
}

/// Wraps text at 80 bytes, as mandoc(1) expects, each sentence on its own line:
/// formatters then put the same space after every sentence.
pub fn filled(text: &str) -> String {
    let mut filled = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        if column > 0 && column + 1 + word.len() > WIDTH {
            filled.push('\n');
            column = 0;
        } else if column > 0 {
            filled.push(' ');
            column += 1;
        }
        filled.push_str(word);
        column += word.len();
        if ends_sentence(word) {
            filled.push('\n');
            column = 0;
        }
    }
    filled
}

/// Maximum width of a line of text.
const WIDTH: usize = 80;

fn ends_sentence(word: &str) -> bool {
    word.trim_end_matches([')', '"']).ends_with(['.', '?', '!'])
}

/// Text whose words that contain code are marked as not to be hyphenated. The mark has
/// this meaning only at the beginning of a word.
pub fn unhyphenated(text: &str) -> String {
    const MARK: &str = "\\%";
    text.split_inclusive([' ', '\n'])
        .map(|word| match word.contains(MARK) {
            true => format!("{MARK}{}", word.replace(MARK, "")),
            false => word.to_string(),
        })
        .collect()
}

/// A block of code. A comment contains its language, for tools that extract examples.
pub fn code_block(language: &str, text: &str) -> Result<String> {
    Ok(format!(
        ".\\\" {language}\n.in +2n\n.EX\n{}.EE\n.in\n",
        lines(&code(text.trim_end())?)
    ))
}

#[cfg(test)]
mod tests {
    use super::{code, filled, lines, text, unhyphenated};

    #[test]
    fn hyphens_and_minus_signs_differ() {
        assert_eq!(
            text("non-blocking: -1, -s - \"-x\"").unwrap(),
            "non-blocking: \\-1, \\-s - \"\\-x\""
        );
        assert_eq!(code("a-b").unwrap(), "a\\-b");
    }

    #[test]
    fn text_contains_no_requests_or_escapes() {
        assert_eq!(text("a\\b").unwrap(), "a\\eb");
        assert_eq!(lines(".TH\n'x\na \n"), "\\&.TH\n\\&'x\na\n");
    }

    #[test]
    fn each_sentence_begins_a_line() {
        assert_eq!(
            filled("One\ntwo. (Three.)\nFour"),
            "One two.\n(Three.)\nFour"
        );
        let long = "abcdefghi ".repeat(9);
        assert_eq!(filled(&long).lines().next().map(str::len), Some(79));
    }

    #[test]
    fn unhyphenated_words_begin_with_the_mark() {
        assert_eq!(
            unhyphenated("see (\\fB\\%a\\fP,\n\\fB\\%b\\fP) x"),
            "see \\%(\\fBa\\fP,\n\\%\\fBb\\fP) x"
        );
    }

    #[test]
    fn non_ascii_characters_are_refused() {
        assert!(text("\u{2013}").is_err());
        assert!(code("\t").is_err());
    }
}
