// SPDX-License-Identifier: LGPL-2.1-or-later

//! Messages of servers: what a server that the handle has started writes to standard error.

use libc::{c_char, c_int};

use crate::capi::boolean::c_bool;
use crate::capi::entry::locked;
use crate::capi::opaque::nbd_handle;

/// Sets whether the messages of a server are kept for the program.
///
/// A server that cannot start, for instance because its disk does not exist, writes the
/// reason to standard error and exits. The library only sees that the connection is
/// closed. With this setting, `nbd_ext_get_error_detail` returns the last lines that
/// the server has written, so that the program can show them.
///
/// This applies to processes that the handle starts: servers of `nbd_connect_command`
/// and `nbd_connect_systemd_socket_activation`, and ssh(1) for a URI.
///
/// As before, everything that the server writes also goes to the standard error of the
/// program, at once and unchanged. A small process does this as long as the server runs:
/// it reads a pipe that is the server's standard error. The program does not notice it:
/// it sends no `SIGCHLD`, and waitpid(2) does not find it. In lists of processes its
/// name is `nbd-stderr`. Some effects remain:
///
/// - For the server, standard error is a pipe and not a terminal. Some programs then
///   write without colours.
/// - The order of lines of the server and of the program is not guaranteed.
/// - The program has one more file descriptor, which is close-on-exec.
/// - The process is forked from the program. It releases the memory of the program, but
///   starting it takes as long as fork(2).
///
/// `nbd_close` waits until everything that the server has written is passed on.
///
/// # Parameters
///
/// - `enable`: true to keep the messages; false is the default.
///
/// # Example
///
/// ```c
/// char *argv[] = { "qemu-nbd", "-f", "qcow2", "disk.qcow2", NULL };
///
/// nbd_ext_set_capture_stderr (nbd, true);
/// if (nbd_connect_systemd_socket_activation (nbd, argv) == -1) {
///   char *detail = nbd_ext_get_error_detail (nbd);
///
///   if (detail != NULL)
///     fprintf (stderr, "the server says: %s\n", detail);
///   free (detail);
///   return -1;
/// }
/// ```
///
/// # See also
///
/// `nbd_ext_get_capture_stderr`, `nbd_ext_get_error_detail`, `nbd_connect_command`,
/// `nbd_connect_systemd_socket_activation`.
#[no_mangle]
pub unsafe extern "C" fn nbd_ext_set_capture_stderr(h: *mut nbd_handle, enable: c_bool) -> c_int {
    let enable = enable.get();
    locked!(
        NBD_EXT_SET_CAPTURE_STDERR(h, enable: enable),
        |connection| {
            connection.setup().settings().set_capture_stderr(enable);
            Ok(())
        }
    )
}

/// Checks whether the messages of a server are kept for the program.
///
/// Returns the setting of `nbd_ext_set_capture_stderr`.
///
/// # Result
///
/// 1 for yes, 0 for no. This function does not fail if `h` is a valid handle.
///
/// # See also
///
/// `nbd_ext_set_capture_stderr`.
#[no_mangle]
pub unsafe extern "C" fn nbd_ext_get_capture_stderr(h: *mut nbd_handle) -> c_int {
    locked!(NBD_EXT_GET_CAPTURE_STDERR(h), |connection| Ok(connection
        .setup()
        .settings()
        .captures_stderr()))
}

/// Returns the last lines that a server has written to standard error.
///
/// The program must have called `nbd_ext_set_capture_stderr` before connecting. Call
/// this after an error, or at any time before `nbd_close`.
///
/// The text has the last lines of at most 4096 bytes in total, without the line feed at
/// the end. A line at the beginning that is not complete is left out, unless it is the
/// only one. NUL bytes are replaced by `?`. The text is not sanitized: it comes from the
/// server's process, and may contain control characters.
///
/// The call waits for at most one second until what the server has written so far has
/// been passed on to the standard error of the program.
///
/// # Result
///
/// The text, or NULL on error. It is "" if the server has written nothing, if nothing
/// is kept, or if the handle has not started a process. In a child of fork(2), it is
/// the result of the last call before.
///
/// # See also
///
/// `nbd_ext_set_capture_stderr`, `nbd_get_error`.
#[no_mangle]
pub unsafe extern "C" fn nbd_ext_get_error_detail(h: *mut nbd_handle) -> *mut c_char {
    locked!(NBD_EXT_GET_ERROR_DETAIL(h), |connection| connection
        .server_process()
        .error_detail())
}
