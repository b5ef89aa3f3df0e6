#include "core/base/shuffle.h"

#include "core/base/check.h"
#include "core/base/rng.h"

/* Networks over fewer bits have too few orders of their own to be even. */
enum { HALF_BITS_MIN = 3 };

void shuffle_init(struct shuffle *shuffle, uint64_t count, uint64_t seed)
{
    struct rng rng;

    CHECK(count > 0 && count <= UINT64_C(1) << 62);
    *shuffle = (struct shuffle){.count = count, .half_bits = HALF_BITS_MIN};
    while (count > UINT64_C(1) << (2 * shuffle->half_bits)) {
        shuffle->half_bits++;
    }
    rng_init(&rng, seed);
    for (int i = 0; i < SHUFFLE_ROUNDS; i++) {
        shuffle->keys[i] = rng_next(&rng);
    }
}

/* The finalizer of splitmix64 (Steele, Lea and Flood, 2014). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static uint64_t network(const struct shuffle *shuffle, uint64_t x)
{
    uint64_t mask = (UINT64_C(1) << shuffle->half_bits) - 1;
    uint64_t left = x >> shuffle->half_bits, right = x & mask;

    for (int i = 0; i < SHUFFLE_ROUNDS; i++) {
        uint64_t next = left ^ (mix(right + shuffle->keys[i]) & mask);

        left = right;
        right = next;
    }
    return left << shuffle->half_bits | right;
}

uint64_t shuffle_at(const struct shuffle *shuffle, uint64_t place)
{
    CHECK(place < shuffle->count);
    do {
        place = network(shuffle, place);
    } while (place >= shuffle->count);
    return place;
}
