// SPDX-License-Identifier: LGPL-2.1-or-later

//! Pre-shared keys, from the file that psktool(1) writes: a line for each
//! user, `name:key`, the key in hexadecimal.

use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::error::Error;

/// The key of `username`, still in hexadecimal.
pub(super) fn read_key(file: &CStr, username: &CStr) -> Result<Vec<u8>, Error> {
    let path = Path::new(OsStr::from_bytes(file.to_bytes()));
    let shown = path.display();
    let contents = std::fs::read(path)
        .map_err(|error| Error::system(format!("cannot read the PSK file {shown}"), &error))?;
    find_key(&contents, username.to_bytes()).ok_or_else(|| {
        let name = username.to_string_lossy();
        let what = format!("the PSK file {shown} has no key for the user {name}");
        Error::new(libc::EINVAL, what)
    })
}

fn find_key(contents: &[u8], username: &[u8]) -> Option<Vec<u8>> {
    contents.split(|&byte| byte == b'\n').find_map(|line| {
        let key = line.strip_prefix(username)?.strip_prefix(b":")?;
        Some(key.trim_ascii_end().to_vec())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &[u8] = b"# comment\nalice:0102\nal:03\r\nbob:0405";

    #[test]
    fn the_key_of_exactly_that_user_is_found() {
        assert_eq!(find_key(KEYS, b"alice").unwrap(), b"0102");
        assert_eq!(find_key(KEYS, b"al").unwrap(), b"03");
        assert_eq!(find_key(KEYS, b"bob").unwrap(), b"0405");
    }

    #[test]
    fn a_user_without_a_line_has_no_key() {
        assert_eq!(find_key(KEYS, b"ali"), None);
        assert_eq!(find_key(KEYS, b"carol"), None);
        assert_eq!(find_key(KEYS, b""), None);
        assert_eq!(find_key(b"", b"alice"), None);
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = read_key(c"/nonexistent/keys.psk", c"alice").unwrap_err();
        assert_eq!(error.errno(), libc::ENOENT);
        assert!(error.message().contains("/nonexistent/keys.psk"));
    }
}
