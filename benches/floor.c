/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The floor: the minimum cost of moving the same bytes over the same socket.
 * Each request is sent by its own call when it is issued. Replies are received
 * in batches of half the depth and not parsed: their length is known. There is
 * no cookie lookup and no error handling. With -c it computes after sending,
 * and then receives all replies at once. With -l own it waits with poll(2)
 * before each receive, which takes one reply, so that the socket stays readable
 * as long as another one is there.
 */

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/uio.h>

#include "arguments.h"
#include "handshake.h"
#include "measure.h"

/* Maximum number of replies received by one call. */
#define MOST_IN_A_BATCH 256

struct compact {
  uint32_t magic;
  uint16_t flags, type;
  uint64_t cookie, offset;
  uint32_t length;
} __attribute__ ((packed));

struct extended {
  uint32_t magic;
  uint16_t flags, type;
  uint64_t cookie, offset, length;
} __attribute__ ((packed));

struct connection {
  const struct arguments *arguments;
  int fd;
  size_t header_size; /* of a request */
  char *payloads;     /* of writes, one for each in flight */
  char *replies;      /* room for all in flight */
  size_t room;
  size_t received; /* bytes since the beginning */
};

static size_t
reply_size (const struct arguments *it)
{
  size_t data = it->operation == OPERATION_READ ? it->size : 0;

  if (strcmp (it->style, "simple") == 0)
    return 16 + data;
  if (strcmp (it->style, "structured") == 0)
    return data > 0 ? 20 + 8 + data : 16;
  return 32 + (data > 0 ? 8 + data : 0);
}

static void
put_request (struct connection *it, char *header, long n)
{
  static const uint16_t types[] = { NBD_CMD_READ, NBD_CMD_WRITE,
                                    NBD_CMD_WRITE_ZEROES };
  uint16_t type = htobe16 (types[it->arguments->operation]);
  uint64_t offset = htobe64 (offset_of (it->arguments, n));

  if (it->header_size == sizeof (struct compact)) {
    struct compact request = { htobe32 (REQUEST_MAGIC),      0, type, n, offset,
                               htobe32 (it->arguments->size) };

    memcpy (header, &request, sizeof request);
  } else {
    int payload = it->arguments->operation == OPERATION_WRITE;
    struct extended request = { htobe32 (EXTENDED_REQUEST_MAGIC),
                                htobe16 (payload ? NBD_CMD_FLAG_PAYLOAD_LEN
                                                 : 0),
                                type,
                                n,
                                offset,
                                htobe64 (it->arguments->size) };

    memcpy (header, &request, sizeof request);
  }
}

/* Receives into the ring of replies and counts the bytes. */
static void
receive (struct connection *it, size_t at_most, int flags)
{
  size_t at = it->received % it->room;
  size_t length = at_most < it->room - at ? at_most : it->room - at;
  ssize_t n = recv (it->fd, it->replies + at, length, flags);

  if (n == 0)
    errno = ECONNRESET;
  if (n <= 0 && errno != EAGAIN)
    give_up ("recv");
  if (n > 0)
    it->received += n;
}

static void
wait_for_reply (struct connection *it)
{
  struct pollfd fd = { it->fd, POLLIN, 0 };

  if (poll (&fd, 1, -1) == -1)
    give_up ("poll");
}

/* Sends the slices. With few in flight, all replies fit into the socket while
 * this waits for space; with many, it receives meanwhile, as the server may be
 * blocked on sending. */
