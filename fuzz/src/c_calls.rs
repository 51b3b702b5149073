// SPDX-License-Identifier: LGPL-2.1-or-later

//! Fuzzes the C functions in any order, with any arguments and in every state,
//! on a handle whose server sends bytes from the input. No closure may leak or
//! be freed twice, no command may complete twice, and no byte outside of a
//! buffer may change.

use std::ffi::{c_char, c_int, c_uint, c_void, CString};
use std::io::Write;
use std::os::fd::{AsRawFd, IntoRawFd};
use std::os::unix::net::UnixStream;
use std::ptr::null_mut;

use libc::iovec;

use crate::c_interface::*;
use crate::choices::Choices;
use crate::memory::Memory;
use crate::server;

/// Number of calls made with one input.
const CALLS: usize = 64;

/// A closure under observation. It keeps its address until the handle is
/// closed.
#[derive(Default)]
struct Watched {
    calls: u32,
    freed: u32,
    /// Return value of the callback.
    result: c_int,
}

unsafe extern "C" fn free(user_data: *mut c_void) {
    // SAFETY: each closure has a `Watched` of its own, which `Calls` keeps.
    let watched = unsafe { &mut *user_data.cast::<Watched>() };
    watched.freed += 1;
}

/// Records a call of a callback and returns its result.
fn called(user_data: *mut c_void) -> c_int {
    // SAFETY: see `free`.
    let watched = unsafe { &mut *user_data.cast::<Watched>() };
    assert_eq!(watched.freed, 0, "called after it was freed");
    watched.calls += 1;
    watched.result
}

unsafe extern "C" fn on_completion(user_data: *mut c_void, error: *mut c_int) -> c_int {
    // SAFETY: the library passes an errno that may be changed.
    assert!(unsafe { *error } >= 0);
    let result = called(user_data);
    // SAFETY: see `free`.
    let watched = unsafe { &*user_data.cast::<Watched>() };
    assert_eq!(watched.calls, 1, "a command completes again");
    result
}

unsafe extern "C" fn on_chunk(
    user_data: *mut c_void,
    data: *const c_void,
    count: usize,
    _offset: u64,
    _status: c_uint,
    _error: *mut c_int,
) -> c_int {
    // SAFETY: the library passes this many bytes.
    let bytes = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), count) };
    std::hint::black_box(bytes.iter().fold(0, |sum: u8, byte| sum ^ byte));
    called(user_data).min(0)
}

unsafe extern "C" fn on_extent(
    user_data: *mut c_void,
    _context: *const c_char,
    _offset: u64,
    entries: *mut u32,
    count: usize,
    _error: *mut c_int,
) -> c_int {
    // SAFETY: the library passes this many numbers, which may be changed.
    unsafe { std::slice::from_raw_parts_mut(entries, count) }.fill(7);
    called(user_data).min(0)
}

unsafe extern "C" fn on_list(
    user_data: *mut c_void,
    _name: *const c_char,
    _description: *const c_char,
) -> c_int {
    called(user_data).min(0)
}

unsafe extern "C" fn on_context(user_data: *mut c_void, _name: *const c_char) -> c_int {
    called(user_data).min(0)
}

/// A handle, its server, and everything passed to the library.
struct Calls {
    handle: *mut Handle,
    server: Option<UnixStream>,
    #[expect(clippy::vec_box, reason = "what C has a pointer to must not move")]
    watched: Vec<Box<Watched>>,
    buffers: Vec<Memory>,
}

impl Calls {
    fn closure<F>(&mut self, callback: F, result: c_int) -> Closure<F> {
        let mut watched = Box::new(Watched {
            result,
            ..Watched::default()
        });
        let user_data = (&raw mut *watched).cast();
        self.watched.push(watched);
        Closure {
            callback: Some(callback),
            user_data,
            free: Some(free),
        }
    }

    fn completion(&mut self, choices: &mut Choices) -> Completion {
        let result = choices.one_of(&[0, 1, -1]);
        self.closure(on_completion, result)
    }

    fn buffer(&mut self, length: usize) -> *mut c_void {
        let mut buffer = Memory::new(length);
        let start = buffer.as_mut_ptr().cast();
        self.buffers.push(buffer);
        start
    }

    /// Returns an array of buffers, some of which may be empty.
    fn vector(&mut self, choices: &mut Choices) -> Vec<iovec> {
        let count = choices.index(6);
        let buffers = (0..count).map(|_| {
            let length = choices.one_of(&[0, 1, 11, 500, 512, 4096]);
            iovec {
                iov_base: self.buffer(length),
                iov_len: length,
            }
        });
        buffers.collect()
    }

    /// Sends bytes from the server; bytes that the socket does not accept are
    /// dropped.
    fn send(&mut self, bytes: &[u8]) {
        if let Some(server) = &mut self.server {
            let _ = server.write(bytes);
        }
    }

