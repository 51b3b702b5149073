// SPDX-License-Identifier: LGPL-2.1-or-later

//! Strictness: how careful the client is, with checks before a request is
//! sent, and clean buffers before one is read into.

use libc::c_int;

use super::boolean::c_bool;
use super::entry::locked;
use super::opaque::nbd_handle;
use super::outcome::Bits;
use super::trace::Mask;

/// Sets whether reads fill their buffer with zeroes first.
///
/// A program that does not notice a failed read then finds zeroes, and not what
/// the memory held before, which could be somebody's secret. Filling takes
/// time; a program that never looks at the buffer of a read that failed can
/// do without.
///
/// # Parameters
///
/// - `request`: whether to fill; true at first.
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

/// Returns whether reads fill their buffer with zeroes first.
///
/// It is so unless `nbd_set_pread_initialize` was called with false.
///
/// # Result
///
/// 1 for yes or 0 for no. With a valid handle this function does not fail.
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

/// Sets which mistakes in requests the client catches itself.
///
/// A request that the protocol forbids, or that the server has said it cannot
/// serve, fails at once and is not sent. All checks are on at first. To see how
/// a server takes such a request, turn the check off that stops it:
///
/// - `LIBNBD_STRICT_COMMANDS` (0x1): commands and flags that the server does not
///   offer, and writing to an export that is read-only.
/// - `LIBNBD_STRICT_FLAGS` (0x2): flags that are unknown, or have no meaning for
///   the command. Flags above the lower 16 bits fail in any case: they do not
///   fit into a request.
/// - `LIBNBD_STRICT_BOUNDS` (0x4): requests that go beyond the end of the export.
/// - `LIBNBD_STRICT_ZERO_SIZE` (0x8): requests for 0 bytes.
/// - `LIBNBD_STRICT_ALIGN` (0x10): requests that are not made of whole blocks of
///   the smallest size that the server takes; one that ends with the export may
///   end there.
/// - `LIBNBD_STRICT_PAYLOAD` (0x20): writes of more than `LIBNBD_SIZE_PAYLOAD`
///   bytes, see `nbd_get_block_size`. More than 64 MiB fails in any case.
/// - `LIBNBD_STRICT_AUTO_FLAG` (0x40): not a check. `LIBNBD_CMD_FLAG_PAYLOAD_LEN`
///   is set as the protocol wants it, whatever the program passes. Without it,
///   the program's flag is what is sent.
///
/// Flags may be added in later versions, so to turn one off, take it out of what
/// `nbd_get_strict_mode` returns.
///
/// # Parameters
///
/// - `flags`: the sum of those that are to be in force from now on.
///
/// # Errors
///
/// - `EINVAL`: a bit outside `LIBNBD_STRICT_MASK` is set.
///
/// # Standards
///
/// NBD protocol, "Transmission phase" and "Block size constraints".
///
/// # Example
///
/// Sends a request that goes beyond the end of the export:
///
/// ```c
/// char buf[512];
/// uint32_t flags = nbd_get_strict_mode (nbd);
///
/// nbd_set_strict_mode (nbd, flags & ~LIBNBD_STRICT_BOUNDS);
/// if (nbd_pread (nbd, buf, sizeof buf, nbd_get_size (nbd), 0) == -1)
///   printf ("the server says: %s\n", nbd_get_error ());
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

/// Returns which mistakes in requests the client catches itself.
///
/// That is what `nbd_set_strict_mode` set last, all checks at first. It is what
/// to begin with in order to turn one check off.
///
/// # Result
///
/// A sum of `LIBNBD_STRICT_...`. With a valid handle this
/// function does not fail.
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
