/* result_test: what a run of a test file found besides what every run finds (core/result.h).
 *
 * Threads: main, after the run. */
#ifndef CORE_RESULT_TEST_H
#define CORE_RESULT_TEST_H

#include "core/bucket.h"

struct testfile_threshold;

/* What became of a threshold of the test file. */
struct result_threshold {
    const struct testfile_threshold *threshold;
    bool is_met;
    bool is_known; /* There is a value: of latencies something was measured. */
    bool at_least; /* It is that or more: requests without a latency might have made it so. */
    double value;  /* As its metric: nanoseconds, a share, per second, or a count. */
};

/* Who waited for a provider's values past the slot of a hit. */
struct result_wait {
    const char *provider; /* Terminated. */
    uint64_t count;
    uint64_t total_ns, longest_ns;
};

/* Values of a provider that came to nothing. */
struct result_dropped {
    const char *provider; /* Terminated. */
    uint64_t full;        /* No room, and not to wait for it. */
    uint64_t unread;      /* Nobody reads them, or reads them any more. */
    uint64_t same;        /* By `unique`. */
    uint64_t no_memory;
};

struct result_test {
    const struct bucket *last;                 /* With the totals by group. */
    bool groups_differ;                        /* They are not the ledger's: a bug. */
    const struct result_threshold *thresholds; /* In the order of the file; [thresholds_count]. */
    uint32_t thresholds_count;
    const struct result_wait *waits; /* Of providers that somebody waited for; [waits_count]. */
    uint32_t waits_count;
    const struct result_dropped *dropped; /* Of providers that lost any; [dropped_count]. */
    uint32_t dropped_count;
};

/* True if all thresholds are met. */
bool result_test_is_passed(const struct result_test *test);

#endif
