/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Over TLS, large commands are interrupted by a time limit or cancelled, while
 * records are partly sent or received, and their memory is unmapped.  Later
 * commands transfer the right data.
 * Source: nbd_ext_set_timeout(3), nbd_ext_aio_cancel(3).
 */
#include "../harness/tls.h"

#include <libnbd-ext.h>

#include <sys/mman.h>

#define LARGE (8 * MIB)
#define SMALL 4096

static struct nbd_handle *h;

static char *
map (size_t size, int byte)
{
  char *memory = mmap (NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  CHECK (memory != MAP_FAILED);
  memset (memory, byte, size);
  return memory;
}

/* Writes and reads other sectors. */
static void
check_session (int byte)
{
  char out[SMALL], in[SMALL] = { 0 };

  memset (out, byte, sizeof out);
  CHECK (nbd_pwrite (h, out, SMALL, LARGE, 0) == 0);
  CHECK (nbd_pread (h, in, SMALL, LARGE, 0) == 0);
  CHECK (memcmp (in, out, SMALL) == 0);
}

/* Returns true if the command was interrupted. */
static bool
interrupt (bool writes, int timeout, int byte)
{
  char *memory = map (LARGE, byte);
  int r;

  CHECK (nbd_ext_set_timeout (h, timeout) == 0);
  r = writes ? nbd_pwrite (h, memory, LARGE, 0, 0)
             : nbd_pread (h, memory, LARGE, 0, 0);
  CHECK (r == 0 || nbd_get_errno () == ETIMEDOUT);
  CHECK (munmap (memory, LARGE) == 0);
  CHECK (nbd_ext_set_timeout (h, 0) == 0);
  check_session (byte);
  return r == -1;
}

/* Cancels the command after that many calls of nbd_poll. */
static void
cancel (bool writes, int polls, int byte)
{
  char *memory = map (LARGE, byte);
  nbd_completion_callback none = NBD_NULL_COMPLETION;
  int64_t cookie = writes ? nbd_aio_pwrite (h, memory, LARGE, 0, none, 0)
                          : nbd_aio_pread (h, memory, LARGE, 0, none, 0);

  CHECK (cookie > 0);
  for (int i = 0; i < polls && !nbd_aio_command_completed (h, cookie); ++i)
    CHECK (nbd_poll (h, LONG_ENOUGH) == 1);
  if (nbd_ext_aio_cancel (h, cookie) == 1)
    CHECK_ERROR (nbd_aio_command_completed (h, cookie), ECANCELED);
  CHECK (munmap (memory, LARGE) == 0);
  check_session (byte);
}

int
main (void)
{
  int interruptions = 0;

  h = configured ();
  CHECK (connect_to_server (h) == 0);
  CHECK (nbd_get_tls_negotiated (h) == 1);
  for (int i = 1; i < 20; ++i) {
    interruptions += interrupt (true, i % 5 + 1, i);
    interruptions += interrupt (false, i % 5 + 1, i);
    cancel (true, i - 1, i);
    cancel (false, i - 1, i);
  }
  printf ("%d calls were interrupted\n", interruptions);
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
  return 0;
}
