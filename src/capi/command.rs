// SPDX-License-Identifier: LGPL-2.1-or-later

//! Data commands that wait for the server's reply.
//!
//! Commands already in flight go on meanwhile, and their callbacks are called.
//! Requests are checked before they are sent, see `nbd_set_strict_mode`; an error
//! that the server replies with is passed on, and leaves the connection as it is.

use libc::{c_int, c_void, size_t};

use super::entry::{initialize, locked};
use super::opaque::nbd_handle;
use super::trace::Mask;
use crate::handle::buffer::{ReadBuffer, WriteBuffer};
use crate::handle::callback::nbd_chunk_callback;
use crate::handle::Access;

/// Reads from the export and waits until the data is there.
///
/// The read succeeds as a whole or fails as a whole.
///
/// # Parameters
///
/// - `buf`: where the data goes, `count` bytes of the caller's. It is filled with
///   zeroes first, unless `nbd_set_pread_initialize` says not to; after an error
///   what it holds is undefined beyond that.
/// - `count`: how many bytes.
/// - `offset`: where in the export, in bytes.
/// - `flags`: 0; the protocol has none for this yet.
///
/// # Errors
///
/// - `EINVAL`: the range is empty, goes beyond the export, or is not made of whole
///   blocks; or a flag is set that has no meaning here.
/// - `ERANGE`: `count` is more than 64 MiB.
/// - `ENOTCONN`: the connection ended before the reply.
/// - `EPROTO`: the reply did not fit the request.
/// - Those that the server replies with, such as `EIO`.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_READ.
///
/// # Example
///
/// Reads the whole export, piece by piece:
///
/// ```c
/// static char buf[1 << 20];
/// ```
///
/// ```c
/// int64_t size = nbd_get_size (nbd), offset;
///
/// for (offset = 0; offset < size; offset += sizeof buf) {
///   size_t count = sizeof buf;
///
///   if (size - offset < (int64_t) count)
///     count = size - offset;
///   if (nbd_pread (nbd, buf, count, offset, 0) == -1)
///     return -1;
///   fwrite (buf, 1, count, stdout);
/// }
/// ```
///
/// # See also
///
/// `nbd_aio_pread`, `nbd_pread_structured`, `nbd_get_block_size`.
#[no_mangle]
pub unsafe extern "C" fn nbd_pread(
    h: *mut nbd_handle,
    buf: *mut c_void,
    count: size_t,
    offset: u64,
    flags: u32,
) -> c_int {
    // SAFETY: NULL or `count` bytes of the caller's, there for the length of the
    // call, in which the command ends.
    let mut buf = unsafe { ReadBuffer::new(buf, count) };
    // SAFETY: as for the call itself.
    unsafe { initialize(h, &mut buf) };
    locked!(
        NBD_PREAD(h, buf: &buf, count: count, offset: offset, flags: Mask(flags)),
        |c| {
            let access = Access::read(offset, count as u64);
            c.until_completed(access, |mut issue, done| {
                issue.pread(buf, offset, done, flags)
            })
        }
    )
}

