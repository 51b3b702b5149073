/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every function of libnbd-ext.h that takes a handle, in the same form as in
 * every-function.h.
 */
FUNCTION (nbd_ext_set_keepalive, CREATED, nbd_ext_set_keepalive (h, 60, 10, 6))
FUNCTION (nbd_ext_get_keepalive, ANY,
          nbd_ext_get_keepalive (h, &NUMBERS[0], &NUMBERS[1], &NUMBERS[2]))
FUNCTION (nbd_ext_set_user_timeout, CREATED, nbd_ext_set_user_timeout (h, 1000))
FUNCTION (nbd_ext_get_user_timeout, ANY, nbd_ext_get_user_timeout (h))
FUNCTION (nbd_ext_set_capture_stderr, CREATED,
          nbd_ext_set_capture_stderr (h, true))
FUNCTION (nbd_ext_get_capture_stderr, ANY, nbd_ext_get_capture_stderr (h))
FUNCTION (nbd_ext_get_error_detail, ANY,
          RELEASED (nbd_ext_get_error_detail (h)))
FUNCTION (nbd_ext_set_timeout, ANY, nbd_ext_set_timeout (h, 1000))
FUNCTION (nbd_ext_get_timeout, ANY, nbd_ext_get_timeout (h))
FUNCTION (nbd_ext_set_cancellable, ANY, nbd_ext_set_cancellable (h, true))
FUNCTION (nbd_ext_get_cancellable, ANY, nbd_ext_get_cancellable (h))
FUNCTION (nbd_ext_cancel, ANY,
          (nbd_ext_set_cancellable (h, true), nbd_ext_cancel (h)))
FUNCTION (nbd_ext_aio_cancel, ANY, nbd_ext_aio_cancel (h, 1))
FUNCTION (nbd_ext_preadv, CONNECTED, nbd_ext_preadv (h, IOV, 1, 0, 0))
FUNCTION (nbd_ext_pwritev, CONNECTED, nbd_ext_pwritev (h, IOV, 1, 0, 0))
FUNCTION (nbd_ext_aio_preadv, CONNECTED,
          nbd_ext_aio_preadv (h, IOV, 1, 0, COMPLETION, 0))
FUNCTION (nbd_ext_aio_pwritev, CONNECTED,
          nbd_ext_aio_pwritev (h, IOV, 1, 0, COMPLETION, 0))
FUNCTION (nbd_ext_set_batching, ANY, nbd_ext_set_batching (h, false))
FUNCTION (nbd_ext_get_batching, ANY, nbd_ext_get_batching (h))
FUNCTION (nbd_ext_send, CONNECTED, nbd_ext_send (h))
