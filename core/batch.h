/* batch: whether a closed loop waits a bounded moment for more completions before it runs them.
 *
 * Larger batches cost less per request at both ends, and in a loop that is saturated nobody is
 * kept waiting who would not wait anyway. The hold is part of both latencies, so Little's law
 * holds, and its bound is printed. Never with fewer than 16 connections, never when completions
 * come so rarely that the bound would pass with at most one of them.
 *
 * Threads: the worker's. */
#ifndef CORE_BATCH_H
#define CORE_BATCH_H

#include "core/base/defs.h"
#include "io/ring.h"

struct batch {
    bool allowed;
    bool on;
    uint32_t wait_nr;
    uint32_t used_us;        /* The bound, once it has been used; else 0. */
    uint64_t window_from_ns; /* Completions are counted per window of 1 ms or more. */
    uint64_t completions_from;
};

/* `allowed`: closed loop, asked for, and the ring can. `connections` of this worker. */
void batch_init(struct batch *batch, bool allowed, uint32_t connections);

/* Sets wait_nr and min_wait_ns of `wait` if the loop is saturated. */
void batch_choose(struct batch *batch, struct ring_wait *wait);

/* Counts: `completions` is the ring's running count at `now_ns`. */
void batch_note(struct batch *batch, uint64_t now_ns, uint64_t completions);

#endif
