// SPDX-License-Identifier: LGPL-2.1-or-later

//! Results of calls in C, and in the debug message at the end of a call.

use std::ffi::{CStr, CString};
use std::fmt;
use std::ptr;

use libc::{c_char, c_int, size_t, ssize_t};

use super::trace::Quoted;
use crate::error::Error;

/// A result that can be returned to a C program.
pub(super) trait Outcome {
    /// The type in C.
    type C;

    /// The result of a failed call.
    const FAILED: Self::C;

    /// Converts the value to C. Only a result that needs memory can fail.
    fn to_c(&self) -> Result<Self::C, Error>;

    /// Displays the value in a debug message.
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

/// The cookie of a command.
pub(super) struct Cookie(pub u64);

/// A counter; no value is reserved for errors.
pub(super) struct Counter(pub u64);

/// A bit mask; no value is reserved for errors.
pub(super) struct Bits(pub u32);

/// The number that the program has stored in its handle.
pub(super) struct PrivateData(pub usize);

/// Implements `Outcome` for numbers.
macro_rules! number {
    ($outcome:ty, $c:ty, $failed:expr, |$value:ident| $to_c:expr) => {
        impl Outcome for $outcome {
            type C = $c;

            const FAILED: $c = $failed;

            fn to_c(&self) -> Result<$c, Error> {
                let $value = self;
                Ok($to_c)
            }

            fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let $value = self;
                let c: $c = $to_c;
                write!(f, "{c}")
            }
        }
    };
}

number!((), c_int, -1, |_done| 0);
number!(bool, c_int, -1, |value| c_int::from(*value));
number!(c_int, c_int, -1, |value| *value);
number!(i64, i64, -1, |value| *value);
// Cookies are counted from 1, and sizes are those of objects in memory: neither gets so large
// that it would be negative in C.
number!(Cookie, i64, -1, |cookie| cookie.0 as i64);
number!(size_t, ssize_t, -1, |size| *size as ssize_t);
number!(Counter, u64, 0, |counter| counter.0);
number!(Bits, u32, 0, |bits| bits.0);
number!(PrivateData, usize, 0, |data| data.0);

/// A string that the caller must free.
impl Outcome for CString {
    type C = *mut c_char;

    const FAILED: *mut c_char = ptr::null_mut();

    fn to_c(&self) -> Result<*mut c_char, Error> {
        // SAFETY: a `CString` ends in NUL. The copy comes from malloc, so the caller can free it.
        let copy = unsafe { libc::strdup(self.as_ptr()) };
        if copy.is_null() {
            return Err(Error::new(libc::ENOMEM, "strdup"));
        }
        Ok(copy)
    }

    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Quoted(self.as_bytes()))
    }
}

/// A string that stays valid.
impl Outcome for &'static CStr {
    type C = *const c_char;

    const FAILED: *const c_char = ptr::null();

    fn to_c(&self) -> Result<*const c_char, Error> {
        Ok(self.as_ptr())
    }

    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_string_lossy())
    }
}
