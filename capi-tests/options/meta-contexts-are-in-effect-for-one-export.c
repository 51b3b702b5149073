/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The meta contexts of an export are in effect from the server's answer until
 * the next selection, a change of the export name, or the server's refusal of
 * the export.  Afterwards, the result of nbd_can_meta_context depends on
 * whether the program has named any context.  If the handle requests contexts
 * itself and none are named, there are none.
 * Source: nbd_opt_set_meta_context(3), nbd_set_request_meta_context(3); outcomes
 * of libnbd 1.24.4.
 */
#include "../harness/peer-handshake.h"

/* Each letter is a call; in capitals, the server refuses it. With `o` the
 * server agrees and omits the size and the flags of the export.  Before a call
 * in which the handle requests contexts itself, x means that the server refuses
 * them, and y that it names one and then refuses; P is y for a call of the
 * program.
 */
struct history {
  const char *calls;
  bool by_itself, named, structured;
  int can;     /* expected result of nbd_can_meta_context at the end */
  bool status; /* true if nbd_block_status is possible then */
};

static const struct history histories[] = {
  /* requested by the program only, none named */
  { "sg", false, false, true, 1, true },
  { "sig", false, false, true, 1, true },
  { "slg", false, false, true, 1, true },
  { "sIg", false, false, true, 1, false },
  { "sGg", false, false, true, 1, false },
  { "siIg", false, false, true, 1, false },
  { "sSg", false, false, true, 0, false },
  { "Sg", false, false, true, 0, false },
  { "eg", false, false, true, 0, false },
  { "sng", false, false, true, 1, false },
  { "snNg", false, false, true, 1, false },
  { "sNg", false, false, true, 1, true },
  { "sInsg", false, false, true, 1, true },
  { "sIa", false, false, true, -1, false },
  { "sna", false, false, true, -1, false },
  { "sia", false, false, true, 1, false },
  { "ea", false, false, true, 0, false },
  { "Sa", false, false, true, -1, false },
  { "ia", false, false, true, -1, false },
  { "sU", false, false, true, 1, true },
  /* the same, with a name */
  { "sg", false, true, true, 1, true },
  { "sIg", false, true, true, -1, false },
  { "sng", false, true, true, -1, false },
  { "scg", false, true, true, 1, true },
  { "Sg", false, true, true, -1, false },
  { "g", false, true, true, -1, false },
  { "g", false, true, false, -1, false },
  { "sg", false, true, false, 1, false },
  { "sIg", false, true, false, -1, false },
  /* requested by the handle, none named */
  { "sg", true, false, true, 0, false },
  { "sTg", false, false, true, 0, false },
  { "sfg", true, false, true, 1, true },
  { "sia", true, false, true, 0, false },
  { "sIa", true, false, true, -1, false },
  { "sca", true, false, true, 1, false },
  { "sna", true, false, true, -1, false },
  { "a", true, false, true, -1, false },
  { "oa", true, false, true, -1, false },
  { "ioa", true, false, true, -1, false },
  { "soa", true, false, true, -1, false },
  { "soa", false, false, true, 1, false },
  { "soia", true, false, true, 0, false },
  { "ia", true, false, false, 0, false },
  { "Ia", true, false, false, -1, false },
  { "g", true, true, false, 0, false },
  { "P", false, false, true, 1, false },
  { "P", false, true, true, -1, false },
  { "Pg", false, false, true, 1, false },
  { "sPg", false, false, true, 1, false },
  { "Pg", false, true, true, -1, false },
  /* the same, with a name */
  { "xi", true, true, true, 0, false },
  { "xg", true, true, true, 0, false },
  { "yi", true, true, true, -1, false },
  { "yo", true, true, true, -1, false },
  { "yg", true, true, true, -1, false },
  { "yic", true, true, true, 1, false },
};

