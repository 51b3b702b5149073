/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The part of the handshake that the floor needs with memserver: the requested
 * kind of replies, then GO. Anything unexpected ends the program.
 */

#ifndef HANDSHAKE_H
#define HANDSHAKE_H

#include <arpa/inet.h>
#include <endian.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../capi-tests/harness/protocol.h"

static inline void
give_up (const char *what)
{
  perror (what);
  exit (EXIT_FAILURE);
}

/* Connects to a path or a port of the loopback interface. */
static inline int
connect_socket (const char *target)
{
  int fd, one = 1;

  if (target[0] == '/') {
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    strncpy (address.sun_path, target, sizeof address.sun_path - 1);
    fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1 || connect (fd, (void *) &address, sizeof address) == -1)
      give_up ("connect");
  } else {
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons (atoi (target)),
                                   .sin_addr = { htonl (INADDR_LOOPBACK) } };

    fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1 || connect (fd, (void *) &address, sizeof address) == -1
        || setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == -1)
      give_up ("connect");
  }
  return fd;
}

static inline void
send_all (int fd, const void *bytes, size_t length)
{
  if (send (fd, bytes, length, MSG_NOSIGNAL) != (ssize_t) length)
    give_up ("send");
}

static inline void
receive_all (int fd, void *bytes, size_t length)
{
  if (length > 0 && recv (fd, bytes, length, MSG_WAITALL) != (ssize_t) length)
    give_up ("recv");
}

/* Sends an option and waits for its ACK, skipping the replies before it. */
static inline void
option (int fd, uint32_t number, const void *data, uint32_t length)
{
  char request[16 + 256], rest[4096];
  struct {
    uint64_t magic;
    uint32_t option, type, length;
  } __attribute__ ((packed)) reply;
  uint32_t big_number = htobe32 (number), big_length = htobe32 (length);

  memcpy (request, "IHAVEOPT", 8);
  memcpy (request + 8, &big_number, 4);
  memcpy (request + 12, &big_length, 4);
  memcpy (request + 16, data, length);
  send_all (fd, request, 16 + length);
  do {
    receive_all (fd, &reply, sizeof reply);
    if (be32toh (reply.length) > sizeof rest
        || (be32toh (reply.type) & 0x80000000)) {
      fprintf (stderr, "the server refuses option %u\n", (unsigned) number);
      exit (EXIT_FAILURE);
    }
    receive_all (fd, rest, be32toh (reply.length));
  } while (be32toh (reply.type) != REP_ACK);
}

static inline int
connect_to_export (const char *target, const char *export, const char *style)
{
  int fd = connect_socket (target);
  uint32_t flags = htobe32 (3), /* fixed newstyle, no zeroes */
      length = strlen (export), big_length = htobe32 (length);
  char greeting[GREETING_SIZE], go[256] = "";

  receive_all (fd, greeting, sizeof greeting);
  send_all (fd, &flags, sizeof flags);
  if (strcmp (style, "structured") == 0)
    option (fd, OPT_STRUCTURED_REPLY, "", 0);
  if (strcmp (style, "extended") == 0)
    option (fd, OPT_EXTENDED_HEADERS, "", 0);
  memcpy (go, &big_length, 4);
  memcpy (go + 4, export, length);
  option (fd, OPT_GO, go, length + 6); /* and no information requests */
  return fd;
}

#endif
