// SPDX-License-Identifier: LGPL-2.1-or-later

//! What every fallible call of the library returns when it fails.

#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::fmt;
use std::io::ErrorKind;

use libc::c_int;

use crate::text::text;

/// Why a call failed: in words for a person, and as an errno for the program.
///
/// The words name what happened and to what; the name of the API function and
/// the system's own text for the errno are added where the error is handed to
/// the program (libnbd(3), "Error handling").
#[derive(Debug, PartialEq, Eq)]
pub struct Error {
    message: Cow<'static, str>,
    errno: c_int,
}

impl Error {
    /// An error of the library's own. `errno` 0 means that no errno fits.
    pub fn new(errno: c_int, message: impl Into<Cow<'static, str>>) -> Self {
        Error {
            message: message.into(),
            errno,
        }
    }

    /// A failed system call: `what` names the call and what it was applied to.
    pub fn system(what: impl Into<Cow<'static, str>>, cause: &std::io::Error) -> Self {
        let errno = match cause.kind() {
            ErrorKind::OutOfMemory => libc::ENOMEM,
            _ => cause.raw_os_error().unwrap_or(libc::EIO),
        };
        Error::new(errno, what)
    }

    /// The last failed system call of this thread.
    pub fn last_os(what: impl Into<Cow<'static, str>>) -> Self {
        Error::system(what, &std::io::Error::last_os_error())
    }

    /// The errno, or 0 where none fits.
    pub fn errno(&self) -> c_int {
        self.errno
    }

    /// The words, without the function's name and the errno's text.
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// A copy may lack the end of a long text.
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
