/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A NULL handle is an error, EFAULT, never a crash, and closures given to the
 * same call are freed.
 *
 * Source: libnbd(3), "Non-NULL parameters".  The C library 1.24.4 crashes instead
 * (all of its functions do), so this program cannot be seen to pass there.
 */
#define LIBNBD_ATTRIBUTE_NONNULL(...)
#define EVERY_FUNCTION "every-function.h"
#include "../harness/null-handle-is-refused.h"
