/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A function called in a forbidden handle state fails without changing the
 * state, its message names the permitted states, and its closures are freed.
 * In a permitted state, it never fails for that reason.
 *
 * Source: libnbd(3) and the "HANDLE STATE" section of each function's page; the
 * errno is ENOTCONN in a handle that was not connected yet, EINVAL otherwise.
 */
#define EVERY_FUNCTION "every-function.h"
#include "../harness/refused-in-the-wrong-state.h"
