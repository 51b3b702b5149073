/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Steps that wait, and that retire what has completed. */
#ifndef STEPS_WAITING_H
#define STEPS_WAITING_H

#include "steps-looking.h"

/* True after issuing something that was not waited for.  The result of a poll
 * without a timeout then varies.
 */
static bool unsettled;

/* Number of bytes sent since. */
static uint64_t unsettled_bytes;

/* The highest cookie so far. */
static int64_t last_cookie;

static bool
busy (void)
{
  return nbd_aio_is_connecting (h) == 1 || nbd_aio_in_flight (h) > 0;
}

/* Waits until nothing is in flight. */
static void
settle_call (void)
{
  unsigned tries;

  function = "nbd_poll";
  unsettled = false;
  unsettled_bytes = 0;
  for (tries = 0; tries < 1000000 && busy (); tries++) {
    int moved = nbd_poll (h, 10000);

    if (moved == -1) {
      print_error ();
      return;
    }
    if (moved == 0) {
      line ("waits forever");
      return;
    }
  }
  line (tries < 1000000 ? "done" : "moves forever");
}

static void
settle (void)
{
  call ("nbd_poll", "until nothing is under way");
  settle_call ();
  print_state ();
}

/* Begins an operation and waits for it.  It may complete in the call that
 * begins it: how far it gets, and which call reports a failure, varies.
 */
#define SETTLES(name, arguments, ...) \
  do { \
    call (#name, __VA_ARGS__); \
    settle_if_begun (name arguments); \
  } while (0)

#define NEWER_SETTLES(name, arguments, ...) \
  do { \
    call (#name, __VA_ARGS__); \
    settle_if_begun (NEWER (name) arguments); \
  } while (0)

static void
settle_if_begun (int result)
{
  if (result == -1)
    print_error ();
  else
    settle_call ();
}

/* Makes a notify call without an event. */
static void
poke (void)
{
  if (unsettled) {
    settle ();
    return;
  }
  switch (below (4)) {
  case 0:
    /* If the handle could read, the C library would wait for the announced
     * reply, and send nothing until it arrives.
     */
    if (nbd_aio_get_direction (h) == 0) {
      RETURNS (nbd_aio_notify_read, (h), "%s", "");
      break;
    }
    /* fall through */
  case 1:
    RETURNS (nbd_aio_notify_write, (h), "%s", "");
    break;
  case 2:
    if (level >= 24)
      NEWER_RETURNS (nbd_poll2, (h, -1, 0), "-1, 0");
    else
      RETURNS (nbd_poll, (h, 0), "0");
    break;
  default:
    RETURNS (nbd_poll, (h, 0), "0");
  }
}

static void
retire (void)
{
  uint64_t cookie = 1 + below (last_cookie + 1);

  if (one_in (3)) {
    RETURNS (nbd_aio_peek_command_completed, (h), "%s", "");
    return;
  }
  if (one_in (10))
    cookie = one_in (2) ? 0 : UINT64_MAX;
  RETURNS (nbd_aio_command_completed, (h, cookie), "%" PRIu64, cookie);
}

static void
retire_all (void)
{
  int64_t cookie;

  for (cookie = 1; cookie <= last_cookie; cookie++)
    RETURNS (nbd_aio_command_completed, (h, cookie), "%" PRIi64, cookie);
}

static void
wait_for_something (void)
{
  switch (below (6)) {
  case 0:
    poke ();
    break;
  case 1:
  case 2:
    settle ();
    break;
  default:
    retire ();
  }
}

#endif /* STEPS_WAITING_H */
