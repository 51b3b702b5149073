// SPDX-License-Identifier: LGPL-2.1-or-later

//! Arguments of a call: their checks, and their text in debug messages, which is only made when
//! needed.

use std::ffi::{CStr, CString};
use std::fmt;
use std::marker::PhantomData;
use std::slice;

use libc::{c_char, c_int, sockaddr, sockaddr_storage, socklen_t};

use crate::error::Error;
use crate::handle::buffer::{Memory, ReadBuffer, Vector, WriteBuffer};
use crate::handle::callback::{
    nbd_chunk_callback, nbd_completion_callback, nbd_context_callback, nbd_debug_callback,
    nbd_extent64_callback, nbd_extent_callback, nbd_list_callback,
};
use crate::memory;

/// The maximum number of bytes of a string or buffer shown in a debug message.
const MAX_SHOWN: usize = 512;

/// A string from the program, or NULL.
#[derive(Clone, Copy)]
pub(super) struct Text<'a>(Option<&'a CStr>);

impl<'a> Text<'a> {
    /// Wraps a string from the program.
    ///
    /// # Safety
    ///
    /// `start` must be NULL, or a string that is valid and unchanged for `'a`.
    pub unsafe fn new(start: *const c_char) -> Self {
        // SAFETY: not NULL, so it is a string by the contract of this function.
        Text((!start.is_null()).then(|| unsafe { CStr::from_ptr(start) }))
    }

    /// Returns the string; empty for NULL, which calls have been checked for.
    pub fn get(self) -> &'a CStr {
        self.0.unwrap_or_default()
    }
}

/// A NULL-terminated list of strings from the program, or NULL.
#[derive(Clone, Copy)]
pub(super) struct Strings<'a> {
    first: *const *const c_char,
    lifetime: PhantomData<&'a CStr>,
}

impl<'a> Strings<'a> {
    /// Wraps a list of strings from the program.
    ///
    /// # Safety
    ///
    /// `first` must be NULL, or point to an array of strings that ends in NULL. Array and strings
    /// must be valid and unchanged for `'a`.
    pub unsafe fn new(first: *mut *mut c_char) -> Self {
        Strings {
            first: first.cast_const().cast(),
            lifetime: PhantomData,
        }
    }

    /// Returns copies of the strings; none for NULL, which calls have been checked for.
    pub fn get(self) -> Result<Vec<CString>, Error> {
        Ok(memory::collect(self.iter().map(memory::copy))?)
    }

    fn iter(self) -> impl Iterator<Item = &'a CStr> {
        let mut next = self.first;
        std::iter::from_fn(move || {
            if next.is_null() {
                return None;
            }
            // SAFETY: `next` is in the array: this stops at the NULL at its end.
            let string = unsafe { *next };
            if string.is_null() {
                return None;
            }
            next = next.wrapping_add(1);
            // SAFETY: elements before the NULL at the end are strings.
            Some(unsafe { CStr::from_ptr(string) })
        })
    }
}

/// A bit mask, which debug messages show in hexadecimal.
pub(super) struct Mask(pub u32);

/// The bytes of a socket address, or NULL.
#[derive(Clone, Copy)]
pub(super) struct Address<'a>(Option<&'a [u8]>);

impl<'a> Address<'a> {
    /// Wraps a socket address from the program. If it is longer than any address, only one byte
    /// beyond the maximum length is kept.
    ///
    /// # Safety
    ///
    /// `start` must be NULL, or valid for reading `len` bytes that are unchanged for `'a`.
    pub unsafe fn new(start: *const sockaddr, len: socklen_t) -> Self {
        let len = (len as usize).min(size_of::<sockaddr_storage>() + 1);
        // SAFETY: not NULL, so the bytes are valid by the contract of this function.
        Address((!start.is_null()).then(|| unsafe { slice::from_raw_parts(start.cast(), len) }))
    }

    /// Returns the bytes; none for NULL, which calls have been checked for.
    pub fn get(self) -> &'a [u8] {
        self.0.unwrap_or_default()
    }
}

/// A number that the call returns through a pointer, which may be NULL.
#[derive(Clone, Copy)]
pub(super) struct Out<'a> {
    place: *mut c_int,
    lifetime: PhantomData<&'a mut c_int>,
}

