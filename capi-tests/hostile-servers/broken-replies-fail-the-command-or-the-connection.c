/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A reply that violates the protocol fails the command if the position of the
 * next reply is still known, and kills the connection if it is not.
 * Source: proto.md, "Structured reply chunk message"; outcomes of
 * libnbd 1.24.4.
 */
#include "../harness/commands.h"

enum outcome { LIVES, CLOSES, DIES };

static const struct {
  char *fault;
  int compact_error, extended_error; /* -1: success */
  enum outcome compact, extended;
} faults[] = {
  { "reply-magic:1", 0, 0, DIES, DIES },
  { "reply-offset:1", -1, EPROTO, LIVES, LIVES },
  { "reply-compact:1", -1, 0, LIVES, DIES },
  { "reply-twice:1", -1, -1, LIVES, LIVES },
  { "reply-no-done:1", EPROTO, EPROTO, CLOSES, CLOSES },
  { "reply-after-done:1", -1, -1, LIVES, LIVES },
  { "reply-unknown-chunk:1", EPROTO, EPROTO, LIVES, LIVES },
  { "reply-unknown-error:1", EIO, EIO, LIVES, LIVES },
  { "reply-huge-length:1", 0, 0, DIES, DIES },
  { "reply-wrong-chunk:1", EPROTO, EPROTO, LIVES, LIVES },
  { "reply-simple:1", -1, 0, LIVES, DIES },
  { "none-payload:1", EPROTO, EPROTO, LIVES, LIVES },
  { "none-not-done:1", EPROTO, EPROTO, LIVES, LIVES },
  { "error-short:1", EIO, EIO, LIVES, LIVES },
  { "error-zero:1", EPROTO, EPROTO, LIVES, LIVES },
  { "error-unknown:1", EINVAL, EINVAL, LIVES, LIVES },
  { "error-message-too-long:1", EIO, EIO, LIVES, LIVES },
  { "error-long-message:1", EIO, EIO, LIVES, LIVES },
  { "error-offset-outside:1", EIO, EIO, LIVES, LIVES },
};

static void
strike (char *fault, char *option, int error, enum outcome outcome)
{
  struct nbd_handle *h = connected ("--size", "1M", "--fault", fault, option);
  char buf[512];

  if (error >= 0)
    CHECK_ERROR (nbd_flush (h, 0), error);
  else
    CHECK (nbd_flush (h, 0) == 0);
  if (outcome == LIVES)
    CHECK (nbd_pread (h, buf, sizeof buf, 0, 0) == 0);
  else
    CHECK_ERROR (nbd_pread (h, buf, sizeof buf, 0, 0), EINVAL);
  CHECK (nbd_aio_is_ready (h) == (outcome == LIVES));
  CHECK (nbd_aio_is_closed (h) == (outcome == CLOSES));
  CHECK (nbd_aio_is_dead (h) == (outcome == DIES));
  nbd_close (h);
}

int
main (void)
{
  for (size_t i = 0; i < ITEMS (faults); ++i) {
    strike (faults[i].fault, "--no-extended-headers", faults[i].compact_error,
            faults[i].compact);
    strike (faults[i].fault, "--newstyle-fixed", faults[i].extended_error,
            faults[i].extended);
  }
  return 0;
}