/// Reads from the export piece by piece and waits until it is done.
///
/// A server may answer in pieces, in any order, and may say that some of them are
/// holes. The callback is told of each when it is in the buffer. Whether the
/// pieces fit together is only checked by their total size. On a connection
/// without structured replies there is one piece.
///
/// The callback is called with its `user_data` and
///
/// - `subbuf`, `count`: the piece, which lies in `buf`, in bytes;
/// - `offset`: where in the export it begins, in bytes;
/// - `status`: `LIBNBD_READ_DATA` (1) for data, `LIBNBD_READ_HOLE` (2) for a hole,
///   whose bytes are zero, or `LIBNBD_READ_ERROR` (3) for an error at that offset,
///   with a `count` of 0;
/// - `error`: the errno of that error, or for the other two, of the first error
///   so far, or 0.
///
/// When it returns -1, the read fails with the errno that it has put into
/// `error`, or else `EPROTO`, unless it had failed before; further pieces are
/// passed to it all the same. It must not call functions of libnbd on the same
/// handle. A piece of a kind that this version does not know is not passed on.
///
/// # Parameters
///
/// - `buf`, `count`, `offset`: as in `nbd_pread`.
/// - `chunk_callback`: the callback; freed when the read is done.
/// - `flags`: 0, or `LIBNBD_CMD_FLAG_DF` to ask for a single piece
///   (`nbd_can_df`).
///
/// # Errors
///
/// - Those of `nbd_pread`, and those of the callback.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_READ and "Structured reply chunk message".
///
/// # Example
///
/// ```c
/// static int
/// chunk (void *user_data, const void *subbuf, size_t count,
///        uint64_t offset, unsigned status, int *error)
/// {
///   if (status == LIBNBD_READ_HOLE)
///     printf ("hole: %zu bytes at %" PRIu64 "\n", count, offset);
///   return 0;
/// }
/// ```
///
/// ```c
/// char buf[65536];
/// nbd_chunk_callback callback = { .callback = chunk };
///
/// return nbd_pread_structured (nbd, buf, sizeof buf, 0, callback, 0);
/// ```
///
/// # See also
///
/// `nbd_aio_pread_structured`, `nbd_pread`, `nbd_can_df`; libnbd(3), "CALLBACKS".
#[no_mangle]
pub unsafe extern "C" fn nbd_pread_structured(
    h: *mut nbd_handle,
    buf: *mut c_void,
    count: size_t,
    offset: u64,
    chunk_callback: nbd_chunk_callback,
    flags: u32,
) -> c_int {
    // SAFETY: NULL or `count` bytes of the caller's, there for the length of the
    // call, in which the command ends.
    let mut buf = unsafe { ReadBuffer::new(buf, count) };
    // SAFETY: as for the call itself.
    unsafe { initialize(h, &mut buf) };
    locked!(
        NBD_PREAD_STRUCTURED(
            h,
            buf: &buf,
            count: count,
            offset: offset,
            chunk: &chunk_callback,
            flags: Mask(flags),
        ),
        |c| c.until_completed(Access::Alone, |mut issue, done| {
            issue.pread_structured(buf, offset, chunk_callback, done, flags)
        })
    )
}

/// Writes to the export and waits until the server has taken the data.
///
/// That the data is safe when this returns is not said, see `nbd_flush`, unless
/// `LIBNBD_CMD_FLAG_FUA` asks for it. A write that fails may have been done in
/// part.
///
/// # Parameters
///
/// - `buf`: the data, `count` bytes.
/// - `count`: how many bytes, at most what `nbd_get_block_size` has for
///   `LIBNBD_SIZE_PAYLOAD`.
/// - `offset`: where in the export, in bytes.
/// - `flags`: 0, or `LIBNBD_CMD_FLAG_FUA` for data that is on permanent storage
///   when the command ends (`nbd_can_fua`). `LIBNBD_CMD_FLAG_PAYLOAD_LEN` is set
///   or cleared as the connection needs it, unless `nbd_set_strict_mode` leaves
///   that to the program.
///
/// # Errors
///
/// - `EPERM`: the export is read-only.
/// - `EINVAL`: the range is empty or is not made of whole blocks; or a flag is set
///   that has no meaning here, or that the server does not have.
/// - `ENOSPC`: the range goes beyond the export.
/// - `ERANGE`: `count` is too large.
/// - `ENOTCONN`: the connection ended before the reply.
/// - Those that the server replies with, such as `ENOSPC`.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_WRITE.
///
/// # Example
///
/// A write that is on permanent storage when it returns:
///
/// ```c
/// char sector[512] = "hello";
///
/// if (nbd_can_fua (nbd) == 1)
///   return nbd_pwrite (nbd, sector, sizeof sector, 0,
///                      LIBNBD_CMD_FLAG_FUA);
/// if (nbd_pwrite (nbd, sector, sizeof sector, 0, 0) == -1)
///   return -1;
/// return nbd_flush (nbd, 0);
/// ```
///
/// # See also
///
/// `nbd_aio_pwrite`, `nbd_is_read_only`, `nbd_zero`, `nbd_flush`.
#[no_mangle]
pub unsafe extern "C" fn nbd_pwrite(
    h: *mut nbd_handle,
    buf: *const c_void,
    count: size_t,
    offset: u64,
    flags: u32,
) -> c_int {
    // SAFETY: NULL or `count` bytes of the caller's, there for the length of the
    // call, in which the command ends.
    let buf = unsafe { WriteBuffer::new(buf, count) };
    locked!(
        NBD_PWRITE(h, buf: buf, count: count, offset: offset, flags: Mask(flags)),
        |c| {
            let access = Access::write(offset, count as u64);
            c.until_completed(access, |mut issue, done| {
                issue.pwrite(buf, offset, done, flags)
            })
        }
    )
}