impl Out<'_> {
    /// Wraps a pointer from the program.
    ///
    /// # Safety
    ///
    /// `place` must be NULL, or valid for writing for `'a`.
    pub unsafe fn new(place: *mut c_int) -> Self {
        Out {
            place,
            lifetime: PhantomData,
        }
    }

    /// Stores the number; does nothing for NULL, which calls have been checked for.
    pub fn put(self, value: c_int) {
        if !self.place.is_null() {
            // SAFETY: not NULL, so it is valid by the contract of `new`.
            unsafe { self.place.write(value) };
        }
    }
}

/// An argument of a call: the name of the parameter, and its value.
pub(super) type Argument<'a> = (&'static str, Value<'a>);

/// The value of an argument.
pub(super) enum Value<'a> {
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Mask(u32),
    Text(Option<&'a CStr>),
    Strings(Strings<'a>),
    Data(WriteBuffer),
    Pointer { shown: &'static str, is_null: bool },
    Callback { optional: bool, is_null: bool },
}

impl Value<'_> {
    /// Returns true for a required callback that is empty. Only completion callbacks are
    /// optional. A callback without a function is not empty if it has a `free` function: the
    /// program then only wants to know when the data is no longer used (libnbd(3), "CALLBACKS").
    pub fn is_missing_callback(&self) -> bool {
        matches!(
            self,
            Value::Callback {
                optional: false,
                is_null: true
            }
        )
    }

    /// Returns true for a NULL pointer.
    pub fn is_null(&self) -> bool {
        match self {
            Value::Text(text) => text.is_none(),
            Value::Strings(strings) => strings.first.is_null(),
            Value::Data(buffer) => buffer.is_null(),
            Value::Pointer { is_null, .. } | Value::Callback { is_null, .. } => *is_null,
            Value::Bool(_) | Value::Signed(_) | Value::Unsigned(_) | Value::Mask(_) => false,
        }
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Reversed, as in libnbd 1.24.4.
            Value::Callback {
                optional: true,
                is_null,
            } => f.write_str(if *is_null { "<fun>" } else { "NULL" }),
            _ if self.is_null() => f.write_str("NULL"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Signed(value) => write!(f, "{value}"),
            Value::Unsigned(value) => write!(f, "{value}"),
            Value::Mask(value) => write!(f, "{value:#x}"),
            Value::Text(text) => write!(f, "{}", Quoted(text.unwrap_or_default().to_bytes())),
            Value::Strings(strings) => {
                f.write_str("[")?;
                for (index, string) in strings.iter().enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    write!(f, "{separator}{}", Quoted(string.to_bytes()))?;
                }
                f.write_str("]")
            }
            Value::Data(buffer) => write!(f, "{}", Dump(*buffer)),
            Value::Pointer { shown, .. } => f.write_str(shown),
            Value::Callback { .. } => f.write_str("<fun>"),
        }
    }
}

/// Makes the error for a NULL pointer.
pub(super) fn null(name: &str) -> Error {
    Error::new(libc::EFAULT, format!("{name} cannot be NULL"))
}

/// Displays a string in quotes, with escapes that keep it on one line.
pub(super) struct Quoted<'a>(pub &'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for &byte in self.0.iter().take(MAX_SHOWN) {
            match byte {
                b' '..=b'~' => write!(f, "{}", char::from(byte))?,
                _ => write!(f, "\\x{byte:02x}")?,
            }
        }
        if let Some(left @ 1..) = self.0.len().checked_sub(MAX_SHOWN) {
            write!(f, "[... {left} more bytes truncated ...]")?;
        }
        f.write_str("\"")
    }
}

/// Displays the first bytes of a buffer, sixteen on a line, as numbers and as characters.
struct Dump(WriteBuffer);

impl fmt::Display for Dump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\"")?;
        for (index, line) in self.0.head(MAX_SHOWN).chunks(16).enumerate() {
            let numbers: String = line.iter().map(|byte| format!("{byte:02x} ")).collect();
            let characters: String = line
                .iter()
                .map(|&byte| match byte {
                    b' '..=b'~' => char::from(byte),
                    _ => '.',
                })
                .collect();
            writeln!(f, "{:04x}: {numbers:<48}|{characters:<16}|", index * 16)?;
        }
        if let Some(left @ 1..) = self.0.len().checked_sub(MAX_SHOWN) {
            writeln!(f, "[... {left} more bytes truncated ...]")?;
        }
        f.write_str("\"")
    }
}

