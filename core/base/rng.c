/* The generators' definitions are at prng.di.unimi.it; the unbiased bound is Lemire's method
 * ("Fast Random Integer Generation in an Interval", 2019): multiply, and throw away the few low
 * halves that would make some results more likely. */
#include "core/base/rng.h"

#include "core/base/check.h"

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint64_t rotate_left(uint64_t x, uint32_t bits)
{
    return x << bits | x >> (64 - bits);
}

void rng_init(struct rng *rng, uint64_t seed)
{
    for (size_t i = 0; i < COUNT(rng->s); i++) {
        rng->s[i] = splitmix64(&seed);
    }
    /* The one state that the generator cannot leave; splitmix64 never repeats within four. */
    CHECK((rng->s[0] | rng->s[1] | rng->s[2] | rng->s[3]) != 0);
}

uint64_t rng_next(struct rng *rng)
{
    uint64_t *s = rng->s;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t rng_below(struct rng *rng, uint64_t bound)
{
    unsigned __int128 product;
    uint64_t reject;

    CHECK(bound > 0);
    product = (unsigned __int128)rng_next(rng) * bound;
    if ((uint64_t)product < bound) {
        reject = -bound % bound; /* 2^64 mod bound. */
        while ((uint64_t)product < reject) {
            product = (unsigned __int128)rng_next(rng) * bound;
        }
    }
    return (uint64_t)(product >> 64);
}

double rng_double(struct rng *rng)
{
    return (double)(rng_next(rng) >> 11) * 0x1p-53;
}
