/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The connection succeeds if an export's transmission flags lack
 * NBD_FLAG_HAS_FLAGS; only an export without any flag is refused.  Flags that
 * depend on features not negotiated are ignored.
 * Source: nbd_opt_go(3), nbd_can_df(3); seen with libnbd 1.24.4.
 */
#include "../harness/peer-handshake.h"

enum how { BY_GO, BY_EXPORT_NAME, OLDSTYLE };

static struct script
offered (enum how how, uint16_t flags)
{
  struct script s = script_begin (how == BY_GO ? GREETING_FIXED
                                               : GREETING_NOT_FIXED,
                                  false);

  switch (how) {
  case BY_GO:
    put_export (&s.says, OPT_GO, MIB, flags);
    put_ack (&s.says, OPT_GO);
    break;
  case BY_EXPORT_NAME:
    put64 (&s.says, MIB);
    put16 (&s.says, flags);
    break;
  case OLDSTYLE:
    s.says.count = 0;
    put_oldstyle (&s.says, MIB, flags);
    break;
  }
  return s;
}

int
main (void)
{
  static const uint16_t words[] = { 1, 2, 3, 0x3000, 0x8000, 0xffff };

  for (enum how how = BY_GO; how <= OLDSTYLE; ++how) {
    struct script s;

    for (size_t i = 0; i < ITEMS (words); ++i) {
      s = offered (how, words[i]);
      CHECK (script_connect (&s) == 0);
      CHECK (nbd_get_size (s.h) == 1 * MIB);
      CHECK (nbd_is_read_only (s.h) == ((words[i] & 2) != 0));
      CHECK (nbd_can_cache (s.h) == (words[i] == 0xffff));
      CHECK (nbd_can_df (s.h) == 0);
      CHECK (nbd_can_block_status_payload (s.h) == 0);
      script_end (&s);
    }
    s = offered (how, 0);
    CHECK_ERROR (script_connect (&s), EINVAL);
    CHECK_EXACT_MESSAGE ("nbd_connect_socket: handshake: "
                         "invalid eflags == 0 from server: Invalid argument");
    CHECK (nbd_aio_is_dead (s.h) == 1);
    script_end (&s);
  }
  return 0;
}
