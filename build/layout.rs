// SPDX-License-Identifier: LGPL-2.1-or-later

//! How text is laid out in the C header, and C in the manual pages.

/// No line of the header is longer, where it can be broken.
pub const WIDTH: usize = 79;

/// A comment, indented like what it is about. The marks of Markdown mean nothing
/// in C and are left out.
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

/// A declaration, broken between parameters where it is longer than `width`.
/// Parameters line up below the first one, if there is room for that.
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
