/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nbd_aio_connect reads an address only up to the given length, and not at all
 * if no address is that long.  The system refuses lengths that do not fit the
 * family, which leaves the handle dead.
 * Source: seen with libnbd 1.24.4; connect(2) "ERRORS".
 */
#include "../harness/harness.h"

#include <limits.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/mman.h>

#define MOST sizeof (struct sockaddr_storage)

/* End of the readable memory. */
static char *end;

static void
refused (const void *address, socklen_t present, socklen_t length, int error,
         const char *call)
{
  struct nbd_handle *h = nbd_create ();
  char *copy = end - present;

  memcpy (copy, address, present);
  CHECK_ERROR (nbd_aio_connect (h, (struct sockaddr *) copy, length), error);
  CHECK_MESSAGE (call);
  CHECK (nbd_aio_is_dead (h) == 1);
  nbd_close (h);
}

/* Tries the lengths of an address family, which has `least` to `most` bytes. */
static void
lengths (const void *address, socklen_t least, socklen_t most)
{
  static const socklen_t none[] = { 4096, 1 << 20, INT_MAX, UINT_MAX };

  refused (address, 0, 0, EAFNOSUPPORT, "nbd_aio_connect: socket: ");
  for (socklen_t length = 2; length < least; ++length)
    refused (address, length, length, EINVAL, "nbd_aio_connect: connect: ");
  for (socklen_t length = most + 1; length < MOST + 10; ++length)
    refused (address, length, length, EINVAL, "nbd_aio_connect: connect: ");
  for (size_t i = 0; i < sizeof none / sizeof none[0]; ++i)
    refused (address, 16, none[i], EINVAL, "nbd_aio_connect: connect: ");
}

int
main (void)
{
  long page = sysconf (_SC_PAGESIZE);
  union {
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_vm vm;
    struct sockaddr_un un;
    char bytes[MOST + 10];
  } address;
  int vsock = socket (AF_VSOCK, SOCK_STREAM, 0);

  end = mmap (NULL, 2 * page, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK (end != MAP_FAILED);
  end += page;
  CHECK (mprotect (end, page, PROT_NONE) == 0);

  memset (&address, 0, sizeof address);
  address.in.sin_family = AF_INET;
  address.in.sin_port = htons (1);
  lengths (&address, sizeof address.in, MOST);

  memset (&address, 0, sizeof address);
  address.in6.sin6_family = AF_INET6;
  address.in6.sin6_port = htons (1);
  /* The scope was added later.  Source: RFC 2133. */
  lengths (&address, offsetof (struct sockaddr_in6, sin6_scope_id), MOST);

  memset (&address, 0, sizeof address);
  address.vm.svm_family = AF_VSOCK;
  address.vm.svm_port = 1;
  if (vsock >= 0)
    lengths (&address, sizeof address.vm, MOST);

  /* A path without a NUL, of any length. */
  memset (&address, 'p', sizeof address);
  address.un.sun_family = AF_UNIX;
  lengths (&address, 3, sizeof address.un);
  for (socklen_t length = 3; length <= sizeof address.un; ++length)
    refused (&address, length, length, ENOENT, "nbd_aio_connect: connect: ");

  /* A name in the abstract namespace, and an empty one. */
  memset (&address, 0, sizeof address);
  address.un.sun_family = AF_UNIX;
  for (socklen_t length = 3; length <= sizeof address.un; ++length)
    refused (&address, length, length, ECONNREFUSED,
             "nbd_aio_connect: connect: ");
  lengths (&address, 3, sizeof address.un);
  close (vsock);
  return 0;
}
