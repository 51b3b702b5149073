// SPDX-License-Identifier: LGPL-2.1-or-later

//! The callbacks that programs give to the library, as C passes them: a
//! function, its data, and what frees the data, in one struct passed by value.
//!
//! Each value owns its data: dropping it runs `free` once, whether the function
//! was ever called or not, which is what libnbd(3), "Callbacks", promises on
//! every path, failed calls included. A struct without a function never calls
//! anything and still frees its data.

use std::ffi::CStr;

use libc::{c_char, c_int, c_uint, c_void, size_t};

use super::buffer::ReadBuffer;
use crate::cancellation::{self, NotHere};

/// A run of bytes in an export and what a meta context says of it.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(non_camel_case_types)] // the name it has in C
pub struct nbd_extent {
    /// Bytes; at most `INT64_MAX`.
    pub length: u64,
    /// Flags, whose meaning belongs to the context.
    pub flags: u64,
}

/// Is told of each piece of a structured read as it arrives.
#[repr(C)]
#[derive(Debug)]
#[allow(non_camel_case_types)] // the name it has in C
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

/// Is told once that a command or an option is complete.
#[repr(C)]
#[derive(Debug)]
#[allow(non_camel_case_types)] // the name it has in C
pub struct nbd_completion_callback {
    callback: Option<unsafe extern "C" fn(user_data: *mut c_void, error: *mut c_int) -> c_int>,
    user_data: *mut c_void,
    free: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
}

/// Is given the debug messages of a handle.
#[repr(C)]
#[derive(Debug)]
#[allow(non_camel_case_types)] // the name it has in C
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

/// Is given extents as pairs of 32-bit length and flags.
#[repr(C)]
#[derive(Debug)]
#[allow(non_camel_case_types)] // the name it has in C
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

/// Is given extents with 64-bit length and flags.
#[repr(C)]
#[derive(Debug)]
#[allow(non_camel_case_types)] // the name it has in C
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

/// Is told of each export that a server lists.
#[repr(C)]
#[derive(Debug)]
#[allow(non_camel_case_types)] // the name it has in C
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

/// Is told of each meta context that a server lists or agrees to.
#[repr(C)]
#[derive(Debug)]
#[allow(non_camel_case_types)] // the name it has in C
pub struct nbd_context_callback {
    callback: Option<unsafe extern "C" fn(user_data: *mut c_void, name: *const c_char) -> c_int>,
    user_data: *mut c_void,
    free: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
}

/// What all of them have in common.
macro_rules! callback {
    ($($callback:ident),*) => {$(
        // SAFETY: a handle may be driven from any thread, and its callbacks run
        // and are freed in whichever thread that is (libnbd(3), "Callbacks");
        // the program that filled in the struct has agreed to it.
        unsafe impl Send for $callback {}

        impl $callback {
            /// One that does nothing and owns nothing.
            pub const fn null() -> Self {
                Self {
                    callback: None,
                    user_data: std::ptr::null_mut(),
                    free: None,
                }
            }

            /// Whether there is nothing to call, not even to free data.
            pub const fn is_null(&self) -> bool {
                self.callback.is_none() && self.free.is_none()
            }
        }

        impl Drop for $callback {
            fn drop(&mut self) {
                if let Some(free) = self.free {
                    let _not_here = NotHere::new();
                    // SAFETY: the program gave `free` for this data. The value
                    // is neither `Clone` nor `Copy`, so this runs once, and
                    // nothing can call the function with the data afterwards.
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

/// Calls a function of the program's in a call of the API, where the thread cannot be
/// cancelled. The function may allow that for itself, and no longer.
fn forbidding<R>(call: impl FnOnce() -> R) -> R {
    let result = call();
    cancellation::forbid();
    result
}

// The fields are private, so a function in one of these structs was put there by
// a C program, which thereby says that it may be called with the data beside it
// and with arguments as libnbd.h describes them. Without a function, a call
// gives 0: nothing to complain of, nothing to retire.

impl nbd_chunk_callback {
    /// Tells of `count` bytes, `at` bytes into the buffer of the read.
    /// `offset` is their place in the export, `status` one of `LIBNBD_READ_*`.
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
        // SAFETY: see above; `iovec` has checked that the bytes are the buffer's.
        forbidding(|| unsafe { callback(self.user_data, subbuf, count, offset, status, error) })
    }
}

impl nbd_completion_callback {
    /// What a C program fills in, for tests elsewhere.
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

    /// Tells that the command is complete; `error` is 0 or its errno.
    pub fn call(&self, error: &mut c_int) -> c_int {
        let Some(callback) = self.callback else {
            return 0;
        };
        // SAFETY: see above.
        forbidding(|| unsafe { callback(self.user_data, error) })
    }
}

impl nbd_debug_callback {
    /// Hands over a message of the API function `context`.
    pub fn call(&self, context: &CStr, message: &CStr) -> c_int {
        let Some(callback) = self.callback else {
            return 0;
        };
        // SAFETY: see above.
        forbidding(|| unsafe { callback(self.user_data, context.as_ptr(), message.as_ptr()) })
    }
}

impl nbd_extent_callback {
    /// Hands over the extents from `offset` on: length, flags, length, flags.
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
        forbidding(|| unsafe {
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
    /// Hands over the extents from `offset` on.
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
        forbidding(|| unsafe {
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
    /// Tells of one export.
    pub fn call(&self, name: &CStr, description: &CStr) -> c_int {
        let Some(callback) = self.callback else {
            return 0;
        };
        // SAFETY: see above.
        forbidding(|| unsafe { callback(self.user_data, name.as_ptr(), description.as_ptr()) })
    }
}

impl nbd_context_callback {
    /// Tells of one meta context.
    pub fn call(&self, name: &CStr) -> c_int {
        let Some(callback) = self.callback else {
            return 0;
        };
        // SAFETY: see above.
        forbidding(|| unsafe { callback(self.user_data, name.as_ptr()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the C side of a test has seen.
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
    fn freeing_happens_where_the_owner_ends_up() {
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
