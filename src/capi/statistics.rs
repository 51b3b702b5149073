// SPDX-License-Identifier: LGPL-2.1-or-later

//! Statistics: how much has gone over the connection. None of these calls ever
//! waits, so one thread can watch while another one is busy.

use super::entry::looking;
use super::opaque::nbd_handle;
use super::outcome::Counter;

/// Returns how many bytes were sent to the server.
///
/// All bytes of the NBD protocol count, the handshake and the headers of
/// requests too. With TLS the bytes on the wire are more: those counted here are
/// the ones before encryption.
///
/// # Result
///
/// A number of bytes. With a valid handle this function does not fail.
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
/// `nbd_stats_chunks_sent`, `nbd_stats_bytes_received`.
#[no_mangle]
pub unsafe extern "C" fn nbd_stats_bytes_sent(h: *mut nbd_handle) -> u64 {
    looking!(NBD_STATS_BYTES_SENT(h), |shared| Counter(
        shared.statistics().bytes_sent()
    ))
}

/// Returns how many protocol messages were sent to the server.
///
/// A message, or chunk, is what begins with a magic number of its own and cannot
/// be split further: an option of the handshake, or a request with its payload.
/// The number says nothing of system calls or network packets, which are fewer
/// where several messages go together.
///
/// # Result
///
/// A number of messages. With a valid handle this function does not fail.
///
/// # Standards
///
/// NBD protocol, "Transmission".
///
/// # See also
///
/// `nbd_stats_bytes_sent`, `nbd_stats_chunks_received`.
#[no_mangle]
pub unsafe extern "C" fn nbd_stats_chunks_sent(h: *mut nbd_handle) -> u64 {
    looking!(NBD_STATS_CHUNKS_SENT(h), |shared| Counter(
        shared.statistics().chunks_sent()
    ))
}

/// Returns how many bytes were received from the server.
///
/// Counted as those sent are, see `nbd_stats_bytes_sent`.
///
/// # Result
///
/// A number of bytes. With a valid handle this function does not fail.
///
/// # See also
///
/// `nbd_stats_chunks_received`, `nbd_stats_bytes_sent`.
#[no_mangle]
pub unsafe extern "C" fn nbd_stats_bytes_received(h: *mut nbd_handle) -> u64 {
    looking!(NBD_STATS_BYTES_RECEIVED(h), |shared| Counter(
        shared.statistics().bytes_received()
    ))
}

/// Returns how many protocol messages were received from the server.
///
/// The greeting of the server is one, however long the handshake is that
/// follows it; then every simple reply is one, and every chunk of a structured
/// reply, of which a command may have many.
///
/// # Result
///
/// A number of messages. With a valid handle this function does not fail.
///
/// # Standards
///
/// NBD protocol, "Transmission".
///
/// # See also
///
/// `nbd_stats_bytes_received`, `nbd_stats_chunks_sent`.
#[no_mangle]
pub unsafe extern "C" fn nbd_stats_chunks_received(h: *mut nbd_handle) -> u64 {
    looking!(NBD_STATS_CHUNKS_RECEIVED(h), |shared| Counter(
        shared.statistics().chunks_received()
    ))
}
