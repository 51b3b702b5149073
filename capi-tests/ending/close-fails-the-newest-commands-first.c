/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nbd_close first frees the debug callback.  Then it ends the commands in
 * flight, newest first, and frees the completed ones, in order of completion.
 * Source: seen with libnbd 1.24.4.
 */
#include "../harness/peer.h"

static char log_of_calls[64];

static int
completed (void *user_data, int *error)
{
  /* The C library calls the completed ones a second time. */
  if (*error == ENOTCONN && *(char *) user_data > '3') {
    strcat (log_of_calls, "!");
    strcat (log_of_calls, user_data);
  }
  return 0;
}

static void
freed (void *user_data)
{
  strcat (log_of_calls, user_data);
}

static int
debug (void *user_data, const char *context, const char *message)
{
  (void) user_data;
  (void) context;
  (void) message;
  return 0;
}

int
main (void)
{
  static char *names[] = { "1", "2", "3", "4", "5", "6" };
  struct nbd_handle *h = nbd_create ();
  struct peer peer = { .replies = SIMPLE };
  struct request request;
  size_t i;

  CHECK (nbd_set_debug_callback (h, (nbd_debug_callback) { .callback = debug,
                                                           .free = freed,
                                                           .user_data = "d" })
         == 0);
  peer_connect (h, &peer);
  for (i = 0; i < 6; i++)
    CHECK (nbd_aio_flush (h,
                          (nbd_completion_callback) { .callback = completed,
                                                      .free = freed,
                                                      .user_data = names[i] },
                          0)
           > 0);
  CHECK (nbd_poll (h, 0) == 0);
  for (i = 0; i < 3; i++) {
    request = peer_request (&peer, NULL);
    peer_simple (&peer, &request, 0);
  }
  while (nbd_aio_in_flight (h) > 3)
    CHECK (nbd_poll (h, -1) >= 0);
  nbd_close (h);
  if (strcmp (log_of_calls, "d!66!55!44123") != 0) {
    fprintf (stderr, "%s\n", log_of_calls);
    return 1;
  }
  peer_close (&peer);
  return 0;
}
