/* sim_run: a test file run on the simulated kernel: its text is loaded, planned and given to
 * workers and a coordinator as `pelt run` does it, threads and data files left out.
 *
 *     struct sim_run run;
 *
 *     sim_run(&run, &(struct sim_run_options){.text = "endpoints: …", .behaviour = &prompt});
 *     … run.coord.ledger, sim_peer_requests(run.peers[0], &count) …
 *     sim_run_end(&run);
 *
 * Every target of the file (scheme, host and port) is a peer of its own, of the same behaviour;
 * names are not resolved. A file is wrong, or cannot be planned: the test ends with its
 * diagnostics. Every reading of the ledger is checked to close, and at the end the groups of tags
 * are checked to add up to it, and their histograms to those of all requests.
 *
 * Threads: one. */
#ifndef TESTS_SIM_SIM_RUN_H
#define TESTS_SIM_SIM_RUN_H

#include "config/testfile.h"
#include "core/barter.h"
#include "core/buckets.h"
#include "core/coord.h"
#include "core/run_plan.h"
#include "tests/sim/ring_sim.h"
#include "tests/sim/sim_peer.h"

enum { SIM_RUN_WORKERS_MAX = 8, SIM_RUN_TARGETS_MAX = 8 };

struct sim_run;

struct sim_run_options {
    const char *text;                      /* Of the test file. */
    const struct sim_options *kernel;      /* NULL: sim_options_plain(), seed 1. */
    const struct sim_behaviour *behaviour; /* NULL: answers at once, 200, no body. A freeze is
                                              relative to the start of the run. */
    uint64_t from_ns;                      /* Where in the load pattern the run begins. */
    /* Called after every turn of all workers, when no one of them is in a step; may be NULL. It
     * may look at all, e.g. at the runners by core/runner_impl.h, and change nothing. */
    void (*turn)(struct sim_run *run, void *context);
    void *context;
};

/* A run and what it leaves. */
struct sim_run {
    struct sim *sim;
    struct sim_peer *peers[SIM_RUN_TARGETS_MAX]; /* [plan.targets_count] */
    struct testfile *test;
    struct plan plan;
    struct run_crews crews;
    struct barter barter;                        /* Of split components. */
    struct worker *workers[SIM_RUN_WORKERS_MAX]; /* NULL once it has ended. */
    struct worker_shared *shared[SIM_RUN_WORKERS_MAX];
    struct coord coord;
    struct buckets *buckets; /* Of the statistics by tags. */
    uint64_t start_ns;       /* Of the run: its first moment. */
    uint64_t steps;          /* Turns of all workers. */
    uint64_t end_ns;         /* When the last worker ended. */
    char deadlock[240];      /* What the first worker that met one tells of it; else empty. */

    /* Private. */
    uint64_t bucket_ns; /* When the next bucket ends. */
    struct worker *ended[SIM_RUN_WORKERS_MAX];
    struct addresses *lists;
    const struct addresses *of_target[SIM_RUN_TARGETS_MAX];
    struct arena arena;
};

/* Runs the test file to its end. */
void sim_run(struct sim_run *run, const struct sim_run_options *options);

/* Gives all back. */
void sim_run_end(struct sim_run *run);

/* Figures of one histogram of all workers together, e.g. offsetof(struct stats, lateness). */
void sim_run_view(const struct sim_run *run, size_t offset, struct hist_view *ret_view);

#endif