macro_rules! value_from {
    ($($given:ty => |$value:ident| $made:expr;)*) => {$(
        impl<'a> From<$given> for Value<'a> {
            fn from($value: $given) -> Self {
                $made
            }
        }
    )*};
}

value_from! {
    bool => |value| Value::Bool(value);
    i32 => |value| Value::Signed(value.into());
    u32 => |value| Value::Unsigned(value.into());
    u64 => |value| Value::Unsigned(value);
    usize => |value| Value::Unsigned(value as u64);
    Mask => |mask| Value::Mask(mask.0);
    Text<'a> => |text| Value::Text(text.0);
    Strings<'a> => |strings| Value::Strings(strings);
    WriteBuffer => |buffer| Value::Data(buffer);
    &ReadBuffer => |buffer| Value::Pointer { shown: "<buf>", is_null: buffer.is_null() };
    Out<'a> => |it| Value::Pointer { shown: "<int>", is_null: it.place.is_null() };
    Address<'a> => |address| Value::Pointer { shown: "<sockaddr>", is_null: address.0.is_none() };
    &nbd_chunk_callback => |it| Value::Callback { optional: false, is_null: it.is_null() };
    &nbd_completion_callback => |it| Value::Callback { optional: true, is_null: it.is_null() };
    &nbd_context_callback => |it| Value::Callback { optional: false, is_null: it.is_null() };
    &nbd_debug_callback => |it| Value::Callback { optional: false, is_null: it.is_null() };
    &nbd_extent64_callback => |it| Value::Callback { optional: false, is_null: it.is_null() };
    &nbd_extent_callback => |it| Value::Callback { optional: false, is_null: it.is_null() };
    &nbd_list_callback => |it| Value::Callback { optional: false, is_null: it.is_null() };
}

impl<B: Memory> From<Vector<'_, B>> for Value<'_> {
    fn from(vector: Vector<'_, B>) -> Self {
        Value::Pointer {
            shown: "<iov>",
            is_null: vector.is_null(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown<'a>(value: impl Into<Value<'a>>) -> String {
        value.into().to_string()
    }

    #[test]
    fn values_are_shown_as_programs_know_them() {
        assert_eq!(shown(true), "true");
        assert_eq!(shown(-1), "-1");
        assert_eq!(shown(u64::MAX), "18446744073709551615");
        assert_eq!(shown(Mask(0x7f)), "0x7f");
        // SAFETY: a string, and NULL.
        let texts = unsafe {
            [
                Text::new(c"a \"b\"\n\xff".as_ptr()),
                Text::new(std::ptr::null()),
            ]
        };
        assert_eq!(texts.map(shown), [r#""a "b"\x0a\xff""#, "NULL"]);
        // The same as libnbd 1.24.4.
        assert_eq!(shown(&nbd_completion_callback::null()), "<fun>");
        assert_eq!(shown(Address(Some(&[]))), "<sockaddr>");
    }

    #[test]
    fn lists_end_with_null() {
        let mut strings = [c"a b", c""]
            .map(|string| string.as_ptr().cast_mut())
            .to_vec();
        strings.push(std::ptr::null_mut());
        // SAFETY: an array of strings, then NULL; and NULL.
        let (list, null) = unsafe {
            (
                Strings::new(strings.as_mut_ptr()),
                Strings::new(std::ptr::null_mut()),
            )
        };
        assert_eq!(list.get(), Ok(vec![c"a b".to_owned(), c"".to_owned()]));
        assert_eq!(shown(list), r#"["a b", ""]"#);
        assert_eq!(null.get(), Ok(Vec::new()));
        assert_eq!(shown(null), "NULL");
    }

    #[test]
    fn long_strings_are_cut() {
        let text = CString::new(vec![b'a'; MAX_SHOWN + 3]).unwrap();
        let expected = format!(
            "\"{}[... 3 more bytes truncated ...]\"",
            "a".repeat(MAX_SHOWN)
        );
        assert_eq!(Quoted(text.as_bytes()).to_string(), expected);
    }

    #[test]
    fn data_is_shown_as_numbers_and_characters() {
        let data = *b"0123456789abcdef\0z";
        // SAFETY: the bytes are valid and are not changed.
        let buffer = unsafe { WriteBuffer::new(data.as_ptr().cast(), data.len()) };
        let expected = "\"\n\
            0000: 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66 |0123456789abcdef|\n\
            0010: 00 7a                                           |.z              |\n\
            \"";
        assert_eq!(shown(buffer), expected);
    }
}
