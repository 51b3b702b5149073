/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Deterministic pseudo-random numbers.  Each step of a sequence draws from its
 * own stream, so that skipping a step does not change the others.
 */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static uint64_t random_state;

/* splitmix64 */
static uint64_t
random_u64 (void)
{
  uint64_t z = (random_state += UINT64_C (0x9e3779b97f4a7c15));

  z = (z ^ (z >> 30)) * UINT64_C (0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C (0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static void
random_begin (uint64_t seed, uint64_t stream)
{
  random_state = seed;
  random_state = random_u64 () ^ (stream * UINT64_C (0xd1342543de82ef95));
  (void) random_u64 ();
}

/* From 0 to n - 1. */
static uint64_t
below (uint64_t n)
{
  return random_u64 () % n;
}

/* True once in n times. */
static bool
one_in (uint64_t n)
{
  return below (n) == 0;
}

#define COUNT_OF(array) (sizeof (array) / sizeof (array)[0])

/* One element of an array. */
#define ONE_OF(array) ((array)[below (COUNT_OF (array))])

#endif /* RANDOM_H */
