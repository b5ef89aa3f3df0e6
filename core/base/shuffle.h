/* shuffle: a random order of the numbers 0 .. n - 1 that takes no memory and can be asked for any
 * place at once, so that several workers may each read their part of the same order.
 *
 * A Feistel network of six rounds over the smallest even number of bits that holds n (at least six
 * bits), walked until it falls below n (Black and Rogaway, "Ciphers with arbitrary finite domains",
 * CT-RSA 2002): each number comes exactly once, after fewer than four steps on average but for the
 * smallest n. Not for secrets.
 *
 * Threads: any; never changed after shuffle_init(). */
#ifndef CORE_BASE_SHUFFLE_H
#define CORE_BASE_SHUFFLE_H

#include "core/base/defs.h"

enum { SHUFFLE_ROUNDS = 6 };

struct shuffle {
    uint64_t count;
    uint32_t half_bits; /* Of the network. */
    uint64_t keys[SHUFFLE_ROUNDS];
};

/* An order of 0 .. count - 1 (count from 1 to 2^62). Equal seeds give equal orders. */
void shuffle_init(struct shuffle *shuffle, uint64_t count, uint64_t seed);

/* The number at place `place` < count. */
uint64_t shuffle_at(const struct shuffle *shuffle, uint64_t place);

#endif
