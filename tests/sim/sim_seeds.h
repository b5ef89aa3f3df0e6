/* sim_seeds: which seeds a test of random runs takes: those of the environment, SEEDS=FROM-TO or
 * SEEDS=ONE, or else 1 to its own number. */
#ifndef TESTS_SIM_SIM_SEEDS_H
#define TESTS_SIM_SIM_SEEDS_H

#include <stdbool.h>
#include <stdlib.h>

#include "tests/test.h"

struct sim_seeds {
    unsigned long long from, to;
    bool is_chosen; /* By the environment. */
};

static inline struct sim_seeds sim_seeds(unsigned long long count)
{
    struct sim_seeds seeds = {.from = 1, .to = count};
    const char *range = getenv("SEEDS");
    char *end = NULL;

    if (range == NULL) return seeds;
    seeds.is_chosen = true;
    seeds.from = seeds.to = strtoull(range, &end, 10);
    EXPECT(end != range && (*end == '-' || *end == '\0'));
    if (*end == '-') seeds.to = strtoull(end + 1, NULL, 10);
    return seeds;
}

#endif
