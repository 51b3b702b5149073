/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When a thread that waits on a handle is cancelled, the other threads
 * continue, whether it was receiving for all or sleeping. Its command is
 * abandoned: its memory is no longer accessed, neither by a later reply nor to
 * send the rest of its data, which the library has copied. With libnbd 1.24.4
 * the handle stays locked.
 * Source: the promise of this library (docs/threads.md).
 */
#include "../harness/peer.h"

#include <pthread.h>
#include <sys/mman.h>

#define SIZE 4096

static struct nbd_handle *h;
static struct peer peer;

/* A read of SIZE bytes into its own memory. */
struct reader {
  pthread_t thread;
  struct request request;
  void *memory;
  uint64_t offset;
};

static void *
read_data (void *arg)
{
  struct reader *reader = arg;

  CHECK (nbd_pread (h, reader->memory, SIZE, reader->offset, 0) == 0);
  return NULL;
}

/* A waiting thread cannot be detected. */
static void
let_it_wait (void)
{
  usleep (20000);
}

static void
begin (struct reader *reader, uint64_t offset)
{
  reader->offset = offset;
  reader->memory = mmap (NULL, SIZE, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK (reader->memory != MAP_FAILED);
  CHECK (pthread_create (&reader->thread, NULL, read_data, reader) == 0);
  reader->request = peer_request (&peer, NULL);
  CHECK (reader->request.offset == offset);
  let_it_wait ();
}

static void
cancel (pthread_t thread)
{
  void *result;

  CHECK (pthread_cancel (thread) == 0);
  CHECK (pthread_join (thread, &result) == 0);
  CHECK (result == PTHREAD_CANCELED);
}

/* Unmaps its memory. */
static void
cancel_reader (struct reader *reader)
{
  cancel (reader->thread);
  CHECK (munmap (reader->memory, SIZE) == 0);
}

static void
answer (const struct reader *reader, char byte)
{
  char data[SIZE];

  memset (data, byte, sizeof data);
  peer_simple (&peer, &reader->request, 0);
  peer_write (&peer, data, sizeof data);
}

static void
end (struct reader *reader, char byte)
{
  const char *data = reader->memory;

  CHECK (pthread_join (reader->thread, NULL) == 0);
  CHECK (data[0] == byte && data[SIZE - 1] == byte);
  CHECK (munmap (reader->memory, SIZE) == 0);
}

static void
connect_peer (void)
{
  h = nbd_create ();
  peer = (struct peer) { .replies = SIMPLE, .size = 64 * MIB };
  peer_accept (h, &peer);
}

static void
disconnect_peer (void)
{
  nbd_close (h);
  peer_close (&peer);
}

/* The first one receives, the second one sleeps. */
static void
one_of_two_readers (bool first_is_cancelled)
{
  struct reader readers[2];
  struct reader *stays = &readers[first_is_cancelled];

  connect_peer ();
  begin (&readers[0], 0);
  begin (&readers[1], SIZE);
  cancel_reader (&readers[!first_is_cancelled]);
  CHECK (nbd_aio_is_ready (h) == 1);
  answer (&readers[0], 'a');
  answer (&readers[1], 'b');
  end (stays, stays == &readers[0] ? 'a' : 'b');

  /* Later reads work as usual. */
  begin (&readers[0], 2 * SIZE);
  answer (&readers[0], 'c');
  end (&readers[0], 'c');
  CHECK (nbd_aio_in_flight (h) == 0);
  CHECK_ERROR (nbd_aio_peek_command_completed (h), EINVAL);
  disconnect_peer ();
}

/* The reply had partly arrived. The rest arrives after its reader is gone, also
 * if the library must not receive beyond it because the program polls the
 * socket, too.
 */
static void
in_the_middle_of_its_data (bool program_polls)
{
  struct reader reader, next;
  char data[SIZE / 2] = { 0 };

  connect_peer ();
  if (program_polls)
    CHECK (nbd_aio_get_fd (h) >= 0);
  begin (&reader, 0);
  peer_simple (&peer, &reader.request, 0);
  peer_write (&peer, data, sizeof data);
  let_it_wait ();
  cancel_reader (&reader);
  CHECK (nbd_aio_is_ready (h) == 1);
  peer_write (&peer, data, sizeof data);
  begin (&next, SIZE);
  answer (&next, 'n');
  end (&next, 'n');
  disconnect_peer ();
}

static void *
poll_once (void *arg)
{
  (void) arg;
  CHECK (nbd_poll (h, -1) == 1);
  return NULL;
}

/* A thread in nbd_poll receives; the reader takes over. */
static void
a_thread_in_poll (void)
{
  struct reader reader;
  pthread_t poller;

  connect_peer ();
  CHECK (pthread_create (&poller, NULL, poll_once, NULL) == 0);
  let_it_wait ();
  begin (&reader, 0);
  cancel (poller);
  answer (&reader, 'p');
  end (&reader, 'p');
  disconnect_peer ();
}

static void *
write_data (void *arg)
{
  CHECK (nbd_pwrite (h, arg, 32 * MIB, 0, 0) == 0);
  return NULL;
}

/* The rest of the data is sent after its memory has gone with the thread. */
static void
a_thread_whose_data_is_not_sent (void)
{
  char *memory = mmap (NULL, 32 * MIB, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *payload = malloc (32 * MIB);
  struct request request;
  struct reader reader;
  pthread_t writer;
  size_t i;

  CHECK (memory != MAP_FAILED && payload != NULL);
  for (i = 0; i < 32 * MIB; i++)
    memory[i] = i % 251;
  connect_peer ();
  CHECK (pthread_create (&writer, NULL, write_data, memory) == 0);
  let_it_wait ();
  cancel (writer);
  CHECK (munmap (memory, 32 * MIB) == 0);
  CHECK (nbd_aio_is_processing (h) == 1);
  CHECK (nbd_aio_in_flight (h) == 0);

  reader = (struct reader) { .offset = 0, .memory = malloc (SIZE) };
  CHECK (reader.memory != NULL);
  CHECK (pthread_create (&reader.thread, NULL, read_data, &reader) == 0);
  request = peer_request (&peer, payload);
  for (i = 0; i < 32 * MIB; i++)
    CHECK (payload[i] == (char) (i % 251));
  reader.request = peer_request (&peer, NULL);
  peer_simple (&peer, &request, 0);
  answer (&reader, 'w');
  CHECK (pthread_join (reader.thread, NULL) == 0);
  CHECK (*(char *) reader.memory == 'w');
  free (reader.memory);
  free (payload);
  disconnect_peer ();
}

static void *
read_uncancelled (void *arg)
{
  CHECK (pthread_setcancelstate (PTHREAD_CANCEL_DISABLE, NULL) == 0);
  return read_data (arg);
}

/* Cancellation is the program's choice. */
static void
a_thread_that_does_not_allow_it (void)
{
  struct reader reader = { .offset = 0 };

  connect_peer ();
  reader.memory = malloc (SIZE);
  CHECK (reader.memory != NULL);
  CHECK (pthread_create (&reader.thread, NULL, read_uncancelled, &reader) == 0);
  reader.request = peer_request (&peer, NULL);
  let_it_wait ();
  CHECK (pthread_cancel (reader.thread) == 0);
  let_it_wait ();
  answer (&reader, 'd');
  CHECK (pthread_join (reader.thread, NULL) == 0);
  CHECK (*(char *) reader.memory == 'd');
  free (reader.memory);
  disconnect_peer ();
}

static int
sleep_a_little (void *user_data, int *error)
{
  (void) error;
  *(int *) user_data = 1;
  usleep (50000);
  *(int *) user_data = 2;
  return 1;
}

static int called;

static void *
poll_and_be_called (void *arg)
{
  CHECK (nbd_aio_flush (h,
                        (nbd_completion_callback) { .callback = sleep_a_little,
                                                    .user_data = &called },
                        0)
         > 0);
  while (nbd_poll (h, -1) == 1)
    ;
  return arg;
}

/* A callback runs to its end, although usleep(3) is a cancellation point. */
static void
a_thread_in_a_callback (void)
{
  struct request request;
  pthread_t thread;

  connect_peer ();
  CHECK (pthread_create (&thread, NULL, poll_and_be_called, NULL) == 0);
  request = peer_request (&peer, NULL);
  peer_simple (&peer, &request, 0);
  while (__atomic_load_n (&called, __ATOMIC_SEQ_CST) == 0)
    usleep (100);
  cancel (thread);
  CHECK (called == 2);
  disconnect_peer ();
}

int
main (void)
{
  alarm (60);
  one_of_two_readers (true);
  one_of_two_readers (false);
  in_the_middle_of_its_data (false);
  in_the_middle_of_its_data (true);
  a_thread_in_poll ();
  a_thread_whose_data_is_not_sent ();
  a_thread_that_does_not_allow_it ();
  a_thread_in_a_callback ();
  return 0;
}
