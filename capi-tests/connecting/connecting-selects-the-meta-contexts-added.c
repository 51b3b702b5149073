/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Contexts added before connecting are selected during the handshake if the
 * server has them; not if the handle's setting forbids it, and not without
 * structured replies.  If the server refuses, the connection is made without
 * them.
 *
 * Source: nbd_add_meta_context(3), nbd_can_meta_context(3),
 * nbd_set_request_meta_context(3).
 */
#include "../harness/harness.h"

static struct nbd_handle *
with_contexts (void)
{
  struct nbd_handle *h = nbd_create ();

  CHECK (nbd_add_meta_context (h, "base:allocation") == 0);
  CHECK (nbd_add_meta_context (h, "test:none") == 0);
  return h;
}

int
main (void)
{
  struct nbd_handle *h;

  h = connect_handle (with_contexts (), server_command ("--size", "1M"));
  CHECK (nbd_can_meta_context (h, "base:allocation") == 1);
  CHECK (nbd_can_meta_context (h, "test:none") == 0);
  CHECK (nbd_can_meta_context (h, "test:other") == 0);
  nbd_close (h);

  /* opt_info and opt_go select too. */
  h = connect_handle (in_opt_mode (with_contexts ()),
                      server_command ("--size", "1M"));
  CHECK_ERROR (nbd_can_meta_context (h, "base:allocation"), EINVAL);
  CHECK (nbd_opt_info (h) == 0);
  CHECK (nbd_can_meta_context (h, "base:allocation") == 1);
  CHECK (nbd_opt_go (h) == 0);
  CHECK (nbd_can_meta_context (h, "base:allocation") == 1);
  nbd_close (h);

  h = with_contexts ();
  CHECK (nbd_set_request_meta_context (h, false) == 0);
  connect_handle (h, server_command ("--size", "1M"));
  CHECK_ERROR (nbd_can_meta_context (h, "base:allocation"), EINVAL);
  nbd_close (h);

  h = with_contexts ();
  CHECK (nbd_set_request_structured_replies (h, false) == 0);
  connect_handle (h, server_command ("--size", "1M"));
  CHECK (nbd_can_meta_context (h, "base:allocation") != 1);
  nbd_close (h);

  h = connect_handle (with_contexts (), server_command ("--no-meta-context"));
  CHECK (nbd_aio_is_ready (h) == 1);
  CHECK (nbd_can_meta_context (h, "base:allocation") == 0);
  nbd_close (h);
  return 0;
}
