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
