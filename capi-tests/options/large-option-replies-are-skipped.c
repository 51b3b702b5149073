/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Oversized option replies of up to 64 MiB are skipped if they describe an
 * export; other replies of that length are errors.
 * Source: nbd_opt_list(3), nbd_opt_go(3); seen with libnbd 1.24.4.
 */
#include "../harness/peer-handshake.h"

#define LONGEST 8196

static char long_text[LONGEST + 1];

static int
count_export (void *user_data, const char *name, const char *description)
{
  (void) name;
  (void) description;
  ++*(int *) user_data;
  return 0;
}

static void
put_listed (struct script *s, uint32_t name, uint32_t description)
{
  put_option_header (&s->says, OPT_LIST, REP_SERVER, 4 + name + description);
  put32 (&s->says, name);
  put (&s->says, long_text, name);
  put (&s->says, long_text, description);
}

static void
list (uint32_t name, uint32_t description, int expected)
{
  struct script s = script_begin (GREETING_FIXED, true);
  int count = 0;
  nbd_list_callback callback = {
    .callback = count_export,
    .user_data = &count,
  };

  put_listed (&s, name, description);
  put_listed (&s, 1, 0);
  put_ack (&s.says, OPT_LIST);
  CHECK (script_connect (&s) == 0);
  CHECK (nbd_opt_list (s.h, callback) == expected);
  CHECK (count == (expected == -1 ? 0 : expected));
  CHECK (nbd_aio_is_dead (s.h) == (expected == -1));
  script_end (&s);
}

static void
information (uint32_t length)
{
  struct script s = script_begin (GREETING_FIXED, false);

  put_export (&s.says, OPT_GO, MIB, 1);
  put_option_reply (&s.says, OPT_GO, REP_INFO, long_text, length);
  put_ack (&s.says, OPT_GO);
  CHECK (script_connect (&s) == 0);
  CHECK (nbd_get_size (s.h) == 1 * MIB);
  script_end (&s);
}

static void
refusal (uint32_t length, const char *message)
{
  struct script s = script_begin (GREETING_FIXED, false);

  put_option_reply (&s.says, OPT_GO, REP_ERR (2), long_text, length);
  CHECK_ERROR (script_connect (&s), 0);
  CHECK_MESSAGE (message);
  script_end (&s);
}

int
main (void)
{
  memset (long_text, 'x', sizeof long_text);

  list (4096, 4096, 2);
  list (4097, 0, -1);
  list (0, 4097, -1);
  list (4096, 4097, 1);
  list (0, LONGEST - 3, 1);
  information (LONGEST);
  information (LONGEST + 1);
  refusal (4096, "server policy prevents the operation: xxx");
  refusal (4097, "option error string too long");
  refusal (LONGEST + 1, "option error string too long");
  return 0;
}
