/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A thousand commands can be in flight; their replies arrive in any order, each
 * with its own data.
 * Source: libnbd(3), "Many commands in flight".
 */
#include "../harness/commands.h"

#define COMMANDS 1024
#define BLOCK 4096

static uint64_t buf[COMMANDS][BLOCK / 8];

static int
done (void *user_data, int *error)
{
  CHECK (*error == 0);
  ++*(int *) user_data;
  return 1;
}

static void
read_all (struct nbd_handle *h)
{
  int completed = 0;
  nbd_completion_callback completion = { .callback = done };

  completion.user_data = &completed;
  for (uint64_t i = 0; i < COMMANDS; ++i)
    CHECK (nbd_aio_pread (h, buf[i], BLOCK, i * BLOCK, completion, 0) > 0);
  CHECK (nbd_aio_in_flight (h) + completed == COMMANDS);
  wait_for_all (h);
  CHECK (completed == COMMANDS);
  CHECK_ERROR (nbd_aio_peek_command_completed (h), EINVAL);
  for (uint64_t i = 0; i < COMMANDS; ++i)
    for (size_t j = 0; j < BLOCK / 8; ++j)
      CHECK (be64toh (buf[i][j]) == i * BLOCK + j * 8);
  memset (buf, 0, sizeof buf);
  nbd_close (h);
}

int
main (void)
{
  read_all (connected ("--size", "4M", "--pattern", "--shuffle", "1024"));
  read_all (connected ("--size", "4M", "--pattern", "--shuffle", "64",
                       "--no-structured-replies"));
  read_all (connected ("--size", "4M", "--pattern", "--shuffle", "16",
                       "--interleave", "--read-chunks", "1024"));
  read_all (connected ("--size", "4M", "--pattern", "--shuffle", "1024",
                       "--no-extended-headers"));
  return 0;
}
