// SPDX-License-Identifier: LGPL-2.1-or-later

//! Pieces of a URI as C strings.

use std::ffi::CString;

use iri_string::percent_encode::decode::decode_whatwg_bytes;

use crate::error::Error;

/// A number in decimal digits.
pub(super) fn decimal(number: u32) -> CString {
    CString::new(number.to_string()).expect("digits are no NUL bytes")
}

/// Decodes `%xx`. The result is for C programs, so it cannot hold a NUL byte.
pub(super) fn decode(text: &str) -> Result<CString, Error> {
    let bytes = decode_whatwg_bytes(text.as_bytes()).into_bytes();
    CString::new(bytes).map_err(|_| Error::new(libc::EINVAL, "URI contains a NUL byte (%00)"))
}
