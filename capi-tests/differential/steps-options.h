/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Steps of option negotiation. */
#ifndef STEPS_OPTIONS_H
#define STEPS_OPTIONS_H

#include "steps-commands.h"

/* Newer libraries have more of them. */
static void
newer_option (void)
{
  char **queries = choose_contexts ();
  nbd_context_callback context;

  switch (below (6)) {
  case 0:
    NEWER_RETURNS (nbd_opt_starttls, (h), "%s", "");
    break;
  case 1:
    NEWER_RETURNS (nbd_opt_extended_headers, (h), "%s", "");
    break;
  case 2:
    NEWER_RETURNS (nbd_opt_structured_reply, (h), "%s", "");
    break;
  case 3:
    context = CONTEXT;
    NEWER_RETURNS (nbd_opt_list_meta_context_queries, (h, queries, context),
                   "%s", list_of (queries));
    break;
  case 4:
    context = CONTEXT;
    NEWER_RETURNS (nbd_opt_set_meta_context, (h, context), "%s", "");
    break;
  default:
    context = CONTEXT;
    NEWER_RETURNS (nbd_opt_set_meta_context_queries, (h, queries, context),
                   "%s", list_of (queries));
  }
}

static void
newer_aio_option (void)
{
  char **queries = choose_contexts ();
  nbd_completion_callback completion = ANY_COMPLETION (NULL);
  nbd_context_callback context;

  switch (below (6)) {
  case 0:
    NEWER_SETTLES (nbd_aio_opt_starttls, (h, completion), "%s", "");
    break;
  case 1:
    NEWER_SETTLES (nbd_aio_opt_extended_headers, (h, completion), "%s", "");
    break;
  case 2:
    NEWER_SETTLES (nbd_aio_opt_structured_reply, (h, completion), "%s", "");
    break;
  case 3:
    context = CONTEXT;
    NEWER_SETTLES (nbd_aio_opt_list_meta_context_queries,
                   (h, queries, context, completion), "%s", list_of (queries));
    break;
  case 4:
    context = CONTEXT;
    NEWER_SETTLES (nbd_aio_opt_set_meta_context, (h, context, completion), "%s",
                   "");
    break;
  default:
    context = CONTEXT;
    NEWER_SETTLES (nbd_aio_opt_set_meta_context_queries,
                   (h, queries, context, completion), "%s", list_of (queries));
  }
}

static void
sync_option (void)
{
  nbd_list_callback list;
  nbd_context_callback context;

  switch (below (8)) {
  case 0:
    if (one_in (4))
      RETURNS (nbd_opt_abort, (h), "%s", "");
    else
      RETURNS (nbd_opt_info, (h), "%s", "");
    break;
  case 1:
    if (one_in (3))
      RETURNS (nbd_opt_go, (h), "%s", "");
    else
      RETURNS (nbd_opt_info, (h), "%s", "");
    break;
  case 2:
  case 3:
    RETURNS (nbd_opt_info, (h), "%s", "");
    break;
  case 4:
  case 5:
    list = LIST;
    RETURNS (nbd_opt_list, (h, list), "%s", "");
    break;
  default:
    context = CONTEXT;
    RETURNS (nbd_opt_list_meta_context, (h, context), "%s", "");
  }
}

/* Each is waited for: only one option can be outstanding. */
static void
aio_option (void)
{
  nbd_completion_callback completion;
  nbd_list_callback list;
  nbd_context_callback context;

  switch (below (8)) {
  case 0:
    if (one_in (4)) {
      SETTLES (nbd_aio_opt_abort, (h), "%s", "");
      return;
    }
    /* fall through */
  case 1:
    if (one_in (3)) {
      completion = ANY_COMPLETION (NULL);
      SETTLES (nbd_aio_opt_go, (h, completion), "%s", "");
      return;
    }
    /* fall through */
  case 2:
  case 3:
    completion = ANY_COMPLETION (NULL);
    SETTLES (nbd_aio_opt_info, (h, completion), "%s", "");
    break;
  case 4:
  case 5:
    list = LIST;
    completion = ANY_COMPLETION (NULL);
    SETTLES (nbd_aio_opt_list, (h, list, completion), "%s", "");
    break;
  default:
    context = CONTEXT;
    completion = ANY_COMPLETION (NULL);
    SETTLES (nbd_aio_opt_list_meta_context, (h, context, completion), "%s", "");
  }
}

static void
negotiate_something (void)
{
  if (unsettled)
    settle ();
  if (level >= 24 && one_in (2)) {
    if (one_in (2))
      newer_option ();
    else
      newer_aio_option ();
  } else if (one_in (2))
    sync_option ();
  else
    aio_option ();
}

static void
leave_negotiation (void)
{
  if (one_in (2))
    RETURNS (nbd_opt_go, (h), "%s", "");
  else {
    nbd_completion_callback completion = ANY_COMPLETION (NULL);

    SETTLES (nbd_aio_opt_go, (h, completion), "%s", "");
  }
}

#endif /* STEPS_OPTIONS_H */
