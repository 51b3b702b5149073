// SPDX-License-Identifier: LGPL-2.1-or-later

//! Errors: the last one of each thread, and the two functions that ask for it.
//!
//! An error stays until the next call of the same thread that fails: success
//! does not clear it, and it outlives the handle (libnbd(3), "ERROR HANDLING").

use std::borrow::Cow;
use std::ffi::CStr;
use std::mem::offset_of;
use std::ptr;

use libc::{c_char, c_int};

use crate::error::Error;
use crate::text::{shown, text};
use crate::thread_block::ThreadBlock;

/// The last error of each thread, a [`Last`].
static LAST: ThreadBlock = ThreadBlock::new();

/// An error, with the text up to its NUL in the same block.
#[repr(C)]
struct Last {
    errno: c_int,
    text: [c_char; 0],
}

/// Keeps the error of a call of `function` for this thread.
pub(super) fn keep(function: &CStr, error: &Error) {
    let text = text(function, error);
    // A server can put a NUL in what it says; what follows it cannot be shown.
    let text = text.split('\0').next().unwrap_or_default();
    let mut last = block(text, error.errno());
    if last.is_null() {
        let is_boundary = |end: &usize| text.is_char_boundary(*end);
        let end = (0..=SHORT.min(text.len())).rev().find(is_boundary);
        last = block(&text[..end.unwrap_or(0)], error.errno());
    }
    // SAFETY: null, or a new block of malloc.
    unsafe { LAST.replace(last.cast()) };
}

/// What is left of a text for which there is no memory, in bytes.
const SHORT: usize = 256;

/// A new block with this error, or null when memory is short.
fn block(text: &str, errno: c_int) -> *mut Last {
    let start = offset_of!(Last, text);
    // SAFETY: a block of malloc is aligned for any type and has room for the
    // errno, for the text after it, and for its NUL.
    unsafe {
        let last = libc::malloc(start + text.len() + 1).cast::<Last>();
        if !last.is_null() {
            (&raw mut (*last).errno).write(errno);
            let copy = last.byte_add(start).cast::<u8>();
            copy.copy_from_nonoverlapping(text.as_ptr(), text.len());
            copy.add(text.len()).write(0);
        }
        last
    }
}

/// The error as programs see it.
pub(super) fn text(function: &CStr, error: &Error) -> Cow<'static, str> {
    text!("{}: {error}", shown(function))
}

/// Returns the text of the last error of this thread.
///
/// A call that fails says so by its result; this tells why, in words that begin
/// with the name of the function that failed and end, where there is one, with
/// the system's text for the errno. Ask at once, in the thread that made the
/// call: each thread has its own last error, and the next call that fails
/// replaces it. A call that succeeds leaves it alone, so the result of this
/// function says nothing of whether a call failed.
///
/// # Result
///
/// The text, in UTF-8. It belongs to the library, which frees it when a later
/// libnbd call of this thread fails: copy it to keep it. NULL when no call of
/// this thread has failed yet. This function does not fail itself.
///
/// # Example
///
/// ```c
/// if (nbd_connect_unix (nbd, "/run/nbd.sock") == -1) {
///   if (nbd_get_errno () == ENOENT)
///     fprintf (stderr, "is the server running?\n");
///   fprintf (stderr, "%s\n", nbd_get_error ());
///   return -1;
/// }
/// ```
///
/// # See also
///
/// `nbd_get_errno`; libnbd(3), "ERROR HANDLING".
#[no_mangle]
pub unsafe extern "C" fn nbd_get_error() -> *const c_char {
    let last = LAST.get().cast::<Last>();
    if last.is_null() {
        return ptr::null();
    }
    last.wrapping_byte_add(offset_of!(Last, text)).cast()
}

/// Returns the errno of the last error of this thread.
///
/// The numbers are those of `<errno.h>`: that of the system call that failed,
/// or one of a few with a meaning of their own, such as `EINVAL` for arguments
/// or a state of the handle that do not allow the call, `EFAULT` for a pointer
/// that is NULL and may not be, `ERANGE` for a request that is too large, and
/// `ENOTSUP` for what this build cannot do. A command that the server refuses
/// has the errno that the server gave.
///
/// # Result
///
/// The errno, or 0 when no call of this thread has failed yet, or none fits the
/// error: 0 does not mean that there was no error. This function does not fail
/// itself.
///
/// # See also
///
/// `nbd_get_error`; libnbd(3), "ERROR HANDLING".
#[no_mangle]
pub unsafe extern "C" fn nbd_get_errno() -> c_int {
    let last = LAST.get().cast::<Last>();
    // SAFETY: null, or a block that `keep` made and only this thread frees.
    unsafe { last.as_ref() }.map_or(0, |last| last.errno)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last_text() -> Option<String> {
        // SAFETY: no call of this thread fails meanwhile, so the text stays.
        unsafe {
            let text = nbd_get_error();
            (!text.is_null()).then(|| CStr::from_ptr(text).to_str().unwrap().into())
        }
    }

    #[test]
    fn each_thread_has_its_own() {
        keep(c"nbd_pread", &Error::new(libc::EINVAL, "no such thing"));
        assert_eq!(
            last_text().unwrap(),
            "nbd_pread: no such thing: Invalid argument"
        );
        // SAFETY: always allowed.
        assert_eq!(unsafe { nbd_get_errno() }, libc::EINVAL);
        std::thread::spawn(|| {
            assert_eq!(last_text(), None);
            // SAFETY: always allowed.
            assert_eq!(unsafe { nbd_get_errno() }, 0);
        })
        .join()
        .unwrap();
    }

    #[test]
    fn the_next_error_replaces_it() {
        keep(c"nbd_trim", &Error::new(libc::EIO, "first"));
        keep(c"nbd_zero", &Error::new(0, "second\0hidden"));
        assert_eq!(last_text().unwrap(), "nbd_zero: second");
        // SAFETY: always allowed.
        assert_eq!(unsafe { nbd_get_errno() }, 0);
    }
}
