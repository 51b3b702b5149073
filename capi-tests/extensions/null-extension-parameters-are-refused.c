/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* NULL for a mandatory pointer parameter of an extension is the error EFAULT, the
 * message names the parameter, and closures given to the same call are freed.
 *
 * Source: libnbd-ext(3), and libnbd(3), "Non-NULL parameters".
 */
#define LIBNBD_ATTRIBUTE_NONNULL(...)
#include "../harness/call-arguments.h"

#include <libnbd-ext.h>

#define EVERY_NULL_PARAMETER "every-null-extension-parameter.h"
#include "../harness/null-parameters-are-refused.h"
