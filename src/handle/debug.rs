// SPDX-License-Identifier: LGPL-2.1-or-later

//! Debug messages (libnbd(3), "Debugging").

use std::ffi::{CStr, CString};
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::callback::nbd_debug_callback;
use super::replaceable::Replaceable;
use crate::environment;
use crate::error::Error;
use crate::memory;
use crate::text::{self, shown};

/// The settings of debug messages. They are not protected by the connection's lock, since calls
/// without the lock have messages, too.
#[derive(Debug)]
pub struct Debug {
    enabled: AtomicBool,
    handle_name: Replaceable<CString>,
    callback: Replaceable<Option<Callback>>,
}

/// The program's debug callback.
struct Callback(nbd_debug_callback);

// SAFETY: it is called in the thread of the message, also in several at the same time
// (nbd_set_debug_callback(3)).
unsafe impl Sync for Callback {}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback").finish_non_exhaustive()
    }
}

impl Debug {
    /// Makes the settings of a new handle: a unique name in this process, and messages enabled if
    /// `LIBNBD_DEBUG` is exactly "1".
    pub fn new() -> Self {
        static HANDLES: AtomicUsize = AtomicUsize::new(0);
        let number = HANDLES.fetch_add(1, Ordering::Relaxed) + 1;
        let name = CString::new(format!("nbd{number}")).unwrap_or_default();
        let value = environment::variable(c"LIBNBD_DEBUG").unwrap_or_default();
        let wanted = value.as_deref() == Some(c"1");
        Debug {
            enabled: AtomicBool::new(wanted),
            handle_name: Replaceable::new(name),
            callback: Replaceable::new(None),
        }
    }

    pub fn enabled(&self) -> bool {
        self.enabled.load(Ordering::Relaxed)
    }

    pub fn enable(&self, wanted: bool) {
        self.enabled.store(wanted, Ordering::Relaxed);
    }

    pub fn handle_name(&self) -> Result<CString, Error> {
        Ok(self.handle_name.read(|name| memory::copy(name))?)
    }

    /// Returns the length of the handle's name in bytes.
    pub fn handle_name_length(&self) -> usize {
        self.handle_name.read(|name| name.count_bytes())
    }

    pub fn set_handle_name(&self, name: &CStr) -> Result<(), Error> {
        self.handle_name.replace(memory::copy(name)?);
        Ok(())
    }

    /// Replaces the callback. The previous one is freed when no thread is calling it, possibly by
    /// the calling thread.
    pub fn set_callback(&self, callback: Option<nbd_debug_callback>) {
        self.callback.replace(callback.map(Callback));
    }

    /// Ends all messages.
    pub fn end(&self) {
        self.enable(false);
        self.set_callback(None);
    }

    /// Passes a message to the callback, or writes it to standard error.
    pub fn emit(&self, context: &CStr, message: fmt::Arguments<'_>) {
        if !self.enabled() {
            return;
        }
        self.callback.read(|callback| match callback {
            Some(Callback(callback)) => {
                let text = text::ended(message, '\0');
                // The message becomes a C string; anything after a NUL would be lost anyway.
                let text = CStr::from_bytes_until_nul(text.as_bytes());
                callback.call(context, text.unwrap_or_default());
            }
            None => self.handle_name.read(|name| {
                let (name, context) = (shown(name), shown(context));
                write_to_stderr(&text::ended(
                    format_args!("libnbd: debug: {name}: {context}: {message}"),
                    '\n',
                ));
            }),
        });
    }
}

/// Writes a line to standard error, ignoring errors. The standard library would take a lock,
/// which stays locked in a process that is forked meanwhile.
fn write_to_stderr(line: &str) {
    let mut left = line.as_bytes();
    while !left.is_empty() {
        // SAFETY: the pointer and the length describe `left`.
        let count = unsafe { libc::write(libc::STDERR_FILENO, left.as_ptr().cast(), left.len()) };
        match usize::try_from(count) {
            Ok(count) => left = &left[count..],
            Err(_) if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}
