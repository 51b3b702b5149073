// SPDX-License-Identifier: LGPL-2.1-or-later

//! Reading into several buffers, and writing from several.

use libc::{c_int, iovec};
use scopeguard::{guard, ScopeGuard};

use crate::capi::entry::{locked, must_initialize, waiting};
use crate::capi::opaque::nbd_handle;
use crate::capi::outcome::Cookie;
use crate::capi::trace::Mask;
use crate::handle::buffer::Vector;
use crate::handle::callback::nbd_completion_callback;
use crate::handle::pieces::Pieces;
use crate::handle::Access;

/// Reads from the export into several buffers.
///
/// This is `nbd_pread` for data that belongs in several places, such as the pages of
/// a cache or the segments of a virtual disk request: one request, and the data is
/// received directly into the buffers, without copying it from a larger one. The
/// buffers are filled in the order of the array; see readv(2).
///
/// The buffers should not overlap. If they do, the contents of the bytes that they
/// share are undefined.
///
/// # Parameters
///
/// - `iov`: the buffers. `iov_base` is the address of a buffer, and `iov_len` its
///   length, which may be 0. Their lengths together are the number of bytes to
///   read, at most 64 MiB; see `count` of `nbd_pread`. After a failed read, they
///   hold what the buffer of `nbd_pread` would hold.
/// - `iovcnt`: number of buffers, at most 1024.
/// - `offset`: offset of the first byte in the export.
/// - `flags`: must be 0.
///
/// # Errors
///
/// - `EINVAL`: `iovcnt` is negative or more than 1024.
/// - `EINVAL`: the lengths add up to more than `SSIZE_MAX`.
/// - `EFAULT`: a buffer whose length is not 0 is NULL.
/// - Errors of `nbd_pread`; `count` is the sum of the lengths.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_READ.
///
/// # Example
///
/// Read a header and the data after it:
///
/// ```c
/// struct { uint32_t magic, version; } header;
/// char data[4096];
/// const struct iovec iov[] = {
///   { .iov_base = &header, .iov_len = sizeof header },
///   { .iov_base = data, .iov_len = sizeof data },
/// };
///
/// if (nbd_ext_preadv (nbd, iov, 2, 0, 0) == -1) {
///   fprintf (stderr, "%s\n", nbd_get_error ());
///   return -1;
/// }
/// ```
///
/// # See also
///
/// `nbd_ext_aio_preadv`, `nbd_ext_pwritev`, `nbd_pread`; readv(2).
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_ext_preadv(
    h: *mut nbd_handle,
    iov: *const iovec,
    iovcnt: c_int,
    offset: u64,
    flags: u32,
) -> c_int {
    // SAFETY: NULL, or an array that outlives the call, in which the command ends.
    let iov = unsafe { Vector::new(iov, iovcnt) };
    let mut pieces = Pieces::new(iov);
    // SAFETY: as for the call itself.
    let initialize = unsafe { must_initialize(h) };
    if let (true, Ok(pieces)) = (initialize, &mut pieces) {
        pieces.clear_on_failure();
    }
    // As for nbd_pread.
    let unissued = guard(iov, move |iov| {
        if initialize {
            iov.clear();
        }
    });
    waiting!(
        NBD_EXT_PREADV(h, iov: iov, iovcnt: iovcnt, offset: offset, flags: Mask(flags)),
        async |c| {
            let pieces = pieces?;
            let access = Access::read(offset, pieces.length() as u64);
            c.until_completed(access, |mut issue, done| {
                let cookie = issue.preadv(pieces, offset, done, flags)?;
                ScopeGuard::into_inner(unissued);
                Ok(cookie)
            }).await
        }
    )
}

/// Starts a read from the export into several buffers.
///
/// This is the asynchronous form of `nbd_ext_preadv`. Use it to keep several
/// commands in flight, or to read from a main loop.
///
/// # Parameters
///
/// - `iov`: the buffers; see `nbd_ext_preadv`. They must stay valid until the
///   command completes; do not read them before that. They are filled with zeroes
///   before the call returns, unless `nbd_set_pread_initialize` turns that off. The
///   array itself is no longer used when the call returns.
/// - `iovcnt`, `offset`, `flags`: see `nbd_ext_preadv`.
/// - `completion_callback`: called once when the command completes, with its errno
///   in `error`, or 0 on success. If it returns 1, the command is retired. Pass
///   `NBD_NULL_COMPLETION` for no callback.
///
/// # Result
///
/// The cookie of the command, which is 1 or more, or -1 on error.
///
/// # Errors
///
/// - Errors of `nbd_ext_preadv` that are detected before the request is sent. Later
///   errors are reported when the command completes.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_READ.
///
/// # Example
///
/// One read for eight pages of a cache that are not next to each other:
///
/// ```c
/// static char cache[64][4096];
/// static const int pages[8] = { 3, 60, 17, 4, 41, 22, 9, 50 };
/// ```
///
/// ```c
/// struct iovec iov[8];
/// int64_t cookie;
/// int i, r;
///
/// for (i = 0; i < 8; ++i)
///   iov[i] = (struct iovec) { cache[pages[i]], sizeof cache[0] };
/// cookie = nbd_ext_aio_preadv (nbd, iov, 8, 0, NBD_NULL_COMPLETION, 0);
/// if (cookie == -1)
///   return -1;
/// while ((r = nbd_aio_command_completed (nbd, cookie)) == 0)
///   if (nbd_poll (nbd, -1) == -1)
///     return -1;
/// if (r == -1)
///   return -1;
/// ```
///
/// # See also
///
/// `nbd_ext_preadv`, `nbd_ext_aio_pwritev`, `nbd_aio_pread`,
/// `nbd_aio_command_completed`; readv(2); libnbd(3), "CALLBACKS".
#[no_mangle]
pub unsafe extern "C" fn nbd_ext_aio_preadv(
    h: *mut nbd_handle,
    iov: *const iovec,
    iovcnt: c_int,
    offset: u64,
    completion_callback: nbd_completion_callback,
    flags: u32,
) -> i64 {
    // SAFETY: NULL, or an array that outlives the call, and whose buffers the program keeps until
    // the command completes.
    let iov = unsafe { Vector::new(iov, iovcnt) };
    let mut pieces = Pieces::new(iov);
    // SAFETY: as for the call itself.
    if unsafe { must_initialize(h) } {
        match &mut pieces {
            Ok(pieces) => pieces.clear(),
            Err(_) => iov.clear(),
        }
    }
    locked!(
        NBD_EXT_AIO_PREADV(
            h,
            iov: iov,
            iovcnt: iovcnt,
            offset: offset,
            completion: &completion_callback,
            flags: Mask(flags),
        ),
        |c| {
            let pieces = pieces?;
            c.issue_asynchronous(|mut issue| {
                issue.preadv(pieces, offset, completion_callback, flags)
            })
            .map(Cookie)
        }
    )
}

