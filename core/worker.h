/* worker: one pinned thread's engine: ring, connections, due requests, ledger, statistics.
 *
 * A worker is a step function over its ring: worker_step() submits, waits, runs what completed
 * and publishes its ledger. The thread around it is engine.c's; the simulated kernel of the tests
 * calls the steps itself. After ORDER_START a worker asks the system for no memory of ours.
 *
 * Threads: all functions on the worker's own thread; struct worker_shared as its rows say. */
#ifndef CORE_WORKER_H
#define CORE_WORKER_H

#include "config/plan.h"
#include "core/base/mailbox.h"
#include "core/groups.h"
#include "core/ledger.h"
#include "core/order.h"
#include "core/provider_gauge.h"
#include "core/rows.h"
#include "core/stats.h"
#include "core/stats_urls.h"
#include "io/resolve.h"
#include "io/ring.h"
#include "io/sources.h"

struct worker;
struct runner_options;
struct waits;

/* What a worker and the coordinator share. Made by the engine, outlives both. */
struct worker_shared {
    struct mailbox orders; /* Coordinator posts. */
    struct mailbox news;   /* Worker posts. */
    struct mail orders_slots[ORDERS_SLOTS];
    struct mail news_slots[NEWS_SLOTS];
    struct ledger_shared ledger;
    struct stats stats;
    struct stats_urls urls;
    struct groups groups;                    /* Of a test file; else empty. */
    struct provider_gauge *gauges;           /* By provider of it; NULL: nobody wants them. */
    struct waits *waits;                     /* By provider of it; NULL: no test file. */
    struct rows rows;                        /* Read after the worker ended. */
    const struct order_addresses *addresses; /* Coordinator's; the worker's to read from
                                                ORDER_ADDRESSES to NEWS_ADDRESSES. */
    bool has_ended;                          /* Coordinator's own. */
    bool has_order;                          /* Coordinator's own: addresses are lent to it. */
    struct err_info broken; /* Why the run has to end; worker's before NEWS_BROKEN. */
};

struct worker_options {
    const struct plan *plan;
    /* [plan->targets_count]: where each target is; several may share a list. The lists stay
     * unchanged until another takes their place: see ORDER_ADDRESSES. */
    const struct addresses *const *addresses;
    const struct sources *sources; /* Of connections; NULL: the kernel chooses. */
    struct worker_shared *shared;
    struct arena *stats_arena;         /* For shared->stats and rows; outlives the worker. */
    uint32_t index;                    /* 0..plan->workers - 1 */
    const struct runner_options *test; /* NULL: the plan's requests take turns. */
};

/* What the thread had of its processor from the start of the run to its end, drain left out. */
struct worker_span {
    uint64_t span_ns;
    uint64_t cpu_ns;
    bool wait_known;
    uint64_t wait_ns;    /* It was ready to run, and something else ran. */
    uint64_t stalled_ns; /* In turns of the loop that took longer than WORKER_TURN_LONG_NS. */
};
#define WORKER_TURN_LONG_NS (5 * NS_PER_MS)

/* What is only known at the end. */
struct worker_totals {
    struct ring_counts ring; /* From the start of the run on. */
    uint64_t ended_ns;       /* When its part of the run ended: the plan's end, a stop, the last
                                answer of a counted run. */
    uint64_t drained_ns;     /* When it stopped waiting for answers. */
    uint64_t cpu_ns;         /* Of its thread, from the start of the run on. */
    struct worker_span span;
    uint32_t batch_wait_us; /* Longest batch wait used; 0 = none. */
};

/* Opens the ring and takes all memory. ERR_LIMIT, ERR_KERNEL, ERR_MEMORY with their reason. */
MUST_USE enum err worker_new(struct worker **ret_worker, const struct worker_options *options,
                             struct err_info *why);

/* Ends every connection at once. From any thread once the worker's own has ended. NULL is fine. */
void worker_free(struct worker *worker);

/* One turn: submit, wait, run, publish. False once the worker has ended. */
bool worker_step(struct worker *worker);

/* Valid after worker_step() returned false. */
const struct worker_totals *worker_totals(const struct worker *worker);

/* What its ring is and has; constant. Any thread. */
const struct ring_facts *worker_ring_facts(const struct worker *worker);

/* True once the run has to end for what is in worker_shared.broken. Its own thread. */
bool worker_is_broken(const struct worker *worker);

/* True once a logger has ended the test. Its own thread. */
bool worker_is_killed(const struct worker *worker);

/* Who waited for whom in a test file's deadlock; NULL: there was none. Once it has ended. */
const char *worker_deadlock(const struct worker *worker);

/* The first provider of a test file that ran dry; NULL: none did. Once it has ended. */
const char *worker_ran_dry(const struct worker *worker);

/* Makes a current or the next worker_step() return soon. Any thread. */
void worker_wake(struct worker *worker);

#endif
