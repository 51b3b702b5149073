// SPDX-License-Identifier: LGPL-2.1-or-later

//! Errors: the last error of each thread.
//!
//! An error is kept until the next call of the same thread that fails. A successful
//! call does not clear it, and it outlives the handle (libnbd(3), "ERROR HANDLING").

use std::borrow::Cow;
use std::ffi::CStr;
use std::mem::offset_of;
use std::ptr;

use libc::{c_char, c_int};

use crate::error::Error;
use crate::text::{shown, text};
use crate::thread_block::ThreadBlock;

/// The last error of each thread, a [`LastError`].
static LAST: ThreadBlock = ThreadBlock::new();

/// An error, followed in the same block by its NUL-terminated text.
#[repr(C)]
struct LastError {
    errno: c_int,
    text: [c_char; 0],
}

/// Stores the error of a call of `function` for this thread.
pub(super) fn store(function: &CStr, error: &Error) {
    let text = text(function, error);
    // A message of the server can contain a NUL, which ends a C string.
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

/// Length in bytes to which a text is shortened when memory is short.
const SHORT: usize = 256;

/// Returns a new block with this error, or null if memory is short.
fn block(text: &str, errno: c_int) -> *mut LastError {
    let start = offset_of!(LastError, text);
    // SAFETY: a block of malloc is aligned for any type and has room for the
    // errno, for the text after it, and for its NUL.
    unsafe {
        let last = libc::malloc(start + text.len() + 1).cast::<LastError>();
        if !last.is_null() {
            (&raw mut (*last).errno).write(errno);
            let copy = last.byte_add(start).cast::<u8>();
            copy.copy_from_nonoverlapping(text.as_ptr(), text.len());
            copy.add(text.len()).write(0);
        }
        last
    }
}

/// Returns the error message for programs.
pub(super) fn text(function: &CStr, error: &Error) -> Cow<'static, str> {
    text!("{}: {error}", shown(function))
}

/// Returns the message of the last error in this thread.
///
/// Call it after a function has failed, in the same thread and before any other
/// call. The message begins with the name of the function that failed. If the error
/// has an errno, it ends with the text for that errno.
///
/// Successful calls do not clear the error. To find out whether a call failed, check
/// its return value.
///
/// # Result
///
/// The message in UTF-8, or NULL if no call in this thread has failed. It belongs to
/// the library and is valid until the next call in this thread that fails: copy it
/// to keep it. This function does not fail.
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
    let last = LAST.get().cast::<LastError>();
    if last.is_null() {
        return ptr::null();
    }
    last.wrapping_byte_add(offset_of!(LastError, text)).cast()
}

/// Returns the errno of the last error in this thread.
///
/// Use it if the program has to distinguish errors; `nbd_get_error` returns a
/// human-readable message. The value is the errno of a failed system call, an error
/// that the server replied with, or one of those in libnbd(3), "ERROR HANDLING".
///
/// Successful calls do not clear the error. To find out whether a call failed, check
/// its return value.
///
/// # Result
///
/// The errno; 0 if no call in this thread has failed, or if the last error has no
/// errno. This function does not fail.
///
/// # See also
///
/// `nbd_get_error`; libnbd(3), "ERROR HANDLING".
#[no_mangle]
pub unsafe extern "C" fn nbd_get_errno() -> c_int {
    let last = LAST.get().cast::<LastError>();
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
        store(c"nbd_pread", &Error::new(libc::EINVAL, "no such thing"));
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
        store(c"nbd_trim", &Error::new(libc::EIO, "first"));
        store(c"nbd_zero", &Error::new(0, "second\0hidden"));
        assert_eq!(last_text().unwrap(), "nbd_zero: second");
        // SAFETY: always allowed.
        assert_eq!(unsafe { nbd_get_errno() }, 0);
    }
}
