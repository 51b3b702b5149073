/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each error that a server can reply to GO and INFO has a specific errno if one
 * fits, and leaves negotiation open.
 *
 * Source: proto.md, "Option reply types"; the errno values are the
 * C library's.
 */
#include "../harness/harness.h"

static const struct {
  const char *name;
  int error;
} replies[] = {
  { "POLICY", 0 },
  { "INVALID", EINVAL },
  { "PLATFORM", 0 },
  { "TLS_REQD", ENOTSUP },
  { "UNKNOWN", ENOENT },
  { "SHUTDOWN", ESHUTDOWN },
  { "BLOCK_SIZE_REQD", EINVAL },
  { "TOO_BIG", EINVAL },
  { "EXT_HEADER_REQD", 0 },
};

int
main (void)
{
  char go[64], info[64];
  struct nbd_handle *h;
  size_t i;

  for (i = 0; i < sizeof replies / sizeof replies[0]; ++i) {
    snprintf (go, sizeof go, "GO=%s", replies[i].name);
    snprintf (info, sizeof info, "INFO=%s", replies[i].name);
    h = negotiating ("--option-error", go, "--option-error", info);
    CHECK_ERROR (nbd_opt_info (h), replies[i].error);
    CHECK_MESSAGE ("nbd_opt_info: ");
    CHECK_ERROR (nbd_opt_go (h), replies[i].error);
    CHECK_MESSAGE ("nbd_opt_go: ");
    CHECK (nbd_aio_is_negotiating (h) == 1);
    CHECK (nbd_opt_abort (h) == 0);
    nbd_close (h);

    h = nbd_create ();
    CHECK_ERROR (nbd_connect_command (h, server_command ("--option-error", go)),
                 replies[i].error);
    CHECK (nbd_aio_is_dead (h) == 1);
    nbd_close (h);
  }
  return 0;
}
