/* stats: what a worker measures, cumulative and single-writer, read by the coordinator.
 * Threads: the worker writes; relaxed snapshots from any thread; exact after the worker ended. */
#ifndef CORE_STATS_H
#define CORE_STATS_H

#include "core/base/hist.h"

enum { STATUS_COUNT = 1000 };

struct stats {
    struct hist_slab slab;
    struct hist from_due; /* Answers, and timeouts at their bound. */
    struct hist from_sent;
    struct hist lateness;  /* Open loop: sent - max(due, when a connection was free). */
    struct hist conn_wait; /* Open loop: max(0, when a connection was free - due). */
    struct hist loop_lag;  /* From one visit of the completion queue to the next, waits left out. */
    _Atomic uint64_t status[STATUS_COUNT];  /* Worker's. Answers by status. */
    _Atomic uint64_t refused[STATUS_COUNT]; /* Worker's. A proxy's answers to CONNECT, no 2xx. */
};

/* Makes `stats` empty with all memory it will need from `arena`; false when that refuses. */
MUST_USE bool stats_init(struct stats *stats, struct arena *arena);

#endif