    fn connect(&mut self) {
        let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
        theirs.set_nonblocking(true).expect("it can be set");
        // SAFETY: the handle is open, and the socket is.
        let connected = unsafe { nbd_aio_connect_socket(self.handle, ours.as_raw_fd()) };
        if connected == 0 {
            // The library owns the socket now.
            let _ = ours.into_raw_fd();
            self.server = Some(theirs);
        }
    }
}

pub fn run(input: &[u8]) {
    let mut choices = Choices::new(input);
    let mut calls = Calls {
        // SAFETY: it can be called at any time.
        handle: unsafe { nbd_create() },
        server: None,
        watched: Vec::new(),
        buffers: Vec::new(),
    };
    assert!(!calls.handle.is_null());
    // Most inputs get past the handshake.
    if choices.index(4) != 1 {
        calls.connect();
        let handshake = match choices.index(4) {
            0 => server::handshake_structured(),
            1 => server::handshake_extended(),
            2 => server::handshake_simple(),
            _ => server::oldstyle(server::SIZE, 0x1ced),
        };
        calls.send(&handshake);
    }
    for _ in 0..CALLS {
        if !choices.has_input() {
            break;
        }
        // SAFETY: the handle is open, buffers and closures stay until it is closed,
        // and every pointer is what the function asks for.
        unsafe { call(&mut calls, &mut choices) };
    }
    // SAFETY: the handle is open, and not used again.
    unsafe { nbd_close(calls.handle) };
    for watched in &calls.watched {
        assert_eq!(watched.freed, 1, "a closure is freed once");
    }
    for buffer in &calls.buffers {
        buffer.check_guards();
    }
}

/// # Safety
///
/// The handle is open.
unsafe fn call(it: &mut Calls, choices: &mut Choices) {
    let h = it.handle;
    let offset = choices.one_of(&[0, 512, 4096, 1 << 19, u64::MAX, server::SIZE]);
    let count = choices.one_of(&[0_usize, 1, 512, 4096, 65536]);
    let flags = choices.one_of(&[0_u32, 0, 0, 1, 4, 8, 16, 0x8000_0000]);
    // SAFETY: the handle is open, and the arguments live as long as the calls.
    unsafe {
        match choices.index(34) {
            0..=3 => {
                nbd_poll(h, 0);
            }
            4 => {
                nbd_aio_notify_read(h);
            }
            5 => {
                nbd_aio_notify_write(h);
            }
            6..=8 => {
                let (buffer, completion) = (it.buffer(count), it.completion(choices));
                nbd_aio_pread(h, buffer, count, offset, completion, flags);
            }
            9 => {
                let result = choices.one_of(&[0, -1]);
                let (buffer, chunk) = (it.buffer(count), it.closure(on_chunk as _, result));
                let completion = it.completion(choices);
                nbd_aio_pread_structured(h, buffer, count, offset, chunk, completion, flags);
            }
            10 => {
                let (buffer, completion) = (it.buffer(count), it.completion(choices));
                nbd_aio_pwrite(h, buffer, count, offset, completion, flags);
            }
            11 => {
                let completion = it.completion(choices);
                nbd_aio_flush(h, completion, flags);
            }
            12 => {
                let completion = it.completion(choices);
                nbd_aio_zero(h, count as u64, offset, completion, flags);
            }
            13 => {
                let result = choices.one_of(&[0, -1]);
                let extent = it.closure(on_extent as _, result);
                let completion = it.completion(choices);
                nbd_aio_block_status(h, count as u64, offset, extent, completion, flags);
            }
            14 => {
                nbd_aio_command_completed(h, choices.number(0..=20));
            }
            15 => {
                let cookie = nbd_aio_peek_command_completed(h);
                if cookie > 0 {
                    assert_ne!(nbd_aio_command_completed(h, cookie as u64), 0);
                }
            }
            16 => {
                nbd_aio_in_flight(h);
                nbd_aio_get_fd(h);
                nbd_aio_get_direction(h);
            }
            17 => {
                nbd_set_opt_mode(h, choices.once_in(2));
            }
            18 => {
                nbd_set_strict_mode(h, choices.one_of(&[0x7f, 0, 0x7e, 0x5f]));
            }
            19 => {
                nbd_set_pread_initialize(h, choices.once_in(2));
                nbd_set_request_extended_headers(h, choices.once_in(2));
                extension(it, choices);
            }
            20 => {
                let name = CString::new(choices.bytes(20).split(|b| *b == 0).next().unwrap_or(b""));
                nbd_set_export_name(h, name.unwrap_or_default().as_ptr());
            }
            21 => {
                nbd_add_meta_context(h, c"base:allocation".as_ptr());
            }
            22 => {
                nbd_clear_meta_contexts(h);
            }
            23 => {
                let completion = it.completion(choices);
                nbd_aio_opt_go(h, completion);
            }
            24 => {
                let (list, completion) = (it.closure(on_list as _, 0), it.completion(choices));
                nbd_aio_opt_list(h, list, completion);
            }
            25 => {
                let completion = it.completion(choices);
                nbd_aio_opt_info(h, completion);
            }
            26 => {
                let (context, completion) =
                    (it.closure(on_context as _, 0), it.completion(choices));
                nbd_aio_opt_set_meta_context(h, context, completion);
            }
            27 => {
                nbd_aio_opt_abort(h);
            }
            28 => {
                nbd_aio_disconnect(h, flags);
            }
            29 => it.connect(),
            30 => {
                let error = nbd_get_error();
                assert!(error.is_null() || libc::strlen(error) > 0);
                nbd_get_size(h);
                nbd_can_zero(h);
                assert_ne!(nbd_get_handle_size(h), 0);
                libc::free(nbd_get_uri(h).cast());
            }
            // Without a server at the other end, no call blocks forever.
            31 => {
                it.server = None;
                nbd_pread(h, it.buffer(count), count, offset, flags);
                nbd_shutdown(h, choices.one_of(&[0, 0x10000]));
            }
            32 => {
                nbd_aio_command_completed(h, u64::MAX);
                nbd_aio_pread(h, null_mut(), 0, 0, it.completion(choices), 0);
            }
            _ => send(it, choices),
        }
    }
}

