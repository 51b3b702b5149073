// SPDX-License-Identifier: LGPL-2.1-or-later

//! Texts of errors and debug messages. Long ones are truncated when out of memory.

#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::ffi::CStr;
use std::fmt::{self, Write};

/// Like `format!`, but truncates the text when out of memory.
macro_rules! text {
    ($($argument:tt)*) => {
        $crate::text::message(format_args!($($argument)*))
    };
}
pub(crate) use text;

/// Formats the text of an error or a debug message.
pub fn message(text: fmt::Arguments<'_>) -> Cow<'static, str> {
    match text.as_str() {
        Some(text) => text.into(),
        None => Cut::new(text).0.into(),
    }
}

/// Formats a text, possibly truncated, and appends `end`.
pub fn ended(text: fmt::Arguments<'_>, end: char) -> String {
    debug_assert!(end.is_ascii());
    let mut text = Cut::new(text).0;
    text.push(end);
    text
}

/// A text, truncated when out of memory, with spare capacity for one byte.
struct Cut(String);

impl Cut {
    fn new(text: fmt::Arguments<'_>) -> Cut {
        let mut cut = Cut(String::new());
        // `write_str` fails when out of memory; the text ends there.
        let _ = cut.write_fmt(text);
        cut
    }
}

impl Write for Cut {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        self.0.try_reserve(more.len() + 1).map_err(|_| fmt::Error)?;
        self.0.push_str(more);
        Ok(())
    }
}

/// Displays bytes that should be UTF-8.
pub struct Lossy<'a>(pub &'a [u8]);

impl fmt::Display for Lossy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            f.write_str(chunk.valid())?;
            if !chunk.invalid().is_empty() {
                f.write_char(char::REPLACEMENT_CHARACTER)?;
            }
        }
        Ok(())
    }
}

/// Displays the output of a function, like `std::fmt::from_fn`, which is newer than the oldest
/// supported Rust.
pub struct Written<F>(pub F);

impl<F: Fn(&mut fmt::Formatter<'_>) -> fmt::Result> fmt::Display for Written<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.0)(f)
    }
}

/// Displays a C string that should be UTF-8.
pub fn shown(text: &CStr) -> Lossy<'_> {
    Lossy(text.to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_match_format() {
        assert_eq!(text!("plain"), "plain");
        assert!(matches!(text!("plain"), Cow::Borrowed(_)));
        assert_eq!(text!("{} of {:?}", 1, "two"), "1 of \"two\"");
        assert_eq!(ended(format_args!("line {}", 1), '\n'), "line 1\n");
        assert_eq!(ended(format_args!(""), '\0'), "\0");
    }

    #[test]
    fn invalid_utf8_is_replaced() {
        for bytes in [&b"a\xffb"[..], b"", b"\xc3\xa4\xe2\x82", b"\xf0\x9fx"] {
            assert_eq!(Lossy(bytes).to_string(), String::from_utf8_lossy(bytes));
        }
        assert_eq!(shown(c"name").to_string(), "name");
    }
}
