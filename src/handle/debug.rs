// SPDX-License-Identifier: LGPL-2.1-or-later

//! Debug messages (libnbd(3), "DEBUGGING MESSAGES").

use std::ffi::{CStr, CString};
use std::fmt;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;

use super::callback::nbd_debug_callback;

/// Whether debug messages are wanted, and where they go. Apart from the
/// connection's lock, since calls that never take it have messages too.
#[derive(Debug)]
pub struct Debug {
    enabled: AtomicBool,
    sink: Mutex<Sink>,
}

struct Sink {
    handle_name: CString,
    callback: Option<nbd_debug_callback>,
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink")
            .field("handle_name", &self.handle_name)
            .finish_non_exhaustive()
    }
}

impl Debug {
    /// The settings of a new handle: its name is new in this process, and
    /// messages are wanted if `LIBNBD_DEBUG` is exactly "1".
    pub fn new() -> Self {
        static HANDLES: AtomicU64 = AtomicU64::new(0);
        let number = HANDLES.fetch_add(1, Ordering::Relaxed) + 1;
        let name = CString::new(format!("nbd{number}")).unwrap_or_default();
        let wanted = std::env::var_os("LIBNBD_DEBUG").is_some_and(|value| value == "1");
        Debug {
            enabled: AtomicBool::new(wanted),
            sink: Mutex::new(Sink {
                handle_name: name,
                callback: None,
            }),
        }
    }

    pub fn enabled(&self) -> bool {
        self.enabled.load(Ordering::Relaxed)
    }

    pub fn enable(&self, wanted: bool) {
        self.enabled.store(wanted, Ordering::Relaxed);
    }

    pub fn handle_name(&self) -> CString {
        self.sink.lock().handle_name.clone()
    }

    pub fn set_handle_name(&self, name: &CStr) {
        self.sink.lock().handle_name = name.to_owned();
    }

    /// Replaces the callback. The one of before is freed outside the lock.
    pub fn set_callback(&self, callback: Option<nbd_debug_callback>) {
        let before = std::mem::replace(&mut self.sink.lock().callback, callback);
        drop(before);
    }

    /// There are no messages any more.
    pub fn end(&self) {
        self.enable(false);
        self.set_callback(None);
    }

    /// Hands a message to the callback, or writes it to standard error.
    pub fn emit(&self, context: &CStr, message: fmt::Arguments<'_>) {
        if !self.enabled() {
            return;
        }
        let text = message.to_string();
        let sink = self.sink.lock();
        match &sink.callback {
            Some(callback) => {
                // A message is C text; what follows a NUL would be lost anyway.
                let end = text.find('\0').unwrap_or(text.len());
                let text = CString::new(&text[..end]).unwrap_or_default();
                callback.call(context, &text);
            }
            None => {
                let name = sink.handle_name.to_string_lossy();
                let context = context.to_string_lossy();
                let line = format!("libnbd: debug: {name}: {context}: {text}\n");
                // Nobody can be told that standard error is gone.
                let _ = std::io::stderr().write_all(line.as_bytes());
            }
        }
    }
}
