// SPDX-License-Identifier: LGPL-2.1-or-later

//! The program's callbacks, as C passes them by value: a struct with a function, its data, and a
//! function that frees the data.
//!
//! Each value owns its data. Dropping it calls `free` exactly once, whether the function was
//! called or not, as libnbd(3), "Callbacks", promises for every path, including failed calls. A
//! struct without a function still frees its data.

use std::ffi::CStr;

use libc::{c_char, c_int, c_uint, c_void, size_t};

use super::buffer::ReadBuffer;
use crate::cancellation::{self, CancellationDisabled};

/// An extent: a range of an export with the same meta context flags.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(non_camel_case_types)] // the name in C
pub struct nbd_extent {
    /// Length in bytes; at most `INT64_MAX`.
    pub length: u64,
    /// Flags; the meta context defines their meaning.
    pub flags: u64,
}

/// Callback for the pieces of a structured read, as they arrive.
#[repr(C)]
#[derive(Debug)]
#[allow(non_camel_case_types)] // the name in C
pub struct nbd_chunk_callback {
    callback: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            subbuf: *const c_void,
            count: size_t,
            offset: u64,
            status: c_uint,
            error: *mut c_int,
        ) -> c_int,
    >,
    user_data: *mut c_void,
    free: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
}

/// Callback for the completion of a command or an option.
#[repr(C)]
#[derive(Debug)]
#[allow(non_camel_case_types)] // the name in C
pub struct nbd_completion_callback {
    callback: Option<unsafe extern "C" fn(user_data: *mut c_void, error: *mut c_int) -> c_int>,
    user_data: *mut c_void,
    free: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
}

/// Callback for debug messages.
#[repr(C)]
#[derive(Debug)]
#[allow(non_camel_case_types)] // the name in C
pub struct nbd_debug_callback {
    callback: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            context: *const c_char,
            msg: *const c_char,
        ) -> c_int,
    >,
    user_data: *mut c_void,
    free: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
}

/// Callback for extents, as pairs of 32-bit length and flags.
#[repr(C)]
#[derive(Debug)]
#[allow(non_camel_case_types)] // the name in C
pub struct nbd_extent_callback {
    callback: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            metacontext: *const c_char,
            offset: u64,
            entries: *mut u32,
            nr_entries: size_t,
            error: *mut c_int,
        ) -> c_int,
    >,
    user_data: *mut c_void,
    free: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
}

/// Callback for extents with 64-bit length and flags.
#[repr(C)]
#[derive(Debug)]
#[allow(non_camel_case_types)] // the name in C
pub struct nbd_extent64_callback {
    callback: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            metacontext: *const c_char,
            offset: u64,
            entries: *mut nbd_extent,
            nr_entries: size_t,
            error: *mut c_int,
        ) -> c_int,
    >,
    user_data: *mut c_void,
    free: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
}

/// Callback for the exports listed by a server.
#[repr(C)]
#[derive(Debug)]
#[allow(non_camel_case_types)] // the name in C
pub struct nbd_list_callback {
    callback: Option<
        unsafe extern "C" fn(
            user_data: *mut c_void,
            name: *const c_char,
            description: *const c_char,
        ) -> c_int,
    >,
    user_data: *mut c_void,
    free: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
}

/// Callback for the meta contexts that a server lists or selects.
#[repr(C)]
#[derive(Debug)]
#[allow(non_camel_case_types)] // the name in C
pub struct nbd_context_callback {
    callback: Option<unsafe extern "C" fn(user_data: *mut c_void, name: *const c_char) -> c_int>,
    user_data: *mut c_void,
    free: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
}

/// Implements the common part of all callbacks.
macro_rules! callback {
    ($($callback:ident),*) => {$(
        // SAFETY: a handle may be driven from any thread, and its callbacks run and are freed in
        // that thread (libnbd(3), "Callbacks"); the program that filled in the struct has agreed
        // to this.
        unsafe impl Send for $callback {}

        impl $callback {
            /// Makes an empty callback, which does nothing and owns nothing.
            pub const fn null() -> Self {
                Self {
                    callback: None,
                    user_data: std::ptr::null_mut(),
                    free: None,
                }
            }

            /// Returns true if there is neither a function nor a `free` function.
            pub const fn is_null(&self) -> bool {
                self.callback.is_none() && self.free.is_none()
            }
        }

        impl Drop for $callback {
            fn drop(&mut self) {
                if let Some(free) = self.free {
                    let _disabled = CancellationDisabled::new();
                    // SAFETY: the program passed `free` for this data. The value is neither
                    // `Clone` nor `Copy`, so this runs once, and the function cannot be called
                    // with the data afterwards.
                    unsafe { free(self.user_data) }
                }
            }
        }
    )*};
}

callback!(
    nbd_chunk_callback,
    nbd_completion_callback,
    nbd_debug_callback,
    nbd_extent_callback,
    nbd_extent64_callback,
    nbd_list_callback,
    nbd_context_callback
);

/// Calls a function of the program with cancellation disabled. If the function enables
/// cancellation, this is undone after it.
fn call_program<R>(call: impl FnOnce() -> R) -> R {
    let result = call();
    cancellation::disable();
    result
}

// The fields are private, so a function in one of these structs comes from a C program. The
// program thereby guarantees that it may be called with the data next to it and with the
// arguments described in libnbd.h. Without a function, a call returns 0: no error, do not retire.

