/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Everything that a server writes to standard error reaches the standard error of
 * the program, unchanged and without a call of the program, also more than a
 * pipe holds; when nbd_close returns, all of it is there.
 *
 * Source: nbd_ext_set_capture_stderr(3).
 */
#include "../harness/server-messages.h"

enum { BYTES = 3000000 };

/* Writes this many bytes: numbers of seven digits, a line each. */
#define MANY_BYTES "seq 1000000 1374999 >&2"

static void
check_many_bytes (void)
{
  static char text[BYTES];
  char line[24];
  size_t at;
  int number = 1000000;

  CHECK (pread (STDERR_FILENO, text, sizeof text, 0) == BYTES);
  for (at = 0; at < BYTES; at += 8, ++number) {
    snprintf (line, sizeof line, "%d\n", number);
    CHECK (memcmp (text + at, line, 8) == 0);
  }
  CHECK (ftruncate (STDERR_FILENO, 0) == 0);
}

int
main (void)
{
  struct nbd_handle *h = capturing ();

  redirect_stderr ();
  /* While the program does something else. */
  CHECK (nbd_aio_connect_command (
             h, shell_command ("echo begin >&2; exec \"$0\" --stdin"))
         == 0);
  wait_for_stderr (6);
  check_stderr ("begin\n");
  while (nbd_aio_is_connecting (h))
    CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
  CHECK (nbd_aio_is_ready (h) == 1);
  nbd_close (h);
  check_stderr ("");

  h = connect_handle (capturing (),
                      shell_command ("(" MANY_BYTES
                                     ") <&- >&- & exec \"$0\" --stdin"));
  wait_for_stderr (BYTES);
  check_many_bytes ();
  nbd_close (h);

  /* The server writes while it ends. */
  h = connect_handle (capturing (),
                      shell_command ("\"$0\" --stdin; " MANY_BYTES));
  nbd_close (h);
  check_many_bytes ();
  return 0;
}
