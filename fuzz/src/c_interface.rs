// SPDX-License-Identifier: LGPL-2.1-or-later

//! Declarations of the C functions under test, as in a C program.

use std::ffi::{c_char, c_int, c_uint, c_void};

use libc::iovec;

#[repr(C)]
pub struct Handle {
    _opaque: [u8; 0],
}

/// Any of the callback structures: the library calls the function with the
/// arguments of the parameter for which the structure is passed.
#[repr(C)]
pub struct Closure<F> {
    pub callback: Option<F>,
    pub user_data: *mut c_void,
    pub free: Option<unsafe extern "C" fn(*mut c_void)>,
}

pub type Completion = Closure<unsafe extern "C" fn(*mut c_void, *mut c_int) -> c_int>;
pub type Chunk = Closure<
    unsafe extern "C" fn(*mut c_void, *const c_void, usize, u64, c_uint, *mut c_int) -> c_int,
>;
pub type Extent = Closure<
    unsafe extern "C" fn(*mut c_void, *const c_char, u64, *mut u32, usize, *mut c_int) -> c_int,
>;
pub type List = Closure<unsafe extern "C" fn(*mut c_void, *const c_char, *const c_char) -> c_int>;
pub type Context = Closure<unsafe extern "C" fn(*mut c_void, *const c_char) -> c_int>;

// As in include/libnbd-ext.h.
extern "C" {
    pub fn nbd_ext_set_keepalive(
        h: *mut Handle,
        idle: c_int,
        interval: c_int,
        count: c_int,
    ) -> c_int;
    pub fn nbd_ext_get_keepalive(
        h: *mut Handle,
        idle: *mut c_int,
        interval: *mut c_int,
        count: *mut c_int,
    ) -> c_int;
    pub fn nbd_ext_set_user_timeout(h: *mut Handle, milliseconds: c_int) -> c_int;
    pub fn nbd_ext_get_user_timeout(h: *mut Handle) -> c_int;
    pub fn nbd_ext_set_capture_stderr(h: *mut Handle, enable: bool) -> c_int;
    pub fn nbd_ext_get_capture_stderr(h: *mut Handle) -> c_int;
    pub fn nbd_ext_get_error_detail(h: *mut Handle) -> *mut c_char;
    pub fn nbd_ext_aio_preadv(
        h: *mut Handle,
        iov: *const iovec,
        iovcnt: c_int,
        offset: u64,
        completion: Completion,
        flags: u32,
    ) -> i64;
    pub fn nbd_ext_aio_pwritev(
        h: *mut Handle,
        iov: *const iovec,
        iovcnt: c_int,
        offset: u64,
        completion: Completion,
        flags: u32,
    ) -> i64;
    pub fn nbd_ext_set_timeout(h: *mut Handle, milliseconds: c_int) -> c_int;
    pub fn nbd_ext_get_timeout(h: *mut Handle) -> c_int;
    pub fn nbd_ext_set_cancellable(h: *mut Handle, cancellable: bool) -> c_int;
    pub fn nbd_ext_get_cancellable(h: *mut Handle) -> c_int;
    pub fn nbd_ext_cancel(h: *mut Handle) -> c_int;
    pub fn nbd_ext_aio_cancel(h: *mut Handle, cookie: u64) -> c_int;
    pub fn nbd_ext_set_batching(h: *mut Handle, enable: bool) -> c_int;
    pub fn nbd_ext_get_batching(h: *mut Handle) -> c_int;
    pub fn nbd_ext_send(h: *mut Handle) -> c_int;
}

// As in include/libnbd.h.
extern "C" {
    pub fn nbd_create() -> *mut Handle;
    pub fn nbd_close(h: *mut Handle);
    pub fn nbd_set_opt_mode(h: *mut Handle, enable: bool) -> c_int;
    pub fn nbd_set_export_name(h: *mut Handle, name: *const c_char) -> c_int;
    pub fn nbd_set_strict_mode(h: *mut Handle, flags: u32) -> c_int;
    pub fn nbd_set_pread_initialize(h: *mut Handle, request: bool) -> c_int;
    pub fn nbd_set_request_extended_headers(h: *mut Handle, request: bool) -> c_int;
    pub fn nbd_add_meta_context(h: *mut Handle, name: *const c_char) -> c_int;
    pub fn nbd_clear_meta_contexts(h: *mut Handle) -> c_int;
    pub fn nbd_aio_connect_socket(h: *mut Handle, sock: c_int) -> c_int;
    pub fn nbd_poll(h: *mut Handle, timeout: c_int) -> c_int;
    pub fn nbd_aio_get_fd(h: *mut Handle) -> c_int;
    pub fn nbd_aio_get_direction(h: *mut Handle) -> c_uint;
    pub fn nbd_aio_notify_read(h: *mut Handle) -> c_int;
    pub fn nbd_aio_notify_write(h: *mut Handle) -> c_int;
    pub fn nbd_aio_in_flight(h: *mut Handle) -> c_int;
    pub fn nbd_aio_peek_command_completed(h: *mut Handle) -> i64;
    pub fn nbd_aio_command_completed(h: *mut Handle, cookie: u64) -> c_int;
    pub fn nbd_aio_opt_go(h: *mut Handle, completion: Completion) -> c_int;
    pub fn nbd_aio_opt_abort(h: *mut Handle) -> c_int;
    pub fn nbd_aio_opt_list(h: *mut Handle, list: List, completion: Completion) -> c_int;
    pub fn nbd_aio_opt_info(h: *mut Handle, completion: Completion) -> c_int;
    pub fn nbd_aio_opt_set_meta_context(
        h: *mut Handle,
        context: Context,
        completion: Completion,
    ) -> c_int;
    pub fn nbd_aio_disconnect(h: *mut Handle, flags: u32) -> c_int;
    pub fn nbd_aio_pread(
        h: *mut Handle,
        buf: *mut c_void,
        count: usize,
        offset: u64,
        completion: Completion,
        flags: u32,
    ) -> i64;
    pub fn nbd_aio_pread_structured(
        h: *mut Handle,
        buf: *mut c_void,
        count: usize,
        offset: u64,
        chunk: Chunk,
        completion: Completion,
        flags: u32,
    ) -> i64;
    pub fn nbd_aio_pwrite(
        h: *mut Handle,
        buf: *const c_void,
        count: usize,
        offset: u64,
        completion: Completion,
        flags: u32,
    ) -> i64;
    pub fn nbd_aio_flush(h: *mut Handle, completion: Completion, flags: u32) -> i64;
    pub fn nbd_aio_zero(
        h: *mut Handle,
        count: u64,
        offset: u64,
        completion: Completion,
        flags: u32,
    ) -> i64;
    pub fn nbd_aio_block_status(
        h: *mut Handle,
        count: u64,
        offset: u64,
        extent: Extent,
        completion: Completion,
        flags: u32,
    ) -> i64;
    pub fn nbd_shutdown(h: *mut Handle, flags: u32) -> c_int;
    pub fn nbd_pread(
        h: *mut Handle,
        buf: *mut c_void,
        count: usize,
        offset: u64,
        flags: u32,
    ) -> c_int;
    pub fn nbd_get_error() -> *const c_char;
    pub fn nbd_get_size(h: *mut Handle) -> i64;
    pub fn nbd_can_zero(h: *mut Handle) -> c_int;
    pub fn nbd_get_uri(h: *mut Handle) -> *mut c_char;
    pub fn nbd_get_handle_size(h: *mut Handle) -> isize;
}
