/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* NULL for a mandatory pointer parameter is the error EFAULT, the message names
 * the parameter, and closures given to the same call are freed.
 *
 * Source: libnbd(3), "Non-NULL parameters".  The C library 1.24.4 crashes where
 * the buffer of a read is NULL, so those rows cannot be seen to pass there.
 */
#define LIBNBD_ATTRIBUTE_NONNULL(...)
#define EVERY_NULL_PARAMETER "every-null-parameter.h"
#include "../harness/null-parameters-are-refused.h"
