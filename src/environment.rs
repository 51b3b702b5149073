// SPDX-License-Identifier: LGPL-2.1-or-later

//! The environment of the process, without the functions of the standard library, which abort
//! when out of memory.

use std::ffi::{c_char, CStr, CString};

use crate::memory::{self, NoMemory};

extern "C" {
    static environ: *const *const c_char;
}

/// Returns a copy of the value of a variable.
pub fn variable(name: &CStr) -> Result<Option<CString>, NoMemory> {
    // SAFETY: the name is a C string. The value is NULL or a C string, valid until a thread of
    // the program changes it. A program with several threads must not do that (setenv(3)).
    let value = unsafe {
        let value = libc::getenv(name.as_ptr());
        (!value.is_null()).then(|| CStr::from_ptr(value))
    };
    memory::copy_option(value)
}

/// Returns copies of the entries `NAME=VALUE` with a wanted name.
pub fn entries(is_wanted: impl Fn(&[u8]) -> bool) -> Result<Vec<CString>, NoMemory> {
    let mut entries = Vec::new();
    // SAFETY: NULL, or an array of C strings that ends in NULL. These stay valid as explained
    // above.
    unsafe {
        let mut next = environ;
        while !next.is_null() && !(*next).is_null() {
            let entry = CStr::from_ptr(*next);
            next = next.add(1);
            // A name has at least one character, which may be "=".
            let name = entry
                .to_bytes()
                .iter()
                .skip(1)
                .position(|&byte| byte == b'=');
            if name.is_some_and(|end| is_wanted(&entry.to_bytes()[..end + 1])) {
                memory::push(&mut entries, memory::copy(entry)?)?;
            }
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_match_the_standard_library() {
        let path = std::env::var_os("PATH").map(std::os::unix::ffi::OsStringExt::into_vec);
        let found = variable(c"PATH").unwrap().map(CString::into_bytes);
        assert_eq!(found, path);
        assert_eq!(variable(c"THERE_IS_NO_SUCH_VARIABLE"), Ok(None));
        let all = entries(|_| true).unwrap();
        assert_eq!(all.len(), std::env::vars_os().count());
        let others = entries(|name| name != b"PATH").unwrap();
        assert_eq!(others.len(), all.len() - usize::from(path.is_some()));
    }
}
