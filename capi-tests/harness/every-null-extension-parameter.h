/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every pointer parameter of libnbd-ext.h after the handle that must not be NULL,
 * in the same form as in every-null-parameter.h.
 */
NULL_PARAMETER (nbd_ext_get_keepalive, ANY, idle,
                nbd_ext_get_keepalive (h, NULL, &NUMBERS[1], &NUMBERS[2]))
NULL_PARAMETER (nbd_ext_get_keepalive, ANY, interval,
                nbd_ext_get_keepalive (h, &NUMBERS[0], NULL, &NUMBERS[2]))
NULL_PARAMETER (nbd_ext_get_keepalive, ANY, count,
                nbd_ext_get_keepalive (h, &NUMBERS[0], &NUMBERS[1], NULL))
NULL_PARAMETER (nbd_ext_preadv, CONNECTED, iov,
                nbd_ext_preadv (h, NULL, 1, 0, 0))
NULL_PARAMETER (nbd_ext_aio_preadv, CONNECTED, iov,
                nbd_ext_aio_preadv (h, NULL, 1, 0, COMPLETION, 0))
NULL_PARAMETER (nbd_ext_pwritev, CONNECTED, iov,
                nbd_ext_pwritev (h, NULL, 1, 0, 0))
NULL_PARAMETER (nbd_ext_aio_pwritev, CONNECTED, iov,
                nbd_ext_aio_pwritev (h, NULL, 1, 0, COMPLETION, 0))
