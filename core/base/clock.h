/* clock: the only reader of the clock. The simulated kernel of the tests replaces this file.
 *
 * Functions take time, they do not fetch it. Two names keep two meanings apart: `batch_ns` is
 * stamped once per reap (good for scheduling), `now_ns` is read for this event (good for
 * latency). */
#ifndef CORE_BASE_CLOCK_H
#define CORE_BASE_CLOCK_H

#include "core/base/defs.h"

/* CLOCK_MONOTONIC in nanoseconds. Never goes back, never jumps with the wall clock. */
uint64_t clock_now_ns(void);

/* The wall clock, nanoseconds since the Unix epoch: for display only. */
uint64_t clock_wall_ns(void);

#endif
