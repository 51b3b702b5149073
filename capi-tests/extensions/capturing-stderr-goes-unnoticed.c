/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The process that passes on standard error is not noticed by the program: no
 * SIGCHLD, nothing for waitpid(2), no descriptor of the program in it and none
 * left over, and it does not keep the memory of the program.
 *
 * Source: nbd_ext_set_capture_stderr(3).
 */
#include "../harness/descriptors.h"
#include "../harness/server-messages.h"

#include <sys/prctl.h>

enum { LARGE = 256 << 20 };

static volatile sig_atomic_t signals;

static void
on_child (int signal)
{
  (void) signal;
  ++signals;
}

/* Reads a file of the process that passes on standard error: the child of this
 * process with its name.  Returns false if there is none.
 */
static bool
read_of_helper (const char *name, char *text, size_t size)
{
  static char children[4096], path[64];
  int fd = open ("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
  ssize_t count;
  char *next;
  long pid;

  CHECK (fd >= 0);
  CHECK ((count = read (fd, children, sizeof children - 1)) >= 0);
  close (fd);
  children[count] = '\0';
  for (next = children; (pid = strtol (next, &next, 10)) > 0;) {
    snprintf (path, sizeof path, "/proc/%ld/comm", pid);
    if ((fd = open (path, O_RDONLY | O_CLOEXEC)) == -1)
      continue;
    CHECK ((count = read (fd, text, size - 1)) >= 0);
    close (fd);
    text[count] = '\0';
    if (strcmp (text, "nbd-stderr\n") != 0)
      continue;
    snprintf (path, sizeof path, "/proc/%ld/%s", pid, name);
    if (strcmp (name, "fd") == 0) {
      snprintf (text, size, "%zu", entries (path) - 2);
      return true;
    }
    CHECK ((fd = open (path, O_RDONLY | O_CLOEXEC)) >= 0);
    CHECK ((count = read (fd, text, size - 1)) >= 0);
    close (fd);
    text[count] = '\0';
    return true;
  }
  return false;
}

/* Waits until that process is ready, and checks what it has. */
static void
check_helper (void)
{
  static char text[4096];
  const char *line;
  int i;

  if (access ("/proc/thread-self/children", R_OK) == -1)
    return; /* a kernel without it */
  for (i = 0; i < LONG_ENOUGH; ++i) {
    if (read_of_helper ("fd", text, sizeof text) && atoi (text) <= 3
        && read_of_helper ("status", text, sizeof text)
        && (line = strstr (text, "RssAnon:")) != NULL
        && strtol (line + 8, NULL, 10) < LARGE / 1024 / 4)
      return;
    usleep (1000);
  }
  CHECK (!"the process has released memory and descriptors");
}

int
main (void)
{
  struct sigaction action = { .sa_handler = on_child };
  struct nbd_handle *h = connected ("--size", "1M");
  char *large = mmap (NULL, LARGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  siginfo_t info;
  size_t before;
  int64_t server;
  int i;

  CHECK (large != MAP_FAILED);
  memset (large, 1, LARGE);
  nbd_close (h);
  before = descriptors ();
  CHECK (sigaction (SIGCHLD, &action, NULL) == 0);

  h = connect_handle (capturing (), server_command ("--size", "1M"));
  CHECK ((server = nbd_get_subprocess_pid (h)) > 0);
  if (getenv ("TEST_UNDER_VALGRIND") == NULL)
    check_helper ();
  CHECK (signals == 0);

  /* The server is the only child. */
  CHECK (nbd_kill_subprocess (h, SIGKILL) == 0);
  CHECK (waitid (P_ALL, 0, &info, WEXITED | WNOWAIT) == 0);
  CHECK (info.si_pid == server);
  nbd_close (h);
  CHECK (signals == 1);
  CHECK (waitpid (-1, NULL, __WALL) == -1 && errno == ECHILD);
  CHECK (descriptors () == before);

  /* Also for a program that adopts the children of its children. */
  CHECK (prctl (PR_SET_CHILD_SUBREAPER, 1) == 0);
  for (i = 0; i < 50; ++i) {
    signals = 0;
    h = connect_handle (capturing (), server_command ("--size", "1M"));
    nbd_close (h);
    CHECK (signals == 1);
    CHECK (waitpid (-1, NULL, __WALL) == -1 && errno == ECHILD);
  }
  CHECK (descriptors () == before);

  /* Also if the server never starts. */
  h = capturing ();
  CHECK (nbd_connect_command (h, (char *[]) { NULL }) == -1);
  nbd_close (h);
  CHECK (waitpid (-1, NULL, __WALL) == -1 && errno == ECHILD);
  CHECK (descriptors () == before);
  return 0;
}
