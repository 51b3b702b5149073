/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With every second of many commands cancelled, on many handles, the others get
 * their replies or the error of the lost connection. The closures of all are
 * freed once: at the latest when the handle is closed, or when the child of a
 * fork closes its copy.
 * Source: nbd_ext_aio_cancel(3), nbd_close(3); libnbd(3), "Callback lifetimes".
 */
#include "../harness/interruptions.h"

#define HANDLES 64
#define COMMANDS 32
#define COUNT 512

enum ending { CLOSE, CLOSE_IN_CHILD, LOSE, GARBAGE, ANSWER, ENDINGS };

struct command {
  int64_t cookie;
  struct record record;
  bool cancelled;
  char *data;
};

static struct nbd_handle *handles[HANDLES];
static struct peer peers[HANDLES];
static struct command commands[HANDLES][COMMANDS];

/* Every second one is cancelled, and every second one of those retired by its
 * completion callback.
 */
static void
begin (int i)
{
  struct nbd_handle *h = handles[i] = nbd_create ();

  peers[i] = (struct peer) { .replies = SIMPLE };
  peer_connect (h, &peers[i]);
  for (int j = 0; j < COMMANDS; ++j) {
    struct command *command = &commands[i][j];

    *command = (struct command) { .data = map (COUNT),
                                  .cancelled = j % 2,
                                  .record.result = j % 4 == 1 };
    command->cookie = nbd_aio_pread (h, command->data, COUNT, j * COUNT,
                                     COMPLETION (&command->record), 0);
    CHECK (command->cookie > 0);
  }
  for (int j = 0; j < COMMANDS; ++j) {
    struct command *command = &commands[i][j];

    if (command->cancelled) {
      CHECK (nbd_ext_aio_cancel (h, command->cookie) == 1);
      CHECK (munmap (command->data, COUNT) == 0);
    }
  }
  CHECK (nbd_aio_in_flight (h) == COMMANDS / 2);
}

static void
check_result (int i, int j, int error)
{
  struct command *command = &commands[i][j];
  int64_t cookie = command->cookie;

  if (command->record.result == 1)
    CHECK (nbd_aio_command_completed (handles[i], cookie) == 0);
  else if (command->cancelled)
    CHECK_ERROR (nbd_aio_command_completed (handles[i], cookie), ECANCELED);
  else if (error)
    CHECK_ERROR (nbd_aio_command_completed (handles[i], cookie), error);
  else
    CHECK (nbd_aio_command_completed (handles[i], cookie) == 1);
}

static void
answer_all (int i)
{
  for (int j = 0; j < COMMANDS; ++j) {
    struct request request = peer_request (&peers[i], NULL);
    char data[COUNT] = { 0 };

    /* Some of the late replies are errors. */
    peer_simple (&peers[i], &request, j % 8 == 7 ? EIO : 0);
    if (j % 8 != 7)
      peer_write (&peers[i], data, sizeof data);
  }
  wait_for_all (handles[i]);
  handle_arrivals (handles[i]);
  CHECK (nbd_aio_is_ready (handles[i]) == 1);
}

static void
close_in_child (int i)
{
  pid_t pid = fork ();
  int status;

  CHECK (pid >= 0);
  if (pid == 0) {
    for (int open = i; open < HANDLES; ++open)
      nbd_close (handles[open]);
    for (int j = 0; j < COMMANDS; ++j)
      CHECK (strchr (commands[i][j].record.letters, 'c') != NULL);
    _exit (0);
  }
  CHECK (waitpid (pid, &status, 0) == pid && status == 0);
}

static void
end (int i, enum ending ending)
{
  struct nbd_handle *h = handles[i];
  char garbage[64] = "This is not a reply";

  if (ending == CLOSE_IN_CHILD && i < 4)
    close_in_child (i);
  if (ending == LOSE)
    peer_close (&peers[i]);
  if (ending == GARBAGE)
    peer_write (&peers[i], garbage, sizeof garbage);
  if (ending == LOSE || ending == GARBAGE)
    while (!nbd_aio_is_dead (h) && !nbd_aio_is_closed (h))
      nbd_poll (h, LONG_ENOUGH);
  if (ending == ANSWER)
    answer_all (i);
  if (ending >= LOSE)
    for (int j = 0; j < COMMANDS; ++j)
      check_result (i, j, ending == ANSWER ? 0 : ENOTCONN);
  nbd_close (h);
  for (int j = 0; j < COMMANDS; ++j) {
    CHECK_RECORD (commands[i][j].record, "Cc");
    CHECK (!commands[i][j].cancelled
           || commands[i][j].record.error == ECANCELED);
    if (!commands[i][j].cancelled)
      CHECK (munmap (commands[i][j].data, COUNT) == 0);
  }
  if (ending != LOSE)
    peer_close (&peers[i]);
}

int
main (void)
{
  for (int ending = CLOSE; ending < ENDINGS; ++ending) {
    for (int i = 0; i < HANDLES; ++i)
      begin (i);
    for (int i = 0; i < HANDLES; ++i)
      end (i, ending);
  }
  return 0;
}
