/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* SHA-256 (FIPS 180-4), as far as the examples need it. */
#ifndef SHA256_H
#define SHA256_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { SHA256_BLOCK = 64, SHA256_HEX = 64 };

struct sha256 {
  uint32_t state[8];
  uint64_t length; /* bytes hashed so far */
  unsigned char pending[SHA256_BLOCK];
};

static inline void
sha256_init (struct sha256 *hash)
{
  static const uint32_t start[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
  };

  memcpy (hash->state, start, sizeof start);
  hash->length = 0;
}

static inline uint32_t
sha256_rotate (uint32_t word, unsigned bits)
{
  return word >> bits | word << (32 - bits);
}

static inline void
sha256_block (struct sha256 *hash, const unsigned char *block)
{
  static const uint32_t round[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
  };
  uint32_t w[64];
  uint32_t a = hash->state[0], b = hash->state[1], c = hash->state[2],
           d = hash->state[3], e = hash->state[4], f = hash->state[5],
           g = hash->state[6], h = hash->state[7];

  for (unsigned i = 0; i < 16; i++)
    w[i] = (uint32_t) block[4 * i] << 24 | (uint32_t) block[4 * i + 1] << 16
           | (uint32_t) block[4 * i + 2] << 8 | block[4 * i + 3];
  for (unsigned i = 16; i < 64; i++) {
    uint32_t x = w[i - 15], y = w[i - 2];

    w[i] = w[i - 16] + w[i - 7]
           + (sha256_rotate (x, 7) ^ sha256_rotate (x, 18) ^ x >> 3)
           + (sha256_rotate (y, 17) ^ sha256_rotate (y, 19) ^ y >> 10);
  }

  for (unsigned i = 0; i < 64; i++) {
    uint32_t t1 = h + round[i] + w[i] + ((e & f) ^ (~e & g))
                  + (sha256_rotate (e, 6) ^ sha256_rotate (e, 11)
                     ^ sha256_rotate (e, 25));
    uint32_t t2 = ((a & b) ^ (a & c) ^ (b & c))
                  + (sha256_rotate (a, 2) ^ sha256_rotate (a, 13)
                     ^ sha256_rotate (a, 22));

    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  hash->state[0] += a;
  hash->state[1] += b;
  hash->state[2] += c;
  hash->state[3] += d;
  hash->state[4] += e;
  hash->state[5] += f;
  hash->state[6] += g;
  hash->state[7] += h;
}

static inline void
sha256_update (struct sha256 *hash, const void *data, size_t count)
{
  const unsigned char *from = data;

  while (count > 0) {
    size_t used = hash->length % SHA256_BLOCK;
    size_t part = SHA256_BLOCK - used < count ? SHA256_BLOCK - used : count;

    if (part == SHA256_BLOCK)
      sha256_block (hash, from);
    else {
      memcpy (hash->pending + used, from, part);
      if (used + part == SHA256_BLOCK)
        sha256_block (hash, hash->pending);
    }
    hash->length += part;
    from += part;
    count -= part;
  }
}

/* Finishes the hash and formats it as text. */
static inline void
sha256_finish (struct sha256 *hash, char hex[SHA256_HEX + 1])
{
  static const unsigned char padding[SHA256_BLOCK] = { 0x80 };
  uint64_t bits = hash->length * 8;
  size_t used = hash->length % SHA256_BLOCK;
  unsigned char length[8];

  for (unsigned i = 0; i < 8; i++)
    length[i] = (unsigned char) (bits >> (56 - 8 * i));
  sha256_update (hash, padding, (used < 56 ? 56 : 120) - used);
  sha256_update (hash, length, sizeof length);
  for (unsigned i = 0; i < 8; i++)
    snprintf (hex + 8 * i, 9, "%08x", (unsigned) hash->state[i]);
}

#endif /* SHA256_H */
