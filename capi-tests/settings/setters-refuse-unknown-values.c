/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An undocumented flag or value is EINVAL, is named in the message, and leaves
 * the setting unchanged.
 *
 * Source: the page of each setter.
 */
#include "../harness/harness.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();

  CHECK_ERROR (nbd_set_handshake_flags (h, 0x4), EINVAL);
  CHECK_MESSAGE ("nbd_set_handshake_flags: flags: "
                 "invalid value for flag: 0x4: ");
  CHECK (nbd_get_handshake_flags (h) == LIBNBD_HANDSHAKE_FLAG_MASK);
  CHECK_ERROR (nbd_set_handshake_flags (h, UINT32_C (0x80000001)), EINVAL);
  CHECK_MESSAGE (": 0x80000001: ");

  CHECK_ERROR (nbd_set_strict_mode (h, LIBNBD_STRICT_MASK + 1), EINVAL);
  CHECK_MESSAGE ("nbd_set_strict_mode: flags: invalid value for flag: 0x80: ");
  CHECK (nbd_get_strict_mode (h) == LIBNBD_STRICT_MASK);

  CHECK_ERROR (nbd_set_uri_allow_transports (h, 0x10), EINVAL);
  CHECK_MESSAGE ("nbd_set_uri_allow_transports: mask: "
                 "invalid value for flag: 0x10: ");

  CHECK_ERROR (nbd_set_tls (h, 3), EINVAL);
  CHECK_MESSAGE ("nbd_set_tls: tls: invalid value for parameter: 3: ");
  CHECK_ERROR (nbd_set_tls (h, -1), EINVAL);
  CHECK_MESSAGE (": -1: ");
  CHECK (nbd_get_tls (h) == LIBNBD_TLS_DISABLE);
  CHECK_ERROR (nbd_set_uri_allow_tls (h, 3), EINVAL);
  CHECK_MESSAGE ("nbd_set_uri_allow_tls: tls: "
                 "invalid value for parameter: 3: ");
  nbd_close (h);
  return 0;
}
