// SPDX-License-Identifier: LGPL-2.1-or-later

//! Everything observed in a run, in order, ready to be compared.

/// The observations, with text that varies between runs replaced by names.
#[derive(Default)]
pub struct Transcript {
    entries: Vec<(String, Vec<u8>)>,
    volatile: Vec<(String, &'static str)>,
}

impl Transcript {
    /// Replaces `text` by `name` from now on.
    pub fn replace(&mut self, text: &str, name: &'static str) {
        self.volatile.push((text.to_owned(), name));
    }

    /// Adds an observation: its description `what`, and the bytes.
    pub fn add(&mut self, what: &str, bytes: &[u8]) {
        let bytes = match std::str::from_utf8(bytes) {
            Ok(text) => self.normalise(text).into_bytes(),
            Err(_) => bytes.to_vec(),
        };
        self.entries.push((self.normalise(what), bytes));
    }

    fn normalise(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (volatile, name) in &self.volatile {
            text = replaced(&text, volatile, name);
        }
        without_activation_directory(&text)
    }

    /// Describes the first difference from `other`; `None` if there is none.
    pub fn difference(&self, name: &str, other: &Transcript, other_name: &str) -> Option<String> {
        for ((what, bytes), (other_what, other_bytes)) in self.entries.iter().zip(&other.entries) {
            if what != other_what {
                return Some(format!("{name}: {what}\n{other_name}: {other_what}"));
            }
            if bytes != other_bytes {
                let difference = difference(name, bytes, other_name, other_bytes);
                return Some(format!("{what}\n{difference}"));
            }
        }
        let (mine, others) = (self.entries.len(), other.entries.len());
        (mine != others).then(|| format!("{name}: {mine} entries, {other_name}: {others}"))
    }

    /// Returns true if nothing was recorded: such a transcript would equal any
    /// other empty one.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Replaces `volatile` by `name` in `text`, except inside a longer number: the
/// digits of a port can occur in an offset, too.
fn replaced(text: &str, volatile: &str, name: &str) -> String {
    let is_digit = |byte: Option<u8>| byte.is_some_and(|it| it.is_ascii_digit());
    let mut result = String::new();
    let mut done = 0;
    for (at, _) in text.match_indices(volatile) {
        let end = at + volatile.len();
        let before = text[..at].bytes().next_back();
        let after = text[end..].bytes().next();
        let goes_on = is_digit(before) && is_digit(volatile.bytes().next())
            || is_digit(after) && is_digit(volatile.bytes().next_back());
        if !goes_on {
            result += &text[done..at];
            result += name;
            done = end;
        }
    }
    result + &text[done..]
}

/// Replaces the random name of the directory that the library makes for socket
/// activation.
fn without_activation_directory(text: &str) -> String {
    const PREFIX: &str = "/tmp/libnbd";
    const RANDOM: usize = 6;
    let mut parts = text.split(PREFIX);
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let name = part.bytes().take_while(u8::is_ascii_alphanumeric).count();
        result += PREFIX;
        result += match name {
            RANDOM => "XXXXXX",
            _ => &part[..name],
        };
        result += &part[name..];
    }
    result
}

/// Removes the explanation from an error message of the form `FUNCTION:
/// explanation: description of the errno`. Programs can rely on the first and
/// the last part. The explanation is human-readable and differs between libraries
/// and versions.
pub fn without_explanation(line: &str) -> String {
    const DESCRIPTIONS: &[&str] = &[
        "Connection refused",
        "File name too long",
        "Invalid argument",
        "No such file or directory",
        "Operation not permitted",
        "Operation not supported",
    ];
    let Some(function) = line.find("nbd_") else {
        return line.to_owned();
    };
    let Some(explanation) = line[function..].find(": ") else {
        return line.to_owned();
    };
    let (function, explanation) = line.split_at(function + explanation);
    let errno = DESCRIPTIONS.iter().find_map(|description| {
        let description = format!(": {description}");
        explanation.rfind(&description).map(|at| &explanation[at..])
    });
    format!("{function}: (explanation){}", errno.unwrap_or_default())
}

fn difference(name: &str, bytes: &[u8], other_name: &str, other: &[u8]) -> String {
    match (std::str::from_utf8(bytes), std::str::from_utf8(other)) {
        (Ok(text), Ok(other)) => differing_lines(name, text, other_name, other),
        _ => {
            let at = bytes.iter().zip(other).position(|(a, b)| a != b);
            let at = at.unwrap_or_else(|| bytes.len().min(other.len()));
            let (length, other_length) = (bytes.len(), other.len());
            format!(
                "{name}: {length} bytes, {other_name}: {other_length} bytes, \
                 first difference at byte {at}"
            )
        }
    }
}

/// Returns the lines that differ, in the style of diff.
fn differing_lines(name: &str, text: &str, other_name: &str, other: &str) -> String {
    const SHOWN: usize = 40;
    let (lines, others): (Vec<_>, Vec<_>) = (text.lines().collect(), other.lines().collect());
    let same = |(a, b): &(&&str, &&str)| a == b;
    let before = lines.iter().zip(&others).take_while(same).count();
    let (lines, others) = (&lines[before..], &others[before..]);
    let backwards = lines.iter().rev().zip(others.iter().rev());
    let after = backwards.take_while(same).count();
    let mut shown = edits(
        &lines[..lines.len() - after],
        &others[..others.len() - after],
    );
    let hidden = shown.len().saturating_sub(SHOWN);
    shown.truncate(SHOWN);
    if hidden > 0 {
        shown.push(format!("and {hidden} more"));
    }
    let shown = shown.join("\n    ");
    format!("- with the {name} library, + with the one {other_name}:\n    {shown}")
}

/// Returns the lines to remove and to add, around the longest common
/// subsequence.
pub fn edits(lines: &[&str], others: &[&str]) -> Vec<String> {
    // common[i][j]: number of lines that the tails from i and from j have in
    // common.
    let mut common = vec![vec![0_u32; others.len() + 1]; lines.len() + 1];
    for i in (0..lines.len()).rev() {
        for j in (0..others.len()).rev() {
            common[i][j] = match lines[i] == others[j] {
                true => common[i + 1][j + 1] + 1,
                false => common[i + 1][j].max(common[i][j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut edits = Vec::new();
    while i < lines.len() || j < others.len() {
        if i < lines.len() && j < others.len() && lines[i] == others[j] {
            (i, j) = (i + 1, j + 1);
        } else if j == others.len() || i < lines.len() && common[i + 1][j] >= common[i][j + 1] {
            edits.push(format!("- {}", lines[i]));
            i += 1;
        } else {
            edits.push(format!("+ {}", others[j]));
            j += 1;
        }
    }
    edits
}
