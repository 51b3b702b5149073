/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any error in reply to LIST, LIST_META_CONTEXT or SET_META_CONTEXT is ENOTSUP;
 * negotiation continues.  While connecting, an error in reply to
 * EXTENDED_HEADERS, STRUCTURED_REPLY or SET_META_CONTEXT means that the server
 * does not support the feature.
 *
 * Source: nbd_opt_list(3), nbd_opt_list_meta_context(3),
 * nbd_opt_set_meta_context(3); the errno is the C library's.
 */
#include "../harness/ignored-lists.h"

int
main (void)
{
  const char *errors[] = { "UNSUP", "POLICY", "INVALID", "TOO_BIG" };
  struct nbd_handle *h;
  char options[5][64];
  size_t i;

  for (i = 0; i < sizeof errors / sizeof errors[0]; ++i) {
    snprintf (options[0], 64, "LIST=%s", errors[i]);
    snprintf (options[1], 64, "LIST_META_CONTEXT=%s", errors[i]);
    snprintf (options[2], 64, "SET_META_CONTEXT=%s", errors[i]);
    h = negotiating ("--option-error", options[0], "--option-error", options[1],
                     "--option-error", options[2]);
    CHECK_ERROR (nbd_opt_list (h, LIST), ENOTSUP);
    CHECK_ERROR (nbd_opt_list_meta_context (h, CONTEXT), ENOTSUP);
    CHECK_ERROR (nbd_opt_set_meta_context (h, CONTEXT), ENOTSUP);
    CHECK (nbd_aio_is_negotiating (h) == 1);
    CHECK (nbd_opt_go (h) == 0);
    nbd_close (h);

    snprintf (options[3], 64, "STRUCTURED_REPLY=%s", errors[i]);
    snprintf (options[4], 64, "EXTENDED_HEADERS=%s", errors[i]);
    h = connected ("--option-error", options[3], "--option-error", options[4]);
    CHECK (nbd_get_structured_replies_negotiated (h) == 0);
    nbd_close (h);

    h = nbd_create ();
    CHECK (nbd_add_meta_context (h, "base:allocation") == 0);
    connect_handle (h, server_command ("--option-error", options[2]));
    CHECK (nbd_can_meta_context (h, "base:allocation") == 0);
    nbd_close (h);
  }
  return 0;
}
