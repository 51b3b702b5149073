/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A NULL handle for an extension is an error, EFAULT, never a crash, and closures
 * given to the same call are freed.
 *
 * Source: libnbd-ext(3), and libnbd(3), "Non-NULL parameters".
 */
#define LIBNBD_ATTRIBUTE_NONNULL(...)
#include "../harness/call-arguments.h"

#include <libnbd-ext.h>

#define EVERY_FUNCTION "every-extension.h"
#include "../harness/null-handle-is-refused.h"
