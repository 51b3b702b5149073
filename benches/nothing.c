/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A minimal program without the library: the floor for load.c.
 */

int
main (void)
{
  return 0;
}
