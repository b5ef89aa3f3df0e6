/* arrivals: at which moments one worker's share of an open loop's requests is due.
 *
 * even     hit n of the run (from 1) is due when the integral of the rate reaches n; of W workers
 *          the one with index w has the hits with n - 1 = w modulo W, so that together they keep
 *          the schedule exactly, and one by one they take turns.
 * poisson  each worker is a Poisson process of its own with the W-th part of the rate: gaps of
 *          unit exponential distribution, mapped through the inverse of the integral. Together
 *          they are a Poisson process of the whole rate.
 *
 * A sequence depends on nothing but the options: equal ones give equal moments.
 *
 * Threads: one owner. */
#ifndef CORE_ARRIVALS_H
#define CORE_ARRIVALS_H

#include "core/base/rng.h"
#include "core/mod_interval.h"

struct arrivals_options {
    enum plan_arrivals kind;
    uint32_t workers;
    uint32_t index;   /* Below `workers`. */
    uint64_t seed;    /* Of all workers together. */
    uint64_t from_ns; /* Those due by then, from the start of the function on, are left out. */
};

struct arrivals {
    struct mod_cursor cursor;
    mod_amount total;
    mod_amount amount; /* R at the last arrival. */
    mod_amount step;   /* Even: from one arrival to the next. Poisson: of a gap of 1. */
    enum plan_arrivals kind;
    bool ended;
    struct rng rng;
};

/* Begins a sequence; `mod` must outlive it. */
void arrivals_init(struct arrivals *arrivals, const struct mod_interval *mod,
                   const struct arrivals_options *options);

/* When the next one is due, from the start of the function on, never before the last one;
 * TIME_NEVER when there is none left. */
uint64_t arrivals_next(struct arrivals *arrivals);

#endif
