/* pace: no more connection attempts than so many per second, evenly, of one worker.
 *
 * Attempts have moments, an interval apart. One that could have begun at its moment and did not,
 * because nobody wanted it, is lost: after a pause there is no burst. What we slept too long, while
 * somebody wanted it, is made up for, as far as it is a few milliseconds.
 *
 * Threads: the worker's. */
#ifndef IO_PACE_H
#define IO_PACE_H

#include "core/base/defs.h"

/* Zeroed: no bound. */
struct pace {
    uint64_t interval_ns; /* 0: no bound. */
    uint64_t next_ns;     /* The moment of the next attempt. */
    bool waits;           /* One was refused in this turn of the owner's loop, */
    bool waited;          /* or in the turn before. */
    uint32_t after;       /* With a bound: the one behind that whose attempt was the last. */
};

/* Begins: `per_s` attempts per second over `count` owners (more than 0), of which this is the one
 * with that index; the owners' moments stand between each other's. */
void pace_start(struct pace *pace, double per_s, uint32_t count, uint32_t index, uint64_t now_ns);

/* A turn of the owner's loop begins. */
static inline void pace_turn(struct pace *pace)
{
    pace->waited = pace->waits;
    pace->waits = false;
}

/* True if an attempt of `who` (a number of the owner's) may begin now, which it then must. */
MUST_USE bool pace_take(struct pace *pace, uint32_t who, uint64_t now_ns);

/* The moment of an attempt that will be made in any case. Not without a bound. */
uint64_t pace_reserve(struct pace *pace, uint64_t now_ns);

/* When the attempt that was refused in this turn may begin; TIME_NEVER: none was. */
static inline uint64_t pace_next_ns(const struct pace *pace)
{
    return pace->waits ? pace->next_ns : TIME_NEVER;
}

#endif
