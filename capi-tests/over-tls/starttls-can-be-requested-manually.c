/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* In option mode a program can start TLS at any point.  This discards earlier
 * negotiation, which can be repeated; a second request changes nothing.
 *
 * Source: nbd_opt_starttls(3), nbd_get_tls_negotiated(3).  EXPORT in the
 * environment is the name of the export; FORCED says that the server does
 * nothing else before, MAY_BE_SIMPLE that not every version of it has
 * structured replies, TWICE that it can be asked twice.
 */
#include "../harness/tls.h"

static int
count_exports (void *user_data, const char *name, const char *description)
{
  (void) name, (void) description;
  ++*(int *) user_data;
  return 0;
}

int
main (void)
{
  struct nbd_handle *h = in_opt_mode (configured ());
  bool forced = setting ("FORCED") != NULL;
  bool may_be_simple = setting ("MAY_BE_SIMPLE") != NULL;
  int structured;
  int exports = 0;

  CHECK (nbd_set_export_name (h, required_setting ("EXPORT")) == 0);
  CHECK (connect_to_server (h) == 0);
  CHECK (nbd_aio_is_negotiating (h) == 1);
  CHECK (nbd_get_tls (h) == LIBNBD_TLS_DISABLE);
  CHECK (nbd_get_tls_negotiated (h) == 0);
  if (forced) {
    CHECK_ERROR (nbd_opt_go (h), ENOTSUP);
    CHECK (nbd_aio_is_negotiating (h) == 1);
  } else {
    CHECK (nbd_get_structured_replies_negotiated (h) == 1 || may_be_simple);
    CHECK (nbd_opt_info (h) == 0);
    /* nbd-server does not check the size yet. */
    CHECK (nbd_get_size (h) >= 0);
  }

  CHECK (nbd_opt_starttls (h) == 1);
  CHECK (nbd_aio_is_negotiating (h) == 1);
  CHECK (nbd_get_tls_negotiated (h) == 1);
  CHECK (nbd_get_tls (h) == LIBNBD_TLS_DISABLE);
  CHECK (nbd_get_structured_replies_negotiated (h) == 0);
  CHECK (nbd_get_extended_headers_negotiated (h) == 0);
  CHECK_ERROR (nbd_get_size (h), EINVAL);

  if (setting ("TWICE")) {
    CHECK (nbd_opt_starttls (h) == 0);
    CHECK (nbd_aio_is_negotiating (h) == 1);
    CHECK (nbd_get_tls_negotiated (h) == 1);
  }

  structured = nbd_opt_structured_reply (h);
  CHECK (structured == 1 || (structured == 0 && may_be_simple));
  CHECK (nbd_get_structured_replies_negotiated (h) == structured);
  CHECK (nbd_opt_list (h, (nbd_list_callback) { .callback = count_exports,
                                                .user_data = &exports })
         >= 1);
  CHECK (exports >= 1);
  CHECK (nbd_opt_go (h) == 0);
  CHECK (nbd_get_tls_negotiated (h) == 1);
  CHECK_ERROR (nbd_opt_starttls (h), EINVAL);
  check_data_flows (h);
  CHECK (nbd_shutdown (h, 0) == 0);
  CHECK (nbd_get_tls_negotiated (h) == 1);
  nbd_close (h);
  return 0;
}
