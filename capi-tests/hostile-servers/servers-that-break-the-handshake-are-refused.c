/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A server that violates the handshake rules makes connecting fail with a
 * message, and the handle is dead; the client neither crashes nor hangs.
 *
 * Source: proto.md, "Handshake phase".
 */
#include "../harness/harness.h"

static const char *const broken[] = {
  "greeting-magic",     "greeting-version",    "option-magic",
  "option-number",      "option-unknown-type", "option-long-error",
  "option-huge-length", "option-ack-payload",  "option-close",
  "info-export-short",  "info-export-long",    "info-block-size-short",
  "info-tiny",          "info-no-flags",
};

/* Unusual, but allowed or harmless. */
static const char *const harmless[] = {
  "greeting-flags",
  "option-unknown-error:1",
  "info-unknown",
  "info-unasked",
};

int
main (void)
{
  struct nbd_handle *h;
  size_t i;

  for (i = 0; i < sizeof broken / sizeof broken[0]; ++i) {
    h = nbd_create ();
    if (nbd_connect_command (h, server_command ("--block-size", "512,4096,1M",
                                                "--fault", (char *) broken[i]))
        == 0)
      fail (__FILE__, __LINE__, broken[i]);
    CHECK_MESSAGE ("nbd_connect_command: ");
    CHECK (nbd_aio_is_dead (h) == 1);
    nbd_close (h);
  }
  for (i = 0; i < sizeof harmless / sizeof harmless[0]; ++i) {
    h = nbd_create ();
    if (nbd_connect_command (h, server_command ("--size", "1M", "--fault",
                                                (char *) harmless[i]))
        == -1)
      fail (__FILE__, __LINE__, harmless[i]);
    CHECK (nbd_get_size (h) == 1 << 20);
    nbd_close (h);
  }
  return 0;
}
