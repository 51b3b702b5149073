/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Support for programs about what servers write to standard error: servers that
 * are shell scripts, and a file that is the standard error of this program.
 */
#ifndef HARNESS_SERVER_MESSAGES_H
#define HARNESS_SERVER_MESSAGES_H

#include "commands.h"

#include <libnbd-ext.h>

#include <sys/mman.h>
#include <sys/stat.h>

/* A command that runs a shell script.  $0 is the memserver. */
#define shell_command(script) \
  ((char *[]) { "sh", "-c", (char *) (script), memserver (), NULL })

/* A handle that keeps the messages of its server. */
static inline struct nbd_handle *
capturing (void)
{
  struct nbd_handle *h = nbd_create ();

  CHECK (h != NULL);
  /* qemu-user makes no child without a signal. */
  if (getenv ("TEST_UNDER_EMULATOR") != NULL)
    exit (0);
  CHECK (nbd_ext_set_capture_stderr (h, true) == 0);
  return h;
}

static int real_stderr = -1;

/* Prints what this program itself has written to the file. */
static inline void
show_messages (void)
{
  char text[1024];
  ssize_t count = pread (STDERR_FILENO, text, sizeof text, 0);

  if (real_stderr >= 0 && count > 0)
    (void) !write (real_stderr, text, count);
}

/* Makes an empty file the standard error of this program. */
static inline void
redirect_stderr (void)
{
  int file = memfd_create ("stderr", MFD_CLOEXEC);

  CHECK (file >= 0 && fcntl (file, F_SETFL, O_APPEND) == 0);
  if (real_stderr == -1) {
    CHECK ((real_stderr = fcntl (STDERR_FILENO, F_DUPFD_CLOEXEC, 3)) >= 0);
    CHECK (atexit (show_messages) == 0);
  }
  CHECK (dup2 (file, STDERR_FILENO) == STDERR_FILENO);
  close (file);
}

/* Returns the size of that file. */
static inline off_t
stderr_size (void)
{
  struct stat status;

  CHECK (fstat (STDERR_FILENO, &status) == 0);
  return status.st_size;
}

/* Waits until that file has this size, without a call of the library. */
static inline void
wait_for_stderr (off_t size)
{
  int i;

  for (i = 0; i < LONG_ENOUGH && stderr_size () < size; ++i)
    usleep (1000);
  CHECK (stderr_size () == size);
}

/* Checks that that file has exactly this text, and truncates it. */
static inline void
check_stderr (const char *expected)
{
  char text[1024];
  ssize_t count = pread (STDERR_FILENO, text, sizeof text - 1, 0);

  CHECK (count >= 0);
  text[count] = '\0';
  check_text (__FILE__, __LINE__, text, expected, true);
  CHECK (ftruncate (STDERR_FILENO, 0) == 0);
}

#endif /* HARNESS_SERVER_MESSAGES_H */
