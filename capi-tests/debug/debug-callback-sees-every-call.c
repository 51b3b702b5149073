/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With debugging on, every call logs its parameters on entry, and its result or
 * error on return.  The context is the name of the function.
 *
 * Source: nbd_set_debug_callback(3); the form of the messages is the C library's.
 */
#include "../harness/harness.h"

static char seen[65536];

static int
record (void *user_data, const char *context, const char *message)
{
  size_t used = strlen (seen);

  CHECK (user_data == seen);
  if (used < sizeof seen)
    snprintf (seen + used, sizeof seen - used, "%s|%s\n", context, message);
  return 0;
}

static int
ignore (void *user_data, const char *name)
{
  (void) user_data;
  (void) name;
  return 0;
}

static int
retire (void *user_data, int *error)
{
  (void) user_data;
  (void) error;
  return 1;
}

#define SAW(text) \
  do { \
    check_text (__FILE__, __LINE__, seen, (text), false); \
    seen[0] = '\0'; \
  } while (0)

int
main (void)
{
  struct nbd_handle *h = nbd_create ();
  char *contexts[] = { "base:", "x", NULL };
  char buf[16];

  CHECK (nbd_set_debug_callback (h, (nbd_debug_callback) { .callback = record,
                                                           .user_data = seen })
         == 0);
  CHECK (nbd_set_debug (h, true) == 0);
  seen[0] = '\0';

  CHECK (nbd_set_export_name (h, "x y") == 0);
  SAW ("nbd_set_export_name|enter: export_name=\"x y\"\n"
       "nbd_set_export_name|leave: ret=0\n");
  CHECK_STRING (nbd_get_export_name (h), "x y");
  SAW ("nbd_get_export_name|leave: ret=\"x y\"\n");
  CHECK (nbd_set_strict_mode (h, 0x41) == 0);
  SAW ("nbd_set_strict_mode|enter: flags=0x41\n");
  CHECK (nbd_set_full_info (h, true) == 0);
  SAW ("nbd_set_full_info|enter: request=true\n");
  CHECK (nbd_aio_is_created (h) == 1);
  SAW ("nbd_aio_is_created|leave: ret=1\n");

  CHECK_ERROR (nbd_pread (h, buf, sizeof buf, 512, 0), ENOTCONN);
  SAW ("nbd_pread|enter: buf=<buf> count=16 offset=512 flags=0x0\n"
       "nbd_pread|leave: error=\"nbd_pread: invalid state: ");
  CHECK_ERROR (nbd_opt_list_meta_context_queries (
                   h, contexts, (nbd_context_callback) { .callback = ignore }),
               ENOTCONN);
  SAW ("enter: queries=[\"base:\", \"x\"] context=<fun>\n");

  /* Messages of the handshake have the context of the call that runs it. */
  CHECK (nbd_connect_command (h, server_command ("--export", "x y", "--size",
                                                 "1M"))
         == 0);
  CHECK (strstr (seen, "nbd_connect_command|enter: argv=[\"") != NULL);
  CHECK (strstr (seen, "nbd_aio_") == NULL);
  SAW ("\nnbd_connect_command|leave: ret=0\n");

  /* The parameters after a completion callback appear in the opposite order. */
  CHECK (nbd_aio_flush (h, (nbd_completion_callback) { .callback = retire }, 0)
         == 1);
  SAW ("nbd_aio_flush|enter: completion=NULL flags=0x0\n");
  CHECK (nbd_aio_flush (h, NBD_NULL_COMPLETION, 0) == 2);
  SAW ("nbd_aio_flush|enter: completion=<fun> flags=0x0\n");

  /* Turned off, it logs nothing. */
  CHECK (nbd_set_debug (h, false) == 0);
  seen[0] = '\0';
  CHECK (nbd_get_size (h) == 1 << 20);
  CHECK (seen[0] == '\0');
  nbd_close (h);
  return 0;
}
