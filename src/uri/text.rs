// SPDX-License-Identifier: LGPL-2.1-or-later

//! Conversion of parts of a URI to C strings.

use std::ffi::CString;

use crate::error::Error;
use crate::memory;

/// Formats a decimal number.
pub(super) fn decimal(number: u32) -> CString {
    CString::new(number.to_string()).expect("digits are no NUL bytes")
}

/// Decodes `%xx`. The result is a C string, so `%00` is an error.
pub(super) fn decode(text: &str) -> Result<CString, Error> {
    // The result is not longer than the text.
    let mut bytes = memory::concat(&[text.as_bytes()], 1)?;
    bytes.clear();
    let mut left = text.as_bytes();
    while let [byte, after @ ..] = left {
        let (byte, after) = match after {
            [high, low, after @ ..] if *byte == b'%' => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, after),
                _ => (*byte, &left[1..]),
            },
            _ => (*byte, after),
        };
        bytes.push(byte);
        left = after;
    }
    if bytes.contains(&0) {
        let what = "URI contains a NUL byte (%00)";
        return Err(Error::new(libc::EINVAL, what));
    }
    Ok(memory::c_string(&[&bytes])?)
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}
