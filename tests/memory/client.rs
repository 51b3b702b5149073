// SPDX-License-Identifier: LGPL-2.1-or-later

//! A C program's view of the library, as far as these tests need it: a handle's
//! memory use involves the whole library, callbacks included.

use std::ffi::{c_char, c_int, c_void, CStr, CString};
use std::os::fd::IntoRawFd;
use std::os::unix::net::UnixStream;

// The functions come from the library, not from its Rust interface.
use nbd as _;

#[repr(C)]
struct Closure<F> {
    callback: Option<F>,
    user_data: *mut c_void,
    free: Option<unsafe extern "C" fn(*mut c_void)>,
}

#[repr(C)]
struct Extent {
    length: u64,
    flags: u64,
}

type OnExtents =
    unsafe extern "C" fn(*mut c_void, *const c_char, u64, *mut Extent, usize, *mut c_int) -> c_int;
type OnList = unsafe extern "C" fn(*mut c_void, *const c_char, *const c_char) -> c_int;

type OnCompletion = unsafe extern "C" fn(*mut c_void, *mut c_int) -> c_int;

enum Handle {}

extern "C" {
    fn nbd_create() -> *mut Handle;
    fn nbd_close(h: *mut Handle);
    fn nbd_set_opt_mode(h: *mut Handle, enable: bool) -> c_int;
    fn nbd_add_meta_context(h: *mut Handle, name: *const c_char) -> c_int;
    fn nbd_connect_socket(h: *mut Handle, socket: c_int) -> c_int;
    fn nbd_opt_list(h: *mut Handle, list: Closure<OnList>) -> c_int;
    fn nbd_opt_go(h: *mut Handle) -> c_int;
    fn nbd_flush(h: *mut Handle, flags: u32) -> c_int;
    fn nbd_pread(h: *mut Handle, buf: *mut c_void, count: usize, offset: u64, flags: u32) -> c_int;
    fn nbd_block_status_64(
        h: *mut Handle,
        count: u64,
        offset: u64,
        extent: Closure<OnExtents>,
        flags: u32,
    ) -> c_int;
    fn nbd_aio_cache(
        h: *mut Handle,
        count: u64,
        offset: u64,
        completion: Closure<OnCompletion>,
        flags: u32,
    ) -> i64;
    fn nbd_aio_peek_command_completed(h: *mut Handle) -> i64;
    fn nbd_aio_command_completed(h: *mut Handle, cookie: u64) -> c_int;
    fn nbd_aio_is_dead(h: *mut Handle) -> c_int;
    fn nbd_get_error() -> *const c_char;
}

/// A handle, and the counts received by its callbacks.
pub struct Client(*mut Handle);

fn outcome(result: c_int) -> Result<c_int, String> {
    if result != -1 {
        return Ok(result);
    }
    // SAFETY: the text stays until this thread calls the library again.
    let text = unsafe { CStr::from_ptr(nbd_get_error()) };
    Err(text.to_string_lossy().into_owned())
}

unsafe extern "C" fn count_extents(
    total: *mut c_void,
    _context: *const c_char,
    _offset: u64,
    _extents: *mut Extent,
    count: usize,
    _error: *mut c_int,
) -> c_int {
    // SAFETY: the pointer that `Client::block_status` gave.
    unsafe { *total.cast::<usize>() += count };
    0
}

unsafe extern "C" fn ignore_export(
    _data: *mut c_void,
    _name: *const c_char,
    _description: *const c_char,
) -> c_int {
    0
}

impl Client {
    /// Creates a handle that is not connected.
    pub fn plain() -> Client {
        // SAFETY: the handle lives until the client is dropped.
        let handle = unsafe { nbd_create() };
        assert!(!handle.is_null());
        Client(handle)
    }

    /// Creates a handle that requests `base:allocation`.
    pub fn new() -> Client {
        let client = Client::plain();
        let handle = client.0;
        let context = CString::new("base:allocation").expect("no NUL");
        // SAFETY: handle and string are there during the call.
        let added = unsafe { nbd_add_meta_context(handle, context.as_ptr()) };
        assert_eq!(added, 0);
        client
    }

    /// Makes the next connection pause for options.
    pub fn in_option_mode(self) -> Client {
        // SAFETY: see `new`.
        assert_eq!(unsafe { nbd_set_opt_mode(self.0, true) }, 0);
        self
    }

    pub fn connect(&self, socket: UnixStream) -> Result<c_int, String> {
        // SAFETY: see `new`; the handle now owns the socket.
        outcome(unsafe { nbd_connect_socket(self.0, socket.into_raw_fd()) })
    }

    pub fn list(&self) -> Result<c_int, String> {
        let closure = Closure {
            callback: Some(ignore_export as OnList),
            user_data: std::ptr::null_mut(),
            free: None,
        };
        // SAFETY: see `new`; the callback needs no data.
        outcome(unsafe { nbd_opt_list(self.0, closure) })
    }

    pub fn go(&self) -> Result<c_int, String> {
        // SAFETY: see `new`.
        outcome(unsafe { nbd_opt_go(self.0) })
    }

    pub fn flush(&self) -> Result<c_int, String> {
        // SAFETY: see `new`.
        outcome(unsafe { nbd_flush(self.0, 0) })
    }

    /// Puts `depth` commands in flight, the last of them a flush, and waits
    /// until all are complete and retired.
    pub fn round(&self, depth: usize) {
        for _ in 1..depth {
            let closure = Closure {
                callback: None,
                user_data: std::ptr::null_mut(),
                free: None,
            };
            // SAFETY: see `new`; there is no callback.
            let cookie = unsafe { nbd_aio_cache(self.0, 512, 0, closure, 0) };
            assert!(cookie > 0);
        }
        assert_eq!(self.flush(), Ok(0));
        for _ in 1..depth {
            // SAFETY: see `new`.
            let retired = unsafe {
                let cookie = nbd_aio_peek_command_completed(self.0);
                nbd_aio_command_completed(self.0, cookie as u64)
            };
            assert_eq!(outcome(retired), Ok(1));
        }
    }

    pub fn read(&self, buffer: &mut [u8]) -> Result<c_int, String> {
        let memory = buffer.as_mut_ptr().cast();
        // SAFETY: see `new`; memory and length are those of one slice.
        outcome(unsafe { nbd_pread(self.0, memory, buffer.len(), 0, 0) })
    }

    /// Returns the number of extents passed to the callback.
    pub fn block_status(&self, count: u64) -> Result<usize, String> {
        let mut total = 0_usize;
        let closure = Closure {
            callback: Some(count_extents as OnExtents),
            user_data: (&raw mut total).cast(),
            free: None,
        };
        // SAFETY: see `new`; the total outlives the call, which is the last to
        // use the closure.
        outcome(unsafe { nbd_block_status_64(self.0, count, 0, closure, 0) })?;
        Ok(total)
    }

    pub fn is_dead(&self) -> bool {
        // SAFETY: see `new`.
        unsafe { nbd_aio_is_dead(self.0) == 1 }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // SAFETY: nothing uses the handle any more.
        unsafe { nbd_close(self.0) };
    }
}
