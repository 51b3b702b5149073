// SPDX-License-Identifier: LGPL-2.1-or-later

//! Checks and safety settings.

use libc::c_int;

use super::boolean::c_bool;
use super::entry::locked;
use super::opaque::nbd_handle;
use super::outcome::Bits;
use super::trace::Mask;

/// Sets whether reads zero the bytes that they do not receive.
///
/// By default, the bytes that a failed read did not receive are zero. This protects
/// programs that use the buffer of a failed read by mistake: its previous contents
/// could be secret. `nbd_pread` zeroes these bytes when it fails; other reads fill
/// the whole buffer with zeroes before they send the request, which takes time. Turn
/// this off if the program always checks the result of reads.
///
/// # Parameters
///
/// - `request`: true to zero the bytes, which is the default, or false to leave them
///   unchanged.
///
/// # See also
///
/// `nbd_get_pread_initialize`, `nbd_pread`, `nbd_aio_pread`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_pread_initialize(h: *mut nbd_handle, request: c_bool) -> c_int {
    let request = request.get();
    locked!(
        NBD_SET_PREAD_INITIALIZE(h, request: request),
        |connection| {
            connection.setup().shared().set_pread_initialize(request);
            Ok(())
        }
    )
}

/// Checks whether reads zero the bytes that they do not receive.
///
/// Returns the setting of `nbd_set_pread_initialize`.
///
/// # Result
///
/// 1 for yes, 0 for no. This function does not fail if `h` is a valid handle.
///
/// # See also
///
/// `nbd_set_pread_initialize`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_pread_initialize(h: *mut nbd_handle) -> c_int {
    locked!(NBD_GET_PREAD_INITIALIZE(h), |connection| Ok(connection
        .setup()
        .shared()
        .pread_initialize()))
}

/// Sets which invalid requests the library refuses to send.
///
/// Use it to test servers. By default the library refuses requests that the protocol
/// forbids or that the server does not support: the call fails and nothing is sent.
/// Turn a check off to send such a request.
///
/// The checks are:
///
/// - `LIBNBD_STRICT_COMMANDS` (0x1): refuse commands and flags that the server does
///   not support, and changes to a read-only export.
/// - `LIBNBD_STRICT_FLAGS` (0x2): refuse flags that are unknown or do not apply to
///   the command. Flags above bit 15 are always refused, because they do not fit in
///   a request.
/// - `LIBNBD_STRICT_BOUNDS` (0x4): refuse requests that extend beyond the end of
///   the export.
/// - `LIBNBD_STRICT_ZERO_SIZE` (0x8): refuse requests for 0 bytes.
/// - `LIBNBD_STRICT_ALIGN` (0x10): refuse requests that are not aligned to the
///   minimum block size. The end of a request need not be aligned if it is the end
///   of the export.
/// - `LIBNBD_STRICT_PAYLOAD` (0x20): refuse writes of more than
///   `LIBNBD_SIZE_PAYLOAD` bytes (`nbd_get_block_size`). Writes of more than 64 MiB
///   are always refused.
/// - `LIBNBD_STRICT_AUTO_FLAG` (0x40): set or clear `LIBNBD_CMD_FLAG_PAYLOAD_LEN`
///   as the protocol requires. If this is off, the flag is sent as passed by the
///   program.
///
/// Later versions may add checks. To turn off a single check, clear its bit in the
/// value of `nbd_get_strict_mode`, as the example does.
///
/// # Parameters
///
/// - `flags`: a bitwise OR of the checks to make from now on; the default is all of
///   them.
///
/// # Errors
///
/// - `EINVAL`: `flags` has a bit outside `LIBNBD_STRICT_MASK`.
///
/// # Standards
///
/// NBD protocol, "Transmission phase" and "Block size constraints".
///
/// # Example
///
/// Send a read that begins at the end of the export:
///
/// ```c
/// char buf[512];
/// uint32_t flags = nbd_get_strict_mode (nbd);
///
/// nbd_set_strict_mode (nbd, flags & ~LIBNBD_STRICT_BOUNDS);
/// if (nbd_pread (nbd, buf, sizeof buf, nbd_get_size (nbd), 0) == -1)
///   printf ("the server replied: %s\n", nbd_get_error ());
/// ```
///
/// # See also
///
/// `nbd_get_strict_mode`, `nbd_get_block_size`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_strict_mode(h: *mut nbd_handle, flags: u32) -> c_int {
    locked!(NBD_SET_STRICT_MODE(h, flags: Mask(flags)), |connection| {
        connection.setup().settings().set_strict_mode(flags)
    })
}

/// Returns which invalid requests the library refuses to send.
///
/// Use it with `nbd_set_strict_mode` to turn off a single check.
///
/// # Result
///
/// A bitwise OR of `LIBNBD_STRICT_...` values. This function does not fail if `h` is
/// a valid handle.
///
/// # See also
///
/// `nbd_set_strict_mode`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_strict_mode(h: *mut nbd_handle) -> u32 {
    locked!(NBD_GET_STRICT_MODE(h), |connection| Ok(Bits(
        connection.setup().settings().strict_mode()
    )))
}
