/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names of exports and meta contexts have at most 4096 bytes, as in the
 * protocol; socket activation names have at most 32 characters, letters and
 * digits.  A refused name changes nothing.
 *
 * Source: nbd_set_export_name(3), nbd_add_meta_context(3),
 * nbd_set_socket_activation_name(3).
 */
#include "../harness/harness.h"

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  char name[4098];
  const char *socket_name = "0123456789abcdefghijABCDEFGHIJxyz";
  const char *refused[] = { "a b", "a-b", "a_b", "a.b", "a:b", "\xc3\xa9" };
  size_t i;

  memset (name, 'n', sizeof name - 1);
  name[4097] = '\0';
  CHECK_ERROR (nbd_set_export_name (h, name), ENAMETOOLONG);
  CHECK_STRING (nbd_get_export_name (h), "");
  CHECK_ERROR (nbd_add_meta_context (h, name), ENAMETOOLONG);
  CHECK (nbd_get_nr_meta_contexts (h) == 0);
  name[4096] = '\0';
  CHECK (nbd_set_export_name (h, name) == 0);
  CHECK_STRING (nbd_get_export_name (h), name);
  CHECK (nbd_add_meta_context (h, name) == 0);
  CHECK_STRING (nbd_get_meta_context (h, 0), name);

  CHECK_ERROR (nbd_set_socket_activation_name (h, socket_name), ENAMETOOLONG);
  CHECK (nbd_set_socket_activation_name (h, socket_name + 1) == 0);
  for (i = 0; i < sizeof refused / sizeof refused[0]; ++i)
    CHECK_ERROR (nbd_set_socket_activation_name (h, refused[i]), EINVAL);
  CHECK_STRING (nbd_get_socket_activation_name (h), socket_name + 1);
  nbd_close (h);
  return 0;
}
