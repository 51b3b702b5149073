// SPDX-License-Identifier: LGPL-2.1-or-later

//! Line breaking, for the C header and for C in manual pages.

/// The maximum line length of the header, if a line can be broken.
pub const WIDTH: usize = 79;

/// Formats a comment with indentation. Markdown markup is removed, as it has no meaning in C.
pub fn comment(text: &str, indent: &str) -> String {
    let plain: String = text
        .chars()
        .filter(|character| !"`[]".contains(*character))
        .collect();
    if plain.is_empty() {
        return String::new();
    }
    let mut lines = vec![format!("{indent}/*")];
    for word in plain.split_whitespace() {
        let last = lines.last_mut().expect("there is a first line");
        if last.len() + word.len() + 4 <= WIDTH {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(format!("{indent} * {word}"));
        }
    }
    lines.join("\n") + " */\n"
}

/// Breaks a declaration longer than `width` between parameters. They are aligned with the first
/// one, if there is room.
pub fn wrap(line: &str, width: usize) -> String {
    let Some(open) = line.rfind('(').filter(|_| line.len() > width) else {
        return line.to_string();
    };
    let (head, parameters) = line.split_at(open + 1);
    let parameters: Vec<&str> = parameters.split(", ").collect();
    let longest = parameters.iter().map(|text| text.len()).max();

    let mut text = head.to_string();
    let mut column = head.len();
    if column + longest.unwrap_or(0) + 2 > width {
        column = 4;
        text.push('\n');
        text.push_str(&" ".repeat(column));
    }
    let mut used = column;
    for (index, parameter) in parameters.iter().enumerate() {
        if index > 0 && used + parameter.len() + 3 > width {
            text.push_str(",\n");
            text.push_str(&" ".repeat(column));
            used = column;
        } else if index > 0 {
            text.push_str(", ");
            used += 2;
        }
        text.push_str(parameter);
        used += parameter.len();
    }
    text
}
