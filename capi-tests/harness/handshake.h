/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Support for programs about handshakes: a server that has sent everything
 * before the client begins, and checks of the client's output.
 */
#ifndef HARNESS_HANDSHAKE_H
#define HARNESS_HANDSHAKE_H

#include "commands.h"

#define OPT_EXPORT_NAME UINT32_C (1)
#define OPT_ABORT UINT32_C (2)
#define OPT_LIST UINT32_C (3)
#define OPT_STARTTLS UINT32_C (5)
#define OPT_INFO UINT32_C (6)
#define OPT_GO UINT32_C (7)
#define OPT_STRUCTURED_REPLY UINT32_C (8)
#define OPT_LIST_META_CONTEXT UINT32_C (9)
#define OPT_SET_META_CONTEXT UINT32_C (10)
#define OPT_EXTENDED_HEADERS UINT32_C (11)

#define REP_ACK UINT32_C (1)
#define REP_SERVER UINT32_C (2)
#define REP_INFO UINT32_C (3)
#define REP_META_CONTEXT UINT32_C (4)
#define REP_ERR(number) (UINT32_C (0x80000000) + (number))

#define GREETING_FIXED "NBDMAGICIHAVEOPT\0\3"
#define GREETING_NOT_FIXED "NBDMAGICIHAVEOPT\0\2"

/* The bytes of a server, and a handle that connects to it. */
struct script {
  struct nbd_handle *h;
  struct bytes says;
  int server;
};

/* Creates a handle that requests nothing except the export. */
static inline struct script
script_begin (const char greeting[static 18], bool opt_mode)
{
  struct script script = { .h = nbd_create (), .server = -1 };

  CHECK (script.h != NULL);
  CHECK (nbd_set_request_structured_replies (script.h, false) == 0);
  CHECK (nbd_set_opt_mode (script.h, opt_mode) == 0);
  put (&script.says, greeting, 18);
  return script;
}

static inline void
put_reply (struct script *script, uint32_t option, uint32_t type,
           const void *data, size_t count)
{
  put_option_reply (&script->says, option, type, count);
  put (&script->says, data, count);
}

/* NBD_INFO_EXPORT for 1 MiB. */
static inline void
put_info_export (struct script *script, uint32_t option, uint16_t flags)
{
  put_option_reply (&script->says, option, REP_INFO, 12);
  put16 (&script->says, 0);
  put64 (&script->says, MIB);
  put16 (&script->says, flags);
}

static inline int
script_connect (struct script *script)
{
  int client = scripted_server (script->says.data, script->says.count,
                                &script->server);

  return nbd_connect_socket (script->h, client);
}

/* Checks that the client sent its flags and these options, with any data, and
 * then end of file.  The list ends with 0.
 */
#define CHECK_SAID(script, ...) \
  check_said (__LINE__, (script), (const uint32_t[]) { __VA_ARGS__, 0 })

static inline void
check_said (int line, struct script *script, const uint32_t *options)
{
  struct timeval limit = { .tv_sec = 20 };
  unsigned char data[4096];
  struct {
    char magic[8];
    uint32_t option, length;
  } header;

  CHECK (setsockopt (script->server, SOL_SOCKET, SO_RCVTIMEO, &limit,
                     sizeof limit)
         == 0);
  CHECK (recv (script->server, data, 4, MSG_WAITALL) == 4);
  for (; *options; ++options) {
    if (recv (script->server, &header, 16, MSG_WAITALL) != 16)
      fail (__FILE__, line, "an option is missing");
    CHECK (memcmp (header.magic, "IHAVEOPT", 8) == 0);
    if (be32toh (header.option) != *options)
      fail (__FILE__, line, "another option");
    CHECK (be32toh (header.length) <= sizeof data);
    CHECK (recv (script->server, data, be32toh (header.length), MSG_WAITALL)
           == (ssize_t) be32toh (header.length));
  }
  if (recv (script->server, data, 1, 0) != 0)
    fail (__FILE__, line, "more than that");
}

static inline void
script_end (struct script *script)
{
  nbd_close (script->h);
  CHECK (close (script->server) == 0);
}

#endif /* HARNESS_HANDSHAKE_H */