/// Says goodbye to the server and waits until the connection is closed.
///
/// A connection that reads and writes ends with a disconnect request, one that
/// is negotiating with an abort of the negotiation. The server may carry out what
/// it has been asked before; commands that it does not answer fail with
/// `ENOTCONN`. `nbd_close` works without this: the server only sees the difference
/// between a goodbye and none.
///
/// # Parameters
///
/// - `flags`: 0, or `LIBNBD_SHUTDOWN_ABANDON_PENDING` (0x10000) to drop commands
///   that wait to be sent, instead of sending them first.
///
/// # Errors
///
/// - `EINVAL`: an unknown flag is set.
/// - Those of a connection that ends in the middle of a reply.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_DISC and NBD_OPT_ABORT.
///
/// # Example
///
/// ```c
/// if (nbd_shutdown (nbd, 0) == -1)
///   fprintf (stderr, "%s\n", nbd_get_error ());
/// nbd_close (nbd);
/// ```
///
/// # See also
///
/// `nbd_aio_disconnect`, `nbd_aio_opt_abort`, `nbd_close`.
#[no_mangle]
pub unsafe extern "C" fn nbd_shutdown(h: *mut nbd_handle, flags: u32) -> c_int {
    locked!(NBD_SHUTDOWN(h, flags: Mask(flags)), |connection| connection
        .shutdown(flags))
}

/// Makes sure that what was written is safe, and waits for it.
///
/// It concerns the writes, trims and zeroings that were complete before this
/// began: they are on permanent storage when it succeeds. Commands still in
/// flight are not included.
///
/// # Parameters
///
/// - `flags`: 0; the protocol has none for this yet.
///
/// # Errors
///
/// - `EINVAL`: the server has no flush command (`nbd_can_flush`), or a flag is
///   set.
/// - `ENOTCONN`: the connection ended before the reply.
/// - Those that the server replies with, such as `EIO`.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_FLUSH and "Ordering of messages and writes".
///
/// # See also
///
/// `nbd_aio_flush`, `nbd_can_flush`, `nbd_pwrite`.
#[no_mangle]
pub unsafe extern "C" fn nbd_flush(h: *mut nbd_handle, flags: u32) -> c_int {
    locked!(NBD_FLUSH(h, flags: Mask(flags)), |c| {
        c.until_completed(Access::Flush, |mut issue, done| issue.flush(done, flags))
    })
}

/// Tells the server that a range is no longer needed, and waits.
///
/// The server may make a hole of it and may leave it alone. What is read there
/// afterwards is undefined, except that it often is zeroes; `nbd_zero` makes sure.
///
/// # Parameters
///
/// - `count`: how many bytes. 4 GiB and more take extended headers
///   (`nbd_get_extended_headers_negotiated`), and a server may take less.
/// - `offset`: where in the export, in bytes.
/// - `flags`: 0, or `LIBNBD_CMD_FLAG_FUA` to have the change on permanent storage
///   when the command ends (`nbd_can_fua`).
///
/// # Errors
///
/// - `EPERM`: the export is read-only.
/// - `EINVAL`: the server has no trim command (`nbd_can_trim`); or the range is
///   empty or is not made of whole blocks; or a flag is set that has no meaning
///   here, or that the server does not have.
/// - `ENOSPC`: the range goes beyond the export.
/// - `ERANGE`: `count` is too large for a request on this connection.
/// - `ENOTCONN`: the connection ended before the reply.
/// - Those that the server replies with.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_TRIM.
///
/// # See also
///
/// `nbd_aio_trim`, `nbd_can_trim`, `nbd_zero`.
#[no_mangle]
pub unsafe extern "C" fn nbd_trim(
    h: *mut nbd_handle,
    count: u64,
    offset: u64,
    flags: u32,
) -> c_int {
    locked!(
        NBD_TRIM(h, count: count, offset: offset, flags: Mask(flags)),
        |c| {
            let access = Access::write(offset, count);
            c.until_completed(access, |mut issue, done| {
                issue.trim(count, offset, done, flags)
            })
        }
    )
}

