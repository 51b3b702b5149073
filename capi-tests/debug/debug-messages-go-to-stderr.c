/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Without a callback each debug message is one line on standard error that
 * begins with the library, the handle and the function; nothing is written to
 * standard output.
 *
 * Source: libnbd(3), "Debugging"; the form of the line is the C
 * library's.
 */
#include "../harness/harness.h"

static FILE *
redirect (int fd)
{
  FILE *file = tmpfile ();

  CHECK (file != NULL);
  CHECK (dup2 (fileno (file), fd) == fd);
  return file;
}

int
main (void)
{
  static char text[65536];
  struct nbd_handle *h = nbd_create ();
  int saved = dup (2);
  FILE *err = redirect (2);
  FILE *out = redirect (1);
  size_t size;

  CHECK (nbd_set_handle_name (h, "disk") == 0);
  CHECK (nbd_set_debug (h, true) == 0);
  CHECK (nbd_set_export_name (h, "x") == 0);
  CHECK (nbd_set_debug (h, false) == 0);
  CHECK (nbd_set_export_name (h, "silent") == 0);
  nbd_close (h);

  dup2 (saved, 2);
  close (saved);
  rewind (err);
  size = fread (text, 1, sizeof text - 1, err);
  CHECK (size > 0);
  text[size] = '\0';
  CHECK (strstr (text, "libnbd: debug: disk: nbd_set_export_name: "
                       "enter: export_name=\"x\"\n")
         != NULL);
  CHECK (strstr (text, "libnbd: debug: disk: nbd_set_export_name: "
                       "leave: ret=0\n")
         != NULL);
  CHECK (strstr (text, "silent") == NULL);
  CHECK (fseek (out, 0, SEEK_END) == 0);
  CHECK (ftell (out) == 0);
  fclose (err);
  fclose (out);
  return 0;
}
