/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Callbacks for lists whose items do not matter. */
#ifndef HARNESS_IGNORED_LISTS_H
#define HARNESS_IGNORED_LISTS_H

#include "harness.h"

static int
on_list (void *user_data, const char *name, const char *description)
{
  (void) user_data;
  (void) name;
  (void) description;
  return 0;
}

static int
on_context (void *user_data, const char *name)
{
  (void) user_data;
  (void) name;
  return 0;
}

#define LIST ((nbd_list_callback) { .callback = on_list })
#define CONTEXT ((nbd_context_callback) { .callback = on_context })

#endif /* HARNESS_IGNORED_LISTS_H */
