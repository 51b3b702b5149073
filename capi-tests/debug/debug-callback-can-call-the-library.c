/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A debug callback can make calls on its handle that take no lock, and any call
 * if the message comes from one that takes no lock: it can even replace the
 * callback, which is freed after it has returned.
 */
#include "../harness/harness.h"

static struct nbd_handle *h;
static bool calling;
static int calls, freed, freed_within;
static void (*action) (void);

static int on_message (void *user_data, const char *context, const char *msg);

static void
set_callback (void)
{
  CHECK (nbd_set_debug_callback (h,
                                 (nbd_debug_callback) { .callback = on_message,
                                                        .user_data = &freed,
                                                        .free = count_free })
         == 0);
}

/* Takes no lock. */
static void
look (void)
{
  CHECK (nbd_aio_is_ready (h) == 0);
  CHECK (nbd_set_private_data (h, 7) <= 7);
  CHECK (nbd_get_private_data (h) == 7);
}

static void
set (void)
{
  CHECK (nbd_set_debug (h, true) == 0);
  CHECK (nbd_get_debug (h) == 1);
  CHECK (nbd_set_handle_name (h, "disk") == 0);
  CHECK_STRING (nbd_get_handle_name (h), "disk");
  CHECK_ERROR (nbd_get_size (h), ENOTCONN);
}

static void
replace (void)
{
  int before = freed;

  set_callback ();
  freed_within = freed - before;
}

static int
on_message (void *user_data, const char *context, const char *msg)
{
  (void) user_data;
  (void) context;
  (void) msg;
  if (action && !calling) {
    calling = true;
    ++calls;
    action ();
    calling = false;
  }
  return 0;
}

int
main (void)
{
  h = nbd_create ();
  set_callback ();
  CHECK (nbd_set_debug (h, true) == 0);

  action = look;
  CHECK (nbd_aio_is_created (h) == 1);
  CHECK (nbd_set_full_info (h, true) == 0);
  CHECK (calls == 4);
  action = set;
  CHECK (nbd_aio_is_created (h) == 1);
  CHECK (calls == 6);
  CHECK (freed == 0);
  action = replace;
  CHECK (nbd_aio_is_created (h) == 1);
  CHECK (calls == 8);
  CHECK (freed == 2 && freed_within == 0);
  action = NULL;
  nbd_close (h);
  CHECK (freed == 3);
  return 0;
}