impl nbd_chunk_callback {
    /// Reports `count` bytes at offset `at` of the read's buffer. `offset` is their offset in the
    /// export, `status` one of `LIBNBD_READ_*`.
    pub fn call(
        &self,
        buffer: &ReadBuffer,
        at: usize,
        count: usize,
        offset: u64,
        status: c_uint,
        error: &mut c_int,
    ) -> c_int {
        let Some(callback) = self.callback else {
            return 0;
        };
        let subbuf = buffer.iovec(at, count).iov_base;
        // SAFETY: see above; `iovec` has checked that the bytes are in the buffer.
        call_program(|| unsafe { callback(self.user_data, subbuf, count, offset, status, error) })
    }
}

impl nbd_completion_callback {
    /// Makes a callback as a C program does, for tests in other modules.
    #[cfg(test)]
    pub(crate) fn new(
        callback: unsafe extern "C" fn(user_data: *mut c_void, error: *mut c_int) -> c_int,
        user_data: *mut c_void,
        free: unsafe extern "C" fn(user_data: *mut c_void),
    ) -> Self {
        nbd_completion_callback {
            callback: Some(callback),
            user_data,
            free: Some(free),
        }
    }

    /// Reports the completion of a command; `error` is 0 or its errno.
    pub fn call(&self, error: &mut c_int) -> c_int {
        let Some(callback) = self.callback else {
            return 0;
        };
        // SAFETY: see above.
        call_program(|| unsafe { callback(self.user_data, error) })
    }
}

impl nbd_debug_callback {
    /// Passes on a debug message of the API function `context`.
    pub fn call(&self, context: &CStr, message: &CStr) -> c_int {
        let Some(callback) = self.callback else {
            return 0;
        };
        // SAFETY: see above.
        call_program(|| unsafe { callback(self.user_data, context.as_ptr(), message.as_ptr()) })
    }
}

impl nbd_extent_callback {
    /// Reports extents from `offset` on: length, flags, length, flags.
    pub fn call(
        &self,
        context: &CStr,
        offset: u64,
        entries: &mut [u32],
        error: &mut c_int,
    ) -> c_int {
        let Some(callback) = self.callback else {
            return 0;
        };
        // SAFETY: see above; pointer and count describe one slice.
        call_program(|| unsafe {
            callback(
                self.user_data,
                context.as_ptr(),
                offset,
                entries.as_mut_ptr(),
                entries.len(),
                error,
            )
        })
    }
}

impl nbd_extent64_callback {
    /// Reports extents from `offset` on.
    pub fn call(
        &self,
        context: &CStr,
        offset: u64,
        entries: &mut [nbd_extent],
        error: &mut c_int,
    ) -> c_int {
        let Some(callback) = self.callback else {
            return 0;
        };
        // SAFETY: see above; pointer and count describe one slice.
        call_program(|| unsafe {
            callback(
                self.user_data,
                context.as_ptr(),
                offset,
                entries.as_mut_ptr(),
                entries.len(),
                error,
            )
        })
    }
}

impl nbd_list_callback {
    /// Reports one export.
    pub fn call(&self, name: &CStr, description: &CStr) -> c_int {
        let Some(callback) = self.callback else {
            return 0;
        };
        // SAFETY: see above.
        call_program(|| unsafe { callback(self.user_data, name.as_ptr(), description.as_ptr()) })
    }
}

impl nbd_context_callback {
    /// Reports one meta context.
    pub fn call(&self, name: &CStr) -> c_int {
        let Some(callback) = self.callback else {
            return 0;
        };
        // SAFETY: see above.
        call_program(|| unsafe { callback(self.user_data, name.as_ptr()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The calls recorded by a test.
    #[derive(Default)]
    struct Seen {
        calls: u32,
        freed: u32,
    }

    unsafe extern "C" fn completed(user_data: *mut c_void, error: *mut c_int) -> c_int {
        // SAFETY: the tests below pass a `Seen` and an errno.
        unsafe {
            (*user_data.cast::<Seen>()).calls += 1;
            *error = libc::EIO;
        }
        1
    }

    unsafe extern "C" fn freed(user_data: *mut c_void) {
        // SAFETY: the tests below pass a `Seen`.
        unsafe { (*user_data.cast::<Seen>()).freed += 1 }
    }

    #[test]
    fn the_function_gets_its_data_and_may_change_the_error() {
        let mut seen = Seen::default();
        let callback = nbd_completion_callback {
            callback: Some(completed),
            user_data: (&raw mut seen).cast(),
            free: Some(freed),
        };
        let mut error = 0;
        assert_eq!(callback.call(&mut error), 1);
        assert_eq!(error, libc::EIO);
        drop(callback);
        assert_eq!((seen.calls, seen.freed), (1, 1));
    }

    #[test]
    fn data_is_freed_where_there_is_no_function_to_call() {
        let mut seen = Seen::default();
        let callback = nbd_completion_callback {
            callback: None,
            user_data: (&raw mut seen).cast(),
            free: Some(freed),
        };
        assert!(!callback.is_null());
        assert!(nbd_completion_callback::null().is_null());
        assert_eq!(callback.call(&mut 0), 0);
        drop(callback);
        assert_eq!((seen.calls, seen.freed), (0, 1));
    }

    #[test]
    fn callbacks_are_freed_where_they_are_dropped() {
        let mut seen = Seen::default();
        let callback = nbd_completion_callback {
            callback: Some(completed),
            user_data: (&raw mut seen).cast(),
            free: Some(freed),
        };
        std::thread::spawn(move || drop(callback)).join().unwrap();
        assert_eq!(seen.freed, 1);
    }
}
