/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Steps of a negotiation with the scripted server. */
#ifndef STEPS_PLAYED_OPTIONS_H
#define STEPS_PLAYED_OPTIONS_H

#include "played-options.h"
#include "steps-played.h"

/* Connects: in option mode, or with all options in sequence. */
static void
play_negotiation (enum replies replies, bool faults)
{
  bool opt_mode = !one_in (5);
  int client = scripted_server (GREETING_FIXED, GREETING_SIZE, &played.fd);

  negotiation.open = true;
  negotiation.most = replies;
  played.replies = SIMPLE;
  played.faults = faults;
  server_size = PLAYED_SIZE;
  CHECK (nbd_set_opt_mode (h, opt_mode) == 0);
  if (one_in (4))
    CHECK (NEWER (nbd_set_request_extended_headers) (h, false) == 0);
  if (one_in (8))
    CHECK (nbd_set_request_structured_replies (h, false) == 0);
  if (one_in (3))
    CHECK (NEWER (nbd_set_request_meta_context) (h, false) == 0);
  if (one_in (3))
    CHECK (nbd_set_full_info (h, true) == 0);
  for (uint64_t n = below (3); n > 0; n--)
    CHECK (nbd_add_meta_context (h, ONE_OF (context_names)) == 0);
  CHECK (nbd_aio_connect_socket (h, client) == 0);
}

static void
begin_option (void)
{
  char **queries = choose_contexts ();
  nbd_completion_callback completion = ANY_COMPLETION (NULL);
  nbd_context_callback context = CONTEXT;
  nbd_list_callback list = LIST;

  switch (below (14)) {
  case 0:
    RETURNS (nbd_aio_opt_list, (h, list, completion), "%s", "");
    return;
  case 1:
  case 2:
    RETURNS (nbd_aio_opt_info, (h, completion), "%s", "");
    return;
  case 3:
  case 4:
    RETURNS (nbd_aio_opt_go, (h, completion), "%s", "");
    return;
  case 5:
    RETURNS (nbd_aio_opt_list_meta_context, (h, context, completion), "%s", "");
    return;
  case 6:
    NEWER_RETURNS (nbd_aio_opt_list_meta_context_queries,
                   (h, queries, context, completion), "%s", list_of (queries));
    return;
  case 7:
  case 8:
    NEWER_RETURNS (nbd_aio_opt_set_meta_context, (h, context, completion), "%s",
                   "");
    return;
  case 9:
  case 10:
    NEWER_RETURNS (nbd_aio_opt_set_meta_context_queries,
                   (h, queries, context, completion), "%s", list_of (queries));
    return;
  case 11:
    NEWER_RETURNS (nbd_aio_opt_structured_reply, (h, completion), "%s", "");
    return;
  case 12:
    NEWER_RETURNS (nbd_aio_opt_extended_headers, (h, completion), "%s", "");
    return;
  default:
    if (one_in (3))
      RETURNS (nbd_aio_opt_abort, (h), "%s", "");
    else
      NEWER_RETURNS (nbd_aio_opt_starttls, (h, completion), "%s", "");
  }
}

/* Answers the client's options until the other end of a pipe is closed. */
static void *
answer_options (void *arg)
{
  struct pollfd fds[2] = {
    { .fd = played.fd, .events = POLLIN },
    { .fd = *(const int *) arg, .events = POLLIN },
  };

  while (poll (fds, 2, 10000) > 0 && fds[1].revents == 0) {
    if (fds[0].revents & (POLLHUP | POLLERR))
      fds[0].fd = -1;
    take_options (false);
    while (played.out_count > 0 && played.fd != -1) {
      struct pollfd room = { .fd = played.fd, .events = POLLOUT };

      if (poll (&room, 1, 10000) != 1 || (room.revents & (POLLHUP | POLLERR)))
        break;
      play_send (played.out_count);
    }
  }
  return NULL;
}

static void
play_sync_option (void)
{
  int stop[2];
  pthread_t thread;

  /* The reply that it waits for must arrive and be valid. */
  if (played.fd == -1 || nbd_aio_is_negotiating (h) != 1)
    return;
  take_options (true);
  play_send (played.out_count);
  if (played.out_count > 0 || !negotiation.open)
    return;
  CHECK (pipe (stop) == 0);
  CHECK (pthread_create (&thread, NULL, answer_options, &stop[0]) == 0);
  if (one_in (3))
    newer_option ();
  else if (one_in (6))
    RETURNS (nbd_opt_go, (h), "%s", "");
  else
    sync_option ();
  CHECK (close (stop[1]) == 0);
  CHECK (pthread_join (thread, NULL) == 0);
  CHECK (close (stop[0]) == 0);
  take_options (false);
}

static void
look_at_export (void)
{
  const char *context = ONE_OF (context_names);
  int type = (int) below (5);

  switch (below (6)) {
  case 0:
  case 1:
    RETURNS (nbd_get_block_size, (h, type), "%d", type);
    break;
  case 2:
  case 3:
    RETURNS (nbd_can_meta_context, (h, context), "\"%s\"", context);
    break;
  default:
    look_at_something ();
  }
}

/* The server answers everything received, and sends all of it. */
static void
answer_at_once (void)
{
  call ("server", "answers");
  take_options (true);
  play_send (played.out_count);
}

static void
play_option_step (void)
{
  bool negotiating = nbd_aio_is_negotiating (h) == 1;

  switch (below (20)) {
  case 0:
  case 1:
  case 2:
  case 3:
    if (negotiating || one_in (12))
      begin_option ();
    else
      answer_at_once ();
    break;
  case 4:
  case 5:
    if (negotiating)
      play_sync_option ();
    break;
  case 6:
  case 7:
    answer_at_once ();
    break;
  case 8:
    call ("server", "answers");
    take_options (true);
    play_send (below (played.out_count + 1));
    break;
  case 9:
    play_send (below (played.out_count + 1));
    break;
  case 10:
  case 11:
    if (negotiating)
      look_at_export ();
    /* fall through */
  case 12:
  case 13:
  case 14:
    RETURNS (nbd_poll, (h, 0), "0");
    break;
  case 15:
  case 16:
    turn_of_own_loop ();
    break;
  case 17:
    if (one_in (3))
      set_meta_contexts ();
    else if (one_in (3))
      set_string ();
    else
      set_bool ();
    break;
  case 18:
    if (played.faults && one_in (40))
      play_close ();
    break;
  default:
    look_at_export ();
  }
}

#endif /* STEPS_PLAYED_OPTIONS_H */
