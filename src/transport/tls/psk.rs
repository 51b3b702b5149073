// SPDX-License-Identifier: LGPL-2.1-or-later

//! Pre-shared keys, in the file format of psktool(1): one line `name:key` for each user, with the
//! key in hexadecimal.

use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::FromRawFd;

use crate::error::Error;
use crate::memory;
use crate::text::{shown, text};

/// Returns the key of `username`, in hexadecimal.
pub(super) fn read_key(file: &CStr, username: &CStr) -> Result<Vec<u8>, Error> {
    let path = shown(file);
    let contents = read(file)
        .map_err(|error| Error::system(text!("cannot read the PSK file {path}"), &error))?;
    let Some(key) = find_key(&contents, username.to_bytes()) else {
        let name = shown(username);
        let what = text!("the PSK file {path} has no key for the user {name}");
        return Err(Error::new(libc::EINVAL, what));
    };
    Ok(memory::concat(&[key], 0)?)
}

/// Reads a file. [`std::fs::read`] would copy a long path.
fn read(file: &CStr) -> io::Result<Vec<u8>> {
    // SAFETY: the path is a C string.
    let fd = unsafe { libc::open(file.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was just made and has no other owner.
    let mut file = unsafe { File::from_raw_fd(fd) };
    let mut contents = Vec::new();
    file.read_to_end(&mut contents)?;
    Ok(contents)
}

fn find_key<'a>(contents: &'a [u8], username: &[u8]) -> Option<&'a [u8]> {
    let mut lines = contents.split(|&byte| byte == b'\n');
    let key = lines.find_map(|line| {
        let key = line.strip_prefix(username)?.strip_prefix(b":")?;
        Some(key.trim_ascii_end())
    });
    key.filter(|key| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;
    use std::os::unix::ffi::OsStrExt;

    use super::super::scratch::Scratch;
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
    fn a_name_ends_at_the_colon_after_all_of_it() {
        // RFC 4279 allows colons in identities.
        let keys = b"a:b:0a0b\nab:0c0d\n";
        assert_eq!(find_key(keys, b"a:b").unwrap(), b"0a0b");
        assert_eq!(find_key(keys, b"ab").unwrap(), b"0c0d");
        assert_eq!(find_key(keys, b"a:"), None);
        assert_eq!(find_key(keys, b"b"), None);
    }

    #[test]
    fn lines_of_other_forms_are_passed_over() {
        let keys = b"\n:\nalice\n alice:01\n#alice:02\nALICE:03\r\n\xff\xfe:04\nalice:05";
        assert_eq!(find_key(keys, b"alice").unwrap(), b"05");
        assert_eq!(find_key(keys, b"\xff\xfe").unwrap(), b"04");
    }

    #[test]
    fn the_first_key_of_a_user_counts() {
        assert_eq!(find_key(b"al:01\nal:02\n", b"al").unwrap(), b"01");
        // The first entry counts, even if it is invalid.
        assert_eq!(find_key(b"al:xyz\nal:02\n", b"al").unwrap(), b"xyz");
    }

    #[test]
    fn white_space_after_a_key_is_no_part_of_it() {
        assert_eq!(find_key(b"al:AbCd \t\r\n", b"al").unwrap(), b"AbCd");
        assert_eq!(find_key(b"al: 01\n", b"al").unwrap(), b" 01");
    }

    #[test]
    fn an_empty_key_is_none() {
        for line in [&b"al:"[..], b"al:\n", b"al:\r\n", b"al: \nal:01"] {
            assert_eq!(find_key(line, b"al"), None);
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = read_key(c"/nonexistent/keys.psk", c"alice").unwrap_err();
        assert_eq!(error.errno(), libc::ENOENT);
        assert!(error.message().contains("/nonexistent/keys.psk"));
    }

    #[test]
    fn a_missing_user_names_the_file_and_no_keys() {
        let directory = Scratch::new();
        let path = directory.path().join("keys.psk");
        std::fs::write(&path, "alice:c0ffee\ncarol\n").unwrap();
        let file = CString::new(path.as_os_str().as_bytes()).unwrap();
        assert_eq!(read_key(&file, c"alice").unwrap(), b"c0ffee");
        for user in [c"bob", c"carol"] {
            let error = read_key(&file, user).unwrap_err();
            assert_eq!(error.errno(), libc::EINVAL);
            let message = error.message();
            assert!(message.contains(path.to_str().unwrap()), "{message}");
            assert!(message.contains(user.to_str().unwrap()), "{message}");
            assert!(!message.contains("c0ffee"), "{message}");
        }
    }

    #[test]
    fn a_directory_is_no_file_of_keys() {
        let error = read_key(c"/", c"alice").unwrap_err();
        assert_eq!(error.errno(), libc::EISDIR);
    }
}