/// Tells the server that a range will be read soon, and waits.
///
/// The server may fetch it into memory that is faster to read from, and may do
/// nothing.
///
/// # Parameters
///
/// - `count`: how many bytes. 4 GiB and more take extended headers
///   (`nbd_get_extended_headers_negotiated`), and a server may take less.
/// - `offset`: where in the export, in bytes.
/// - `flags`: 0; the protocol has none for this yet.
///
/// # Errors
///
/// - `EINVAL`: the server has no cache command (`nbd_can_cache`); or the range is
///   empty, goes beyond the export, or is not made of whole blocks; or a flag is
///   set.
/// - `ERANGE`: `count` is too large for a request on this connection.
/// - `ENOTCONN`: the connection ended before the reply.
/// - Those that the server replies with.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_CACHE.
///
/// # See also
///
/// `nbd_aio_cache`, `nbd_can_cache`, `nbd_pread`.
#[no_mangle]
pub unsafe extern "C" fn nbd_cache(
    h: *mut nbd_handle,
    count: u64,
    offset: u64,
    flags: u32,
) -> c_int {
    locked!(
        NBD_CACHE(h, count: count, offset: offset, flags: Mask(flags)),
        |c| {
            let access = Access::read(offset, count);
            c.until_completed(access, |mut issue, done| {
                issue.cache(count, offset, done, flags)
            })
        }
    )
}

/// Writes zeroes without sending them, and waits until that is done.
///
/// The range reads as zeroes afterwards. How the server does it is its business:
/// often by making a hole, which takes no time.
///
/// # Parameters
///
/// - `count`: how many bytes. 4 GiB and more take extended headers
///   (`nbd_get_extended_headers_negotiated`), and a server may take less.
/// - `offset`: where in the export, in bytes.
/// - `flags`: 0, or a sum of `LIBNBD_CMD_FLAG_FUA` to have the zeroes on permanent
///   storage when the command ends (`nbd_can_fua`), `LIBNBD_CMD_FLAG_NO_HOLE` to
///   have storage allocated for them, and `LIBNBD_CMD_FLAG_FAST_ZERO` to fail
///   with `ENOTSUP` where it would take as long as writing
///   (`nbd_can_fast_zero`).
///
/// # Errors
///
/// - `EPERM`: the export is read-only.
/// - `EINVAL`: the server has no zero command (`nbd_can_zero`); or the range is
///   empty or is not made of whole blocks; or a flag is set that has no meaning
///   here, or that the server does not have.
/// - `ENOSPC`: the range goes beyond the export.
/// - `ERANGE`: `count` is too large for a request on this connection.
/// - `ENOTCONN`: the connection ended before the reply.
/// - Those that the server replies with, such as `ENOTSUP` for
///   `LIBNBD_CMD_FLAG_FAST_ZERO`.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_WRITE_ZEROES.
///
/// # Example
///
/// Zeroes that keep their storage, so that later writes cannot run out of it:
///
/// ```c
/// if (nbd_can_zero (nbd) == 1)
///   return nbd_zero (nbd, 1 << 20, 0, LIBNBD_CMD_FLAG_NO_HOLE);
/// ```
///
/// # See also
///
/// `nbd_aio_zero`, `nbd_can_zero`, `nbd_can_fast_zero`, `nbd_trim`.
#[no_mangle]
pub unsafe extern "C" fn nbd_zero(
    h: *mut nbd_handle,
    count: u64,
    offset: u64,
    flags: u32,
) -> c_int {
    locked!(
        NBD_ZERO(h, count: count, offset: offset, flags: Mask(flags)),
        |c| {
            let access = Access::write(offset, count);
            c.until_completed(access, |mut issue, done| {
                issue.zero(count, offset, done, flags)
            })
        }
    )
}
