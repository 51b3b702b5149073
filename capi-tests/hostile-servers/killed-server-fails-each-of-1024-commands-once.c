/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When a server is killed with 1,024 commands of every kind in flight, each
 * unanswered command completes once, with an error, each closure is freed once,
 * and each command can be retired once, whether or not some replies had arrived
 * and the server had read the requests.
 * Source: libnbd(3), "Callback lifetimes", nbd_aio_in_flight(3).
 */
#include "../harness/commands.h"

#define COMMANDS 1024
#define LENGTH 4096

static struct command {
  int64_t cookie;
  int completed, completion_freed, middle_freed, error;
  bool has_middle;
} commands[COMMANDS];

static char data[COMMANDS][LENGTH];

static int
on_completion (void *user_data, int *error)
{
  struct command *command = user_data;

  CHECK (command->completion_freed == 0);
  ++command->completed;
  command->error = *error;
  return 0;
}

static void
on_completion_free (void *user_data)
{
  ++((struct command *) user_data)->completion_freed;
}

static int
on_chunk (void *user_data, const void *bytes, size_t count, uint64_t offset,
          unsigned status, int *error)
{
  (void) bytes, (void) count, (void) offset, (void) status, (void) error;
  CHECK (((struct command *) user_data)->completed == 0);
  return 0;
}

static int
on_extent (void *user_data, const char *context, uint64_t offset,
           nbd_extent *entries, size_t count, int *error)
{
  (void) context, (void) offset, (void) entries, (void) count, (void) error;
  CHECK (((struct command *) user_data)->completed == 0);
  return 0;
}

static void
on_middle_free (void *user_data)
{
  ++((struct command *) user_data)->middle_freed;
}

static void
issue (struct nbd_handle *h, int i)
{
  struct command *command = &commands[i];
  nbd_completion_callback completion = { on_completion, command,
                                         on_completion_free };
  nbd_chunk_callback chunk = { on_chunk, command, on_middle_free };
  nbd_extent64_callback extent = { on_extent, command, on_middle_free };
  uint64_t offset = (uint64_t) i * LENGTH;

  switch (i % 7) {
  case 0:
    command->cookie = nbd_aio_pread (h, data[i], LENGTH, offset, completion, 0);
    break;
  case 1:
    command->cookie = nbd_aio_pwrite (h, data[i], LENGTH, offset, completion,
                                      0);
    break;
  case 2:
    command->has_middle = true;
    command->cookie = nbd_aio_pread_structured (h, data[i], LENGTH, offset,
                                                chunk, completion, 0);
    break;
  case 3:
    command->has_middle = true;
    command->cookie = nbd_aio_block_status_64 (h, LENGTH, offset, extent,
                                               completion, 0);
    break;
  case 4:
    command->cookie = nbd_aio_zero (h, LENGTH, offset, completion, 0);
    break;
  case 5:
    command->cookie = nbd_aio_trim (h, LENGTH, offset, completion, 0);
    break;
  default:
    command->cookie = nbd_aio_flush (h, completion, 0);
  }
  CHECK (command->cookie > 0);
}

/* Kills the server after it has sent this many bytes. */
static void
kill_after (char *bytes)
{
  struct nbd_handle *h = nbd_create ();
  int answered = 0, lost = 0;

  memset (commands, 0, sizeof commands);
  CHECK (nbd_add_meta_context (h, "base:allocation") == 0);
  connect_handle (h, server_command ("--size", "64M", "--no-holes",
                                     "--stall-after", bytes));
  for (int i = 0; i < COMMANDS; ++i)
    issue (h, i);
  while (nbd_poll (h, 50) == 1)
    ;
  CHECK (nbd_aio_in_flight (h) > 0);
  CHECK (nbd_kill_subprocess (h, SIGKILL) == 0);
  while (nbd_aio_in_flight (h) > 0 && nbd_poll (h, LONG_ENOUGH) == 1)
    ;
  CHECK (nbd_aio_is_dead (h) == 1 || nbd_aio_is_closed (h) == 1);
  CHECK (nbd_aio_in_flight (h) == 0);
  for (int i = 0; i < COMMANDS; ++i) {
    struct command *command = &commands[i];
    int r;

    CHECK (command->completed == 1);
    CHECK (command->completion_freed == 0);
    if (i % 2)
      continue;
    /* Half of them are retired, the others are left to nbd_close. */
    r = nbd_aio_command_completed (h, command->cookie);
    CHECK (command->error == 0 ? r == 1
                               : r == -1 && nbd_get_errno () == ENOTCONN);
    CHECK (nbd_aio_command_completed (h, command->cookie) == 0);
    CHECK (command->completion_freed == 1);
  }
  nbd_close (h);
  for (int i = 0; i < COMMANDS; ++i) {
    CHECK (commands[i].completed == 1);
    CHECK (commands[i].completion_freed == 1);
    CHECK (commands[i].middle_freed == commands[i].has_middle);
    CHECK (commands[i].error == 0 || commands[i].error == ENOTCONN);
    ++*(commands[i].error ? &lost : &answered);
  }
  CHECK (lost > 0 && answered + lost == COMMANDS);
}

int
main (void)
{
  kill_after ("300");
  kill_after ("5000");
  kill_after ("150000");
  kill_after ("1000000");
  return 0;
}