/// Calls one of the functions that the C library does not have.
///
/// # Safety
///
/// The handle is open.
unsafe fn extension(it: &mut Calls, choices: &mut Choices) {
    let h = it.handle;
    let number = choices.one_of(&[0, 1, 127, 32767, -1, c_int::MAX]);
    let (mut idle, mut interval, mut count) = (0, 0, 0);
    // SAFETY: the handle is open, and the arguments live as long as the calls.
    unsafe {
        match choices.index(10) {
            0 => {
                nbd_ext_set_keepalive(h, number, number, number);
                let got = nbd_ext_get_keepalive(h, &mut idle, &mut interval, &mut count);
                assert_eq!(got, 0);
                assert_eq!((idle == 0, interval == 0), (count == 0, count == 0));
            }
            1 => {
                nbd_ext_set_user_timeout(h, number);
                assert!(nbd_ext_get_user_timeout(h) >= 0);
            }
            2 => {
                let (iov, completion) = (it.vector(choices), it.completion(choices));
                let number = iov.len() as c_int;
                nbd_ext_aio_preadv(h, iov.as_ptr(), number, 0, completion, 0);
            }
            3 => {
                let batching = choices.once_in(2);
                nbd_ext_set_batching(h, batching);
                assert_eq!(nbd_ext_get_batching(h), c_int::from(batching));
            }
            4 => {
                nbd_ext_send(h);
            }
            5 => {
                nbd_ext_set_capture_stderr(h, choices.once_in(2));
                assert!(nbd_ext_get_capture_stderr(h) >= 0);
                libc::free(nbd_ext_get_error_detail(h).cast());
            }
            6 => {
                let set = nbd_ext_set_timeout(h, number);
                assert_eq!(set, if number < 0 { -1 } else { 0 });
                assert!(set == -1 || nbd_ext_get_timeout(h) == number);
            }
            7 => {
                let cancellable = choices.once_in(2);
                assert_eq!(nbd_ext_set_cancellable(h, cancellable), 0);
                assert_eq!(nbd_ext_get_cancellable(h), c_int::from(cancellable));
                // No call waits that could be cancelled.
                assert_eq!(nbd_ext_cancel(h), c_int::from(cancellable) - 1);
            }
            8 => {
                let cookie = choices.number(0..=20);
                let before = nbd_aio_in_flight(h);
                let cancelled = nbd_ext_aio_cancel(h, cookie);
                assert_eq!(cancelled == -1, cookie == 0);
                assert!(cancelled < 1 || nbd_aio_in_flight(h) == before - 1);
                assert!(nbd_ext_aio_cancel(h, cookie) < 1);
            }
            _ => {
                let (iov, completion) = (it.vector(choices), it.completion(choices));
                let number = choices.one_of(&[iov.len() as c_int, 0, -1]);
                nbd_ext_aio_pwritev(h, iov.as_ptr(), number, 0, completion, 0);
            }
        }
    }
}

/// Sends something that may be a reply.
fn send(it: &mut Calls, choices: &mut Choices) {
    // The cookies of the first commands: they count from 1.
    let cookie = choices.number(0..=20);
    let done = choices.index(3) != 1;
    let bytes = match choices.index(7) {
        0 => server::chunk(cookie, done, 0, &[]),
        1 => server::chunk(cookie, done, 1, &server::data(512, choices.bytes(512))),
        2 => server::chunk(cookie, done, 2, &server::hole(0, 512)),
        3 => server::chunk(
            cookie,
            done,
            5,
            &server::extents(42, &[(512, 3), (4096, 0)]),
        ),
        4 => server::chunk(cookie, done, 0x8001, &server::error(5, "no")),
        5 => server::simple(cookie, choices.number(0..=5) as u32, choices.bytes(64)),
        _ => choices.bytes(200).to_vec(),
    };
    it.send(&bytes);
}
