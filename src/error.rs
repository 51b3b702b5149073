// SPDX-License-Identifier: LGPL-2.1-or-later

//! The error type of the library.

#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::fmt;
use std::io::ErrorKind;

use libc::c_int;

use crate::text::text;

/// The failure of a call: a human-readable message, and an errno for the program.
///
/// The message says what failed, for example which system call on which file. The name of the API
/// function and the system's text for the errno are added when the program gets the error
/// (libnbd(3), "Error handling").
#[derive(Debug, PartialEq, Eq)]
pub struct Error {
    message: Cow<'static, str>,
    errno: c_int,
}

impl Error {
    /// Makes an error of the library. `errno` is 0 if no errno fits.
    pub fn new(errno: c_int, message: impl Into<Cow<'static, str>>) -> Self {
        Error {
            message: message.into(),
            errno,
        }
    }

    /// Makes the error of a failed system call: `what` names the call and its object.
    pub fn system(what: impl Into<Cow<'static, str>>, cause: &std::io::Error) -> Self {
        let errno = match cause.kind() {
            ErrorKind::OutOfMemory => libc::ENOMEM,
            _ => cause.raw_os_error().unwrap_or(libc::EIO),
        };
        Error::new(errno, what)
    }

    /// Makes the error of the last failed system call of this thread.
    pub fn last_os(what: impl Into<Cow<'static, str>>) -> Self {
        Error::system(what, &std::io::Error::last_os_error())
    }

    /// Returns the errno, or 0 if none fits.
    pub fn errno(&self) -> c_int {
        self.errno
    }

    /// Returns the message, without the function's name and the errno's text.
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// Without memory, a copy may lose the end of a long message.
impl Clone for Error {
    fn clone(&self) -> Self {
        let message = match &self.message {
            Cow::Borrowed(message) => (*message).into(),
            Cow::Owned(message) => text!("{message}"),
        };
        Error::new(self.errno, message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.errno == 0 {
            return f.write_str(&self.message);
        }
        let system = std::io::Error::from_raw_os_error(self.errno).to_string();
        let suffix = format!(" (os error {})", self.errno);
        let text = system.trim_end_matches(&suffix);
        write!(f, "{}: {}", self.message, text)
    }
}

impl std::error::Error for Error {}
