/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A string is an NBD URI if it begins with one of the schemes and "://", in
 * upper or lower case; the rest is not checked.
 *
 * Source: nbd_is_uri(3).
 */
#include "../harness/harness.h"

int
main (void)
{
  static const char *const uris[] = {
    "nbd://",         "nbds://host",     "nbd+unix:///x?socket=/y",
    "nbds+unix://",   "nbd+vsock://2",   "nbds+vsock:///",
    "nbd+ssh://host", "nbds+ssh://host", "NBD://host",
    "Nbd+Unix:///",   "nbd://[",         "nbd://no such host",
  };
  /* clang-format off */
  static const char *const others[] = {
    "", "nbd", "nbd:", "nbd:/", "nbds:", "nbd+unix", "nbd+unix:/x", "nbdx://",
    "nbd+://", "nbd+tcp://host", "http://host", "/nbd://", " nbd://", "disk.img",
  };
  /* clang-format on */
  struct nbd_handle *h = nbd_create ();
  size_t i;

  for (i = 0; i < sizeof uris / sizeof uris[0]; ++i)
    if (nbd_is_uri (h, uris[i]) != 1)
      fail (__FILE__, __LINE__, uris[i]);
  for (i = 0; i < sizeof others / sizeof others[0]; ++i)
    if (nbd_is_uri (h, others[i]) != 0)
      fail (__FILE__, __LINE__, others[i]);
  nbd_close (h);
  return 0;
}