/* Appends the server's answer to each call. */
static void
answer (struct script *script, char call)
{
  switch (call) {
  case 's':
    put_context (&script->says, OPT_SET_META_CONTEXT, 7,
                 LIBNBD_CONTEXT_BASE_ALLOCATION);
    put_ack (&script->says, OPT_SET_META_CONTEXT);
    break;
  case 'e':
    put_ack (&script->says, OPT_SET_META_CONTEXT);
    break;
  case 'S':
    put_option_reply (&script->says, OPT_SET_META_CONTEXT, REP_ERR (1), "", 0);
    break;
  case 'l':
    put_context (&script->says, OPT_LIST_META_CONTEXT, 0,
                 LIBNBD_CONTEXT_BASE_ALLOCATION);
    put_ack (&script->says, OPT_LIST_META_CONTEXT);
    break;
  case 'P':
  case 'y':
    put_context (&script->says, OPT_SET_META_CONTEXT, 7,
                 LIBNBD_CONTEXT_BASE_ALLOCATION);
    /* fall through */
  case 'x':
    put_option_reply (&script->says, OPT_SET_META_CONTEXT, REP_ERR (1), "", 0);
    break;
  case 'o':
    put_ack (&script->says, OPT_INFO);
    break;
  case 'i':
    put_export (&script->says, OPT_INFO, MIB, NBD_FLAG_HAS_FLAGS);
    put_ack (&script->says, OPT_INFO);
    break;
  case 'I':
    put_option_reply (&script->says, OPT_INFO, REP_ERR (6), "", 0);
    break;
  case 'g':
    put_export (&script->says, OPT_GO, MIB, NBD_FLAG_HAS_FLAGS);
    put_ack (&script->says, OPT_GO);
    break;
  case 'G':
    put_option_reply (&script->says, OPT_GO, REP_ERR (6), "", 0);
    break;
  case 'U':
    put_option_reply (&script->says, OPT_GO, REP_ERR (1), "", 0);
    put64 (&script->says, MIB);
    put16 (&script->says, NBD_FLAG_HAS_FLAGS);
    break;
  }
}

static int
act (struct nbd_handle *h, char call)
{
  char *queries[] = { LIBNBD_CONTEXT_BASE_ALLOCATION, NULL };
  nbd_context_callback context = { .callback = no_context };

  switch (call) {
  case 's':
  case 'e':
  case 'S':
  case 'P':
    return nbd_opt_set_meta_context_queries (h, queries, context);
  case 'l':
    return nbd_opt_list_meta_context_queries (h, queries, context);
  case 'i':
  case 'I':
  case 'o':
    return nbd_opt_info (h);
  case 'g':
  case 'G':
  case 'U':
    return nbd_opt_go (h);
  case 'n':
    return nbd_set_export_name (h, "other");
  case 'N':
    return nbd_set_export_name (h, "");
  case 'a':
    return nbd_add_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION);
  case 'c':
    return nbd_clear_meta_contexts (h);
  case 'f':
    return nbd_set_request_meta_context (h, false);
  default:
    return nbd_set_request_meta_context (h, true);
  }
}

static void
check (const struct history *history)
{
  struct script script = script_begin (GREETING_FIXED, true);
  struct nbd_handle *h = script.h;
  struct record record = { .result = 0 };
  const char *call;
  int can;

  fprintf (stderr, "%s, by itself %d, named %d, structured %d\n",
           history->calls, history->by_itself, history->named,
           history->structured);
  CHECK (nbd_set_request_structured_replies (h, history->structured) == 0);
  CHECK (nbd_set_request_extended_headers (h, false) == 0);
  CHECK (nbd_set_request_meta_context (h, history->by_itself) == 0);
  if (history->named)
    CHECK (nbd_add_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0);
  if (history->structured)
    put_ack (&script.says, OPT_STRUCTURED_REPLY);
  for (call = history->calls; *call; ++call)
    answer (&script, *call);
  CHECK (script_connect (&script) == 0);
  for (call = history->calls; *call; ++call)
    if (strchr ("xy", *call) == NULL)
      CHECK ((act (h, *call) == -1) == (strchr ("SIGP", *call) != NULL));

  can = nbd_can_meta_context (h, LIBNBD_CONTEXT_BASE_ALLOCATION);
  CHECK (can == history->can);
  if (can == -1)
    CHECK (nbd_get_errno () == EINVAL);
  if (nbd_aio_is_ready (h)) {
    int64_t cookie = nbd_aio_block_status (h, 512, 0, EXTENT (&record),
                                           NBD_NULL_COMPLETION, 0);

    if (history->status)
      CHECK (cookie > 0);
    else
      CHECK_ERROR (cookie, ENOTSUP);
  }
  script_end (&script);
}

int
main (void)
{
  for (size_t i = 0; i < ITEMS (histories); ++i)
    check (&histories[i]);
  return 0;
}
