/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A server that has sent its handshake before the client begins, and checks of
 * the client's output.
 */
#ifndef HARNESS_PEER_HANDSHAKE_H
#define HARNESS_PEER_HANDSHAKE_H

#include "peer.h"

/* The bytes of a server, and a handle that connects to it. */
struct script {
  struct nbd_handle *h;
  struct bytes says;
  int server;
};

/* Creates a handle that requests nothing except the export. */
static inline struct script
script_begin (const char greeting[static GREETING_SIZE], bool opt_mode)
{
  struct script script = { .h = nbd_create (), .server = -1 };

  CHECK (script.h != NULL);
  CHECK (nbd_set_request_structured_replies (script.h, false) == 0);
  CHECK (nbd_set_opt_mode (script.h, opt_mode) == 0);
  put (&script.says, greeting, GREETING_SIZE);
  return script;
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

  CHECK (setsockopt (script->server, SOL_SOCKET, SO_RCVTIMEO, &limit,
                     sizeof limit)
         == 0);
  CHECK (recv (script->server, data, 4, MSG_WAITALL) == 4);
  for (; *options; ++options) {
    struct option option;

    if (recv (script->server, data, OPTION_HEADER_SIZE, MSG_WAITALL)
        != OPTION_HEADER_SIZE)
      fail (__FILE__, line, "an option is missing");
    option = parse_option (data);
    if (option.number != *options)
      fail (__FILE__, line, "another option");
    CHECK (option.length <= sizeof data);
    CHECK (recv (script->server, data, option.length, MSG_WAITALL)
           == (ssize_t) option.length);
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

#endif /* HARNESS_PEER_HANDSHAKE_H */
