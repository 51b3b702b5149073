// SPDX-License-Identifier: LGPL-2.1-or-later

//! Statistics.
//!
//! None of these functions waits, so one thread can read the counters while another
//! one waits for the server.

use super::entry::unlocked;
use super::opaque::nbd_handle;
use super::outcome::Counter;

/// Returns the number of bytes sent to the server.
///
/// Use it to measure the traffic of a handle. All bytes of the NBD protocol count,
/// including the handshake and the headers of requests. With TLS, bytes are counted
/// before encryption. The call never waits.
///
/// # Result
///
/// The number of bytes. This function does not fail if `h` is a valid handle.
///
/// # Example
///
/// ```c
/// printf ("%" PRIu64 " bytes sent, %" PRIu64 " received\n",
///         nbd_stats_bytes_sent (nbd), nbd_stats_bytes_received (nbd));
/// ```
///
/// # See also
///
/// `nbd_stats_chunks_sent`, `nbd_stats_bytes_received`; libnbd(3), "STATISTICS".
#[no_mangle]
pub unsafe extern "C" fn nbd_stats_bytes_sent(h: *mut nbd_handle) -> u64 {
    unlocked!(NBD_STATS_BYTES_SENT(h), |shared| Counter(
        shared.statistics().bytes_sent()
    ))
}

/// Returns the number of protocol messages sent to the server.
///
/// Use it with `nbd_stats_bytes_sent` to find the average size of a message. A
/// message is a unit of the protocol with a magic number of its own: an option of
/// the handshake, or a request with its payload. The number of system calls and of
/// network packets can be smaller, because several messages can be sent together.
/// The call never waits.
///
/// # Result
///
/// The number of messages. This function does not fail if `h` is a valid handle.
///
/// # Standards
///
/// NBD protocol, "Transmission".
///
/// # See also
///
/// `nbd_stats_bytes_sent`, `nbd_stats_chunks_received`; libnbd(3), "STATISTICS".
#[no_mangle]
pub unsafe extern "C" fn nbd_stats_chunks_sent(h: *mut nbd_handle) -> u64 {
    unlocked!(NBD_STATS_CHUNKS_SENT(h), |shared| Counter(
        shared.statistics().chunks_sent()
    ))
}

/// Returns the number of bytes received from the server.
///
/// Use it to measure the traffic of a handle. All bytes of the NBD protocol count,
/// including the handshake and the headers of replies. With TLS, bytes are counted
/// after decryption. The call never waits.
///
/// # Result
///
/// The number of bytes. This function does not fail if `h` is a valid handle.
///
/// # See also
///
/// `nbd_stats_chunks_received`, `nbd_stats_bytes_sent`; libnbd(3), "STATISTICS".
#[no_mangle]
pub unsafe extern "C" fn nbd_stats_bytes_received(h: *mut nbd_handle) -> u64 {
    unlocked!(NBD_STATS_BYTES_RECEIVED(h), |shared| Counter(
        shared.statistics().bytes_received()
    ))
}

/// Returns the number of protocol messages received from the server.
///
/// Use it to find out into how many messages the server splits its replies. The
/// handshake counts as one message, of any length. After it, each simple reply and
/// each chunk of a structured reply counts as one. The call never waits.
///
/// # Result
///
/// The number of messages. This function does not fail if `h` is a valid handle.
///
/// # Standards
///
/// NBD protocol, "Transmission".
///
/// # See also
///
/// `nbd_stats_bytes_received`, `nbd_stats_chunks_sent`; libnbd(3), "STATISTICS".
#[no_mangle]
pub unsafe extern "C" fn nbd_stats_chunks_received(h: *mut nbd_handle) -> u64 {
    unlocked!(NBD_STATS_CHUNKS_RECEIVED(h), |shared| Counter(
        shared.statistics().chunks_received()
    ))
}
