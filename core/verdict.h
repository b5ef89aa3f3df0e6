/* verdict: whether a run's figures say what the server can do, or what the client could.
 *
 * CLIENT-LIMITED when, of a run's sends, loop turns and processors,
 *   - p99 lateness of sends > 1 ms (where there is a schedule to be late for),
 *   - p99 loop lag > 5 ms, counted by turns; or, counted by time, more than 1 % of the run passed
 *     in turns longer than 5 ms, or with the whole program standing still: a loop that is stopped
 *     for half a second makes one long turn among a hundred thousand short ones,
 *   - local ports, descriptors or the ring were used up, or the ledger does not close,
 *   - requests were not sent because what is logged was written too slowly,
 *   - foreign programs or the hypervisor took > 10 % of a worker's processor, or a worker waited
 *     for one for > 10 % of the time,
 *   - without a schedule: a worker used > 95 % of its processor. The server may do more.
 * p99.9 and max never decide, nor does a percentile of fewer than 100 samples: that is the max. A
 * request that waits for a connection accuses nobody: its wait is part of the latency from due,
 * and a note says which pool was too small.
 *
 * Pure: facts in, words out. What is not known decides nothing. */
#ifndef CORE_VERDICT_H
#define CORE_VERDICT_H

#include "core/base/hist.h"

enum { VERDICT_LINES_MAX = 13, VERDICT_LINE_BYTES = 160 };

/* A share of the run, 0 to 1; below 0: not known. */
struct verdict_worker {
    double used;    /* CPU time of its thread. */
    double waited;  /* It was ready to run and did not. */
    double stalled; /* Turns of its loop that took longer than 5 ms. */
    double foreign; /* Other programs on its processor, at least. */
    double steal;   /* The hypervisor's, of its processor. */
};

/* Histograms may be NULL: not known. All borrowed for the call. */
struct verdict_facts {
    bool has_schedule;  /* Requests are due by a rate, not when the last one ends. */
    bool ledger_open;   /* It does not close: nothing can be trusted. */
    double stood_still; /* Share of the run in which the whole program did. */
    uint64_t no_ports;  /* Requests that failed for want of a local port … */
    uint64_t no_descriptors;
    uint64_t cq_overflow;
    uint64_t log_held; /* Requests that were not sent because a log was full. */
    const struct verdict_worker *workers;
    uint32_t workers_count;
    const struct hist_view *lateness;  /* Of sends, connections being free. */
    const struct hist_view *loop_lag;  /* Of all workers' turns. */
    const struct hist_view *conn_wait; /* Of due requests for a connection. */
    uint32_t connections;              /* Most that may be open at once. */
    uint32_t slots;                    /* Without a schedule: requests at a time; else 0. */
};

struct verdict_lines {
    uint32_t count;
    char text[VERDICT_LINES_MAX][VERDICT_LINE_BYTES];
};

struct verdict {
    bool client_limited;
    struct verdict_lines reasons; /* Why; empty exactly when not client_limited. */
    struct verdict_lines notes;   /* What a reader should know either way. */
};

void verdict_judge(const struct verdict_facts *facts, struct verdict *ret_verdict);

/* "VALID" or "CLIENT-LIMITED". */
const char *verdict_state(const struct verdict *verdict);

#endif
