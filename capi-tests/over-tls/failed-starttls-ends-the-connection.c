/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* If TLS started by the program fails for any reason except the server's
 * refusal, the connection is dead and cannot continue without. Errors that only
 * the server detects may appear in the next call.
 *
 * Source: nbd_opt_starttls(3).  ERRNOS and WORDS in the environment are as for
 * connection-is-refused; AIO asks without waiting.
 */
#include "../harness/tls.h"

int
main (void)
{
  struct nbd_handle *h = in_opt_mode (configured ());
  struct record record = { .error = -1 };

  /* STARTTLS must be the first option. */
  CHECK (nbd_set_request_structured_replies (h, false) == 0);
  CHECK (nbd_set_request_extended_headers (h, false) == 0);
  CHECK (connect_to_server (h) == 0);
  CHECK (nbd_get_tls_negotiated (h) == 0);

  if (setting ("AIO")) {
    int r = nbd_aio_opt_starttls (h, COMPLETION (&record));

    while (r != -1 && nbd_aio_is_connecting (h) == 1)
      r = nbd_poll (h, LONG_ENOUGH);
    CHECK (r == -1 || nbd_aio_is_dead (h) == 1);
    CHECK (strlen (record.letters) <= 2);
    nbd_close (h);
    CHECK (strchr (record.letters, 'c') != NULL);
    if (strchr (record.letters, 'C'))
      CHECK (record.error > 0);
    return 0;
  }

  switch (nbd_opt_starttls (h)) {
  case -1:
    break;
  case 1:
    CHECK (nbd_get_tls_negotiated (h) == 1);
    CHECK (nbd_opt_go (h) == -1);
    break;
  default:
    CHECK (!"an answer that is none");
  }
  fprintf (stderr, "refused: %s (errno %d)\n", nbd_get_error (),
           nbd_get_errno ());
  check_last_error (required_setting ("ERRNOS"), required_setting ("WORDS"));
  CHECK (nbd_aio_is_dead (h) == 1);
  check_unusable (h);
  CHECK (nbd_opt_starttls (h) == -1);
  nbd_close (h);
  return 0;
}
