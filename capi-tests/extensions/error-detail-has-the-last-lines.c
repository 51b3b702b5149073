/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nbd_ext_get_error_detail returns the last lines that a server has written to
 * standard error, at most 4096 bytes of whole lines, if the program has asked
 * for it before connecting.
 *
 * Source: nbd_ext_set_capture_stderr(3), nbd_ext_get_error_detail(3).
 */
#include "../harness/server-messages.h"

static void
check_detail (struct nbd_handle *h, const char *script, const char *expected)
{
  CHECK (nbd_connect_command (h, shell_command (script)) == -1);
  CHECK (nbd_aio_is_dead (h) == 1);
  CHECK_STRING (nbd_ext_get_error_detail (h), expected);
  /* Asking does not change it. */
  CHECK_STRING (nbd_ext_get_error_detail (h), expected);
  nbd_close (h);
}

static void
check_long_output (void)
{
  struct nbd_handle *h = capturing ();
  char expected[4096 + 1], line[24], *text;
  int number = 10000;
  size_t length;

  CHECK (nbd_connect_command (
             h, shell_command ("seq -f 'line %.0f' 1 10000 >&2; exit 1"))
         == -1);
  text = nbd_ext_get_error_detail (h);
  CHECK (text != NULL);
  length = strlen (text);
  /* The bytes that are missing are less than a line. */
  CHECK (length <= 4096 && length > 4096 - 16);
  /* The lines at the end, counted down. */
  while (length > 0) {
    snprintf (line, sizeof line, "line %d", number);
    --number;
    CHECK (length >= strlen (line));
    length -= strlen (line);
    CHECK (strncmp (text + length, line, strlen (line)) == 0);
    if (length > 0)
      CHECK (text[--length] == '\n');
  }
  free (text);
  nbd_close (h);

  /* A line that is longer than that: its end. */
  h = capturing ();
  CHECK (nbd_connect_command (
             h, shell_command ("printf '%9999s\\n' x | tr ' ' - >&2; exit 1"))
         == -1);
  memset (expected, '-', 4094);
  strcpy (expected + 4094, "x");
  CHECK_STRING (nbd_ext_get_error_detail (h), expected);
  nbd_close (h);
}

int
main (void)
{
  struct nbd_handle *h = nbd_create ();

  redirect_stderr ();
  /* Not before the program asks. */
  CHECK (nbd_ext_get_capture_stderr (h) == 0);
  check_detail (h, "echo no >&2; exit 1", "");
  CHECK_STRING (nbd_ext_get_error_detail (h = capturing ()), "");
  CHECK (nbd_ext_get_capture_stderr (h) == 1);
  nbd_close (h);

  check_detail (capturing (), "exit 1", "");
  check_detail (capturing (), "echo one >&2; echo two >&2; exit 1", "one\ntwo");
  check_detail (capturing (), "printf 'no line feed' >&2; exit 1",
                "no line feed");
  check_detail (capturing (), "printf 'a\\0b\\n' >&2; exit 1", "a?b");
  check_detail (capturing (), "echo closed first >&2; exec <&- >&-; exit 1",
                "closed first");
  check_long_output ();

  /* A command that cannot be run. */
  h = capturing ();
  CHECK (nbd_connect_command (h, (char *[]) { "/nonexistent/server", NULL })
         == -1);
  CHECK_STRING (nbd_ext_get_error_detail (h),
                "/nonexistent/server: No such file or directory");
  nbd_close (h);

  h = capturing ();
  CHECK (nbd_connect_systemd_socket_activation (
             h, shell_command ("echo no disk >&2; exit 1"))
         == -1);
  CHECK_STRING (nbd_ext_get_error_detail (h), "no disk");
  nbd_close (h);

  /* A server that works can have written something, too. */
  h = capturing ();
  CHECK (nbd_connect_command (
             h, shell_command ("echo warning >&2; exec \"$0\" --stdin"))
         == 0);
  CHECK_STRING (nbd_ext_get_error_detail (h), "warning");
  CHECK (nbd_pwrite (h, "x", 1, 0, 0) == 0);
  nbd_close (h);
  return 0;
}