static void
send_slices (struct connection *it, struct iovec *slices, size_t count)
{
  int flags = MSG_NOSIGNAL | (it->arguments->depth > 64 ? MSG_DONTWAIT : 0);

  while (count > 0) {
    struct msghdr message = { .msg_iov = slices, .msg_iovlen = count };
    ssize_t sent = sendmsg (it->fd, &message, flags);

    if (sent == -1) {
      struct pollfd fd = { it->fd, POLLIN | POLLOUT, 0 };

      if (errno != EAGAIN || poll (&fd, 1, -1) == -1)
        give_up ("send");
      if (fd.revents & POLLIN)
        receive (it, it->room, MSG_DONTWAIT);
      continue;
    }
    while (count > 0 && (size_t) sent >= slices->iov_len) {
      sent -= slices->iov_len;
      slices++;
      count--;
    }
    if (count > 0) {
      slices->iov_base = (char *) slices->iov_base + sent;
      slices->iov_len -= sent;
    }
  }
}

static void
send_request (struct connection *it, long n)
{
  const struct arguments *arguments = it->arguments;
  char header[sizeof (struct extended)];
  struct iovec slices[2] = { { header, it->header_size } };
  size_t count = 1;

  put_request (it, header, n);
  if (arguments->operation == OPERATION_WRITE) {
    long payload = n % arguments->depth;

    slices[count++] = (struct iovec) { it->payloads + payload * arguments->size,
                                       arguments->size };
  }
  send_slices (it, slices, count);
}

static void
run (struct connection *it)
{
  long operations = it->arguments->operations, depth = it->arguments->depth;
  bool own = strcmp (it->arguments->loop, "own") == 0;
  long batch = it->arguments->compute > 0 ? depth : own ? 1 : depth / 2;
  long issued = 0, done = 0;
  size_t size = reply_size (it->arguments);

  if (batch < 1)
    batch = 1;
  if (batch > MOST_IN_A_BATCH)
    batch = MOST_IN_A_BATCH;
  while (done < operations) {
    while (issued < operations && issued - done < depth)
      send_request (it, issued++);
    compute (it->arguments->compute);
    if (own)
      wait_for_reply (it);
    done += issued - done < batch ? issued - done : batch;
    while (it->received < done * size)
      receive (it, done * size - it->received, MSG_WAITALL);
  }
}

/* Checks the byte count: nothing may be left before the server closes. */
static void
disconnect (struct connection *it)
{
  char header[sizeof (struct extended)] = "", byte;
  uint16_t type = htobe16 (NBD_CMD_DISC);

  put_request (it, header, 0);
  memset (header + 4, 0, it->header_size - 4);
  memcpy (header + 6, &type, 2);
  send_all (it->fd, header, it->header_size);
  if (recv (it->fd, &byte, 1, 0) != 0) {
    fprintf (stderr, "replies of another length than expected\n");
    exit (EXIT_FAILURE);
  }
  close (it->fd);
}

/* Measures the minimum cost of connecting and disconnecting. */
static int
connect_again_and_again (struct connection *it)
{
  const struct arguments *arguments = it->arguments;
  struct moment start = moment_now ();

  for (long n = 0; n < arguments->operations; n++) {
    it->fd = connect_to_export (arguments->target, "read", arguments->style);
    disconnect (it);
  }
  report_since (start, arguments->operations, "floor");
  return EXIT_SUCCESS;
}

int
main (int argc, char *argv[])
{
  struct arguments arguments = parse_arguments (argc, argv);
  static const char *const exports[] = { "read", "write", "zero" };
  struct connection it = { .arguments = &arguments };
  struct moment start;

  it.header_size = strcmp (arguments.style, "extended") == 0
                       ? sizeof (struct extended)
                       : sizeof (struct compact);
  it.payloads = touched_memory (arguments.operation == OPERATION_WRITE
                                    ? arguments.depth * arguments.size
                                    : 1);
  it.room = arguments.depth * reply_size (&arguments);
  it.replies = touched_memory (it.room);
  if (strcmp (arguments.loop, "connect") == 0)
    return connect_again_and_again (&it);
  it.fd = connect_to_export (arguments.target, exports[arguments.operation],
                             arguments.style);
  start = moment_now ();
  run (&it);
  report_since (start, arguments.operations, "floor");
  disconnect (&it);
  return EXIT_SUCCESS;
}
