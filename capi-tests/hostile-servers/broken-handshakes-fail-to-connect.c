/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A server that violates the handshake rules cannot be connected to: the call
 * fails with a message, and the handle is unusable.  Data that the protocol
 * says to ignore is ignored.
 * Source: proto.md, "Handshake"; outcomes of libnbd 1.24.4.
 */
#include "../harness/commands.h"

static char *const fatal[] = {
  "greeting-magic",        "greeting-version",    "option-magic",
  "option-number",         "option-unknown-type", "option-unknown-error",
  "option-long-error",     "option-huge-length",  "option-ack-payload",
  "option-close",          "info-export-short",   "info-export-long",
  "info-block-size-short", "info-tiny",           "info-long-name",
  "info-no-flags",         "context-short",       "context-long-name",
};

static char *const harmless[] = {
  "greeting-flags",    "info-unknown",        "info-unasked",
  "info-export-twice", "info-block-size-bad", "context-unasked",
  "context-same-id",
};

static struct nbd_handle *
prepare (void)
{
  struct nbd_handle *h = nbd_create ();

  CHECK (h != NULL);
  CHECK (nbd_set_full_info (h, true) == 0);
  CHECK (nbd_add_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  return h;
}

int
main (void)
{
  struct nbd_handle *h;

  for (size_t i = 0; i < ITEMS (fatal); ++i) {
    h = prepare ();
    CHECK (nbd_connect_command (h, server_command ("--fault", fatal[i])) == -1);
    CHECK_MESSAGE ("nbd_connect_command: ");
    CHECK (nbd_aio_is_dead (h) == 1);
    CHECK_ERROR (nbd_flush (h, 0), EINVAL);
    nbd_close (h);
  }
  for (size_t i = 0; i < ITEMS (harmless); ++i) {
    h = prepare ();
    CHECK (nbd_connect_command (h, server_command ("--fault", harmless[i]))
           == 0);
    CHECK (nbd_flush (h, 0) == 0);
    CHECK (nbd_shutdown (h, 0) == 0);
    nbd_close (h);
  }

  /* An export that was never described has no size: nothing can be read. */
  h = prepare ();
  if (nbd_connect_command (h, server_command ("--fault", "info-no-export"))
      == 0) {
    char byte;

    CHECK (nbd_get_size (h) <= 0);
    CHECK (nbd_pread (h, &byte, 1, 0, 0) == -1);
  }
  nbd_close (h);
  return 0;
}