/// Writes to the export from several buffers.
///
/// This is `nbd_pwrite` for data that is in several places: one request, and the
/// data is sent from where it is, without copying it to a larger buffer. The buffers
/// are written in the order of the array; see writev(2).
///
/// # Parameters
///
/// - `iov`: the buffers. `iov_base` is the address of a buffer, and `iov_len` its
///   length, which may be 0. Their lengths together are the number of bytes to
///   write; see `count` of `nbd_pwrite`.
/// - `iovcnt`: number of buffers, at most 1024.
/// - `offset`: offset of the first byte in the export.
/// - `flags`: see `nbd_pwrite`.
///
/// # Errors
///
/// - `EINVAL`: `iovcnt` is negative or more than 1024.
/// - `EINVAL`: the lengths add up to more than `SSIZE_MAX`.
/// - `EFAULT`: a buffer whose length is not 0 is NULL.
/// - Errors of `nbd_pwrite`; `count` is the sum of the lengths.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_WRITE.
///
/// # Example
///
/// Write one text after the other, without joining them in memory first:
///
/// ```c
/// static char first[] = "to be ", second[] = "continued";
/// ```
///
/// ```c
/// const struct iovec iov[] = {
///   { .iov_base = first, .iov_len = strlen (first) },
///   { .iov_base = second, .iov_len = strlen (second) },
/// };
///
/// if (nbd_ext_pwritev (nbd, iov, 2, 0, 0) == -1) {
///   fprintf (stderr, "%s\n", nbd_get_error ());
///   return -1;
/// }
/// ```
///
/// # See also
///
/// `nbd_ext_aio_pwritev`, `nbd_ext_preadv`, `nbd_pwrite`; writev(2).
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_ext_pwritev(
    h: *mut nbd_handle,
    iov: *const iovec,
    iovcnt: c_int,
    offset: u64,
    flags: u32,
) -> c_int {
    // SAFETY: NULL, or an array that outlives the call, in which the command ends.
    let iov = unsafe { Vector::new(iov, iovcnt) };
    waiting!(
        NBD_EXT_PWRITEV(h, iov: iov, iovcnt: iovcnt, offset: offset, flags: Mask(flags)),
        async |c| {
            let pieces = Pieces::new(iov)?;
            let access = Access::write(offset, pieces.length() as u64);
            c.until_completed(access, |mut issue, done| {
                issue.pwritev(pieces, offset, done, flags)
            }).await
        }
    )
}

/// Starts a write to the export from several buffers.
///
/// This is the asynchronous form of `nbd_ext_pwritev`. Use it to keep several
/// commands in flight, or to write from a main loop.
///
/// # Parameters
///
/// - `iov`: the buffers; see `nbd_ext_pwritev`. The library does not copy the data,
///   so they must stay valid and unchanged until the command completes. The array
///   itself is no longer used when the call returns.
/// - `iovcnt`, `offset`, `flags`: see `nbd_ext_pwritev`.
/// - `completion_callback`: called once when the command completes, with its errno
///   in `error`, or 0 on success. If it returns 1, the command is retired. Pass
///   `NBD_NULL_COMPLETION` for no callback.
///
/// # Result
///
/// The cookie of the command, which is 1 or more, or -1 on error.
///
/// # Errors
///
/// - Errors of `nbd_ext_pwritev` that are detected before the request is sent. Later
///   errors are reported when the command completes.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_WRITE.
///
/// # See also
///
/// `nbd_ext_pwritev`, `nbd_ext_aio_preadv`, `nbd_aio_pwrite`,
/// `nbd_aio_command_completed`; writev(2); libnbd(3), "CALLBACKS".
#[no_mangle]
pub unsafe extern "C" fn nbd_ext_aio_pwritev(
    h: *mut nbd_handle,
    iov: *const iovec,
    iovcnt: c_int,
    offset: u64,
    completion_callback: nbd_completion_callback,
    flags: u32,
) -> i64 {
    // SAFETY: NULL, or an array that outlives the call, and whose buffers the program keeps until
    // the command completes.
    let iov = unsafe { Vector::new(iov, iovcnt) };
    locked!(
        NBD_EXT_AIO_PWRITEV(
            h,
            iov: iov,
            iovcnt: iovcnt,
            offset: offset,
            completion: &completion_callback,
            flags: Mask(flags),
        ),
        |c| {
            let pieces = Pieces::new(iov)?;
            c.issue_asynchronous(|mut issue| {
                issue.pwritev(pieces, offset, completion_callback, flags)
            })
            .map(Cookie)
        }
    )
}
