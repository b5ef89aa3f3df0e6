/* rng: xoshiro256** (Blackman and Vigna, 2018), seeded by splitmix64. Fast, repeatable from one
 * seed, not for secrets. One generator per worker; never shared. */
#ifndef CORE_BASE_RNG_H
#define CORE_BASE_RNG_H

#include "core/base/defs.h"

struct rng {
    uint64_t s[4];
};

/* Any seed is good, 0 too. Equal seeds give equal sequences on every machine. */
void rng_init(struct rng *rng, uint64_t seed);

/* The next 64 bits. */
uint64_t rng_next(struct rng *rng);

/* Uniform in [0, bound), without modulo bias; `bound` > 0. */
uint64_t rng_below(struct rng *rng, uint64_t bound);

/* Uniform in [0, 1), 53 bits. */
double rng_double(struct rng *rng);

#endif
