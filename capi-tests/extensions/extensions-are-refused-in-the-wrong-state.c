/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An extension called in a forbidden handle state fails without changing the
 * state, its message names the permitted states, and its closures are freed.
 * In a permitted state, it never fails for that reason.
 *
 * Source: libnbd-ext(3), and the "HANDLE STATE" section of each function's page.
 */
#include "../harness/call-arguments.h"

#include <libnbd-ext.h>

#define EVERY_FUNCTION "every-extension.h"
#include "../harness/refused-in-the-wrong-state.h"
