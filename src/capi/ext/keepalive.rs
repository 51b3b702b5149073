// SPDX-License-Identifier: LGPL-2.1-or-later

//! Dead servers: TCP's own ways to detect them.

use libc::c_int;

use crate::capi::entry::locked;
use crate::capi::opaque::nbd_handle;
use crate::capi::trace::Out;

/// Sets when TCP probes an idle server.
///
/// Use it to detect that the machine of the server has crashed or that the network is
/// down. Without probes, a connection over which nothing is sent lasts forever. With
/// them, the kernel sends a probe after `idle` seconds without traffic, and then one
/// every `interval` seconds. After `count` probes without an answer the connection
/// fails with `ETIMEDOUT`: `nbd_poll` and synchronous commands fail, and the handle is
/// dead. In a main loop of your own, poll(2) reports the failure.
///
/// Probes are sent only while the server has acknowledged all data. To limit the
/// time for unacknowledged requests as well, use `nbd_ext_set_user_timeout`. If both
/// are set, the user timeout replaces `count`: the connection fails when the server
/// has not answered for that long.
///
/// The machine answers the probes, not the server. So probes do not detect a server
/// that is running but does not reply.
///
/// This applies to TCP connections that the library makes itself: those of
/// `nbd_connect_tcp`, `nbd_connect_uri`, `nbd_aio_connect` and their asynchronous
/// forms. It has no effect on other sockets, nor on the socket of the program in
/// `nbd_connect_socket`. It sets the socket options `SO_KEEPALIVE`, `TCP_KEEPIDLE`,
/// `TCP_KEEPINTVL` and `TCP_KEEPCNT`. By default the library sets none of them, like
/// the C library.
///
/// # Parameters
///
/// - `idle`: time without traffic before the first probe, in seconds: 1 to 32767.
/// - `interval`: time between probes, in seconds: 1 to 32767.
/// - `count`: number of unanswered probes after which the connection fails: 1 to
///   127. If all three are 0, which is the default, no probes are sent.
///
/// # Errors
///
/// - `EINVAL`: a parameter is out of range.
///
/// # Standards
///
/// Linux: tcp(7), socket(7).
///
/// # Example
///
/// A server that does not answer for about a minute is dead, also while the
/// connection is idle:
///
/// ```c
/// if (nbd_ext_set_keepalive (nbd, 30, 10, 3) == -1 ||
///     nbd_ext_set_user_timeout (nbd, 60 * 1000) == -1 ||
///     nbd_connect_tcp (nbd, "server", "nbd") == -1) {
///   fprintf (stderr, "%s\n", nbd_get_error ());
///   return -1;
/// }
/// ```
///
/// # See also
///
/// `nbd_ext_get_keepalive`, `nbd_ext_set_user_timeout`, `nbd_connect_tcp`; tcp(7).
#[no_mangle]
pub unsafe extern "C" fn nbd_ext_set_keepalive(
    h: *mut nbd_handle,
    idle: c_int,
    interval: c_int,
    count: c_int,
) -> c_int {
    locked!(
        NBD_EXT_SET_KEEPALIVE(h, idle: idle, interval: interval, count: count),
        |connection| connection.setup().settings().tcp.set_keepalive(idle, interval, count)
    )
}

/// Returns when TCP probes an idle server.
///
/// Returns the settings of `nbd_ext_set_keepalive`.
///
/// # Parameters
///
/// - `idle`: set to the time before the first probe, in seconds.
/// - `interval`: set to the time between probes, in seconds.
/// - `count`: set to the number of unanswered probes after which the connection
///   fails. All three are 0 if no probes are sent.
///
/// # See also
///
/// `nbd_ext_set_keepalive`.
#[no_mangle]
pub unsafe extern "C" fn nbd_ext_get_keepalive(
    h: *mut nbd_handle,
    idle: *mut c_int,
    interval: *mut c_int,
    count: *mut c_int,
) -> c_int {
    // SAFETY: each is NULL, or the address of an int of the program.
    let [idle, interval, count] = [idle, interval, count].map(|it| unsafe { Out::new(it) });
    locked!(
        NBD_EXT_GET_KEEPALIVE(h, idle: idle, interval: interval, count: count),
        |connection| {
            let keepalive = connection.setup().settings().tcp.keepalive();
            idle.put(keepalive.idle);
            interval.put(keepalive.interval);
            count.put(keepalive.count);
            Ok(())
        }
    )
}

/// Sets how long TCP waits for an acknowledgement.
///
/// Use it to detect a dead server while requests are sent. By default, the kernel
/// repeats a request for about a quarter of an hour before the connection fails. With
/// this timeout, the connection fails with `ETIMEDOUT` when sent data has not been
/// acknowledged for `milliseconds`: `nbd_poll` and synchronous commands fail, and the
/// handle is dead.
///
/// The kernel of the other machine acknowledges data, not the server: a request that
/// has arrived is acknowledged at once, even if the server takes long to reply. If the
/// server stops receiving, the connection fails when data has waited for that time for
/// space in the server's receive buffer.
///
/// Current kernels also limit the time for connecting, for each address of a host.
///
/// This has no effect while nothing is sent; see `nbd_ext_set_keepalive`. The kernel
/// measures in steps of its retransmissions, so the connection can last longer than
/// `milliseconds`, in particular if that is less than a few seconds.
///
/// This applies to the same connections as `nbd_ext_set_keepalive`. It sets the
/// socket option `TCP_USER_TIMEOUT`. By default the library does not set it, like
/// the C library.
///
/// # Parameters
///
/// - `milliseconds`: the time, from 1 to 2147483647, or 0 for the default of the
///   system.
///
/// # Errors
///
/// - `EINVAL`: `milliseconds` is negative.
///
/// # Standards
///
/// Linux: tcp(7); RFC 5482.
///
/// # Example
///
/// ```c
/// if (nbd_ext_set_user_timeout (nbd, 30 * 1000) == -1) {
///   fprintf (stderr, "%s\n", nbd_get_error ());
///   return -1;
/// }
/// ```
///
/// # See also
///
/// `nbd_ext_get_user_timeout`, `nbd_ext_set_keepalive`, `nbd_connect_tcp`; tcp(7).
#[no_mangle]
pub unsafe extern "C" fn nbd_ext_set_user_timeout(
    h: *mut nbd_handle,
    milliseconds: c_int,
) -> c_int {
    locked!(
        NBD_EXT_SET_USER_TIMEOUT(h, milliseconds: milliseconds),
        |connection| connection.setup().settings().tcp.set_user_timeout(milliseconds)
    )
}

/// Returns how long TCP waits for an acknowledgement.
///
/// Returns the setting of `nbd_ext_set_user_timeout`.
///
/// # Result
///
/// The time in milliseconds, or 0 if it is the default of the system. This function
/// does not fail if `h` is a valid handle.
///
/// # See also
///
/// `nbd_ext_set_user_timeout`.
#[no_mangle]
pub unsafe extern "C" fn nbd_ext_get_user_timeout(h: *mut nbd_handle) -> c_int {
    locked!(NBD_EXT_GET_USER_TIMEOUT(h), |connection| Ok(connection
        .setup()
        .settings()
        .tcp
        .user_timeout()))
}
