/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* On a connection with simple replies only, an unknown cookie or magic means
 * that the position in the stream is lost: the handle dies.  Any other
 * violation ends in an error, not in a hang.
 * Source: proto.md, "Simple reply message".
 */
#include "../harness/commands.h"

static char *const lost[] = {
  "reply-magic:1",       "reply-cookie:1",      "reply-unknown-chunk:1",
  "reply-wrong-chunk:1", "reply-huge-length:1",
};

int
main (void)
{
  struct nbd_handle *h;

  for (size_t i = 0; i < ITEMS (lost); ++i) {
    h = connected ("--no-structured-replies", "--fault", lost[i]);
    CHECK (nbd_flush (h, 0) == -1);
    CHECK (nbd_aio_is_dead (h) == 1);
    CHECK_ERROR (nbd_flush (h, 0), EINVAL);
    nbd_close (h);
  }

  h = connected ("--no-structured-replies", "--unknown-cookie");
  CHECK_ERROR (nbd_flush (h, 0), EPROTO);
  CHECK_MESSAGE ("nbd_flush: no matching cookie ");
  nbd_close (h);

  h = connected ("--no-structured-replies", "--fault", "reply-twice:1");
  /* The first reply counts, even if the same call handles the second one. */
  CHECK (nbd_flush (h, 0) == 0);
  CHECK (nbd_flush (h, 0) == -1);
  CHECK (nbd_aio_is_dead (h) == 1);
  nbd_close (h);

  h = connected ("--no-structured-replies", "--fault", "reply-compact:1");
  CHECK (nbd_flush (h, 0) == -1);
  nbd_close (h);
  return 0;
}
