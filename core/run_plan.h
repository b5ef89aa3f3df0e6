/* run_plan: a test file as a plan: targets, limits, deadlines, the rate of all endpoints together,
 * and which workers send the requests of which endpoint.
 *
 * Endpoints that share a provider, or a logger that limits or kills, are a component. A component
 * lives on one worker, so that its queues are plain single-threaded code and values come in order:
 * hit k meets value k of every provider. It is split over all workers only when its peak is above
 * RUN_SPLIT_PER_S for each of them, or when nothing in it has a rate and `workers` was given; then
 * every worker has its share of hits and values alike. Components are given to the worker with the
 * least peak so far, the largest first.
 *
 * Threads: main, before the run; never changed afterwards. */
#ifndef CORE_RUN_PLAN_H
#define CORE_RUN_PLAN_H

#include "config/testfile.h"
#include "core/run_client.h"

enum { RUN_SPLIT_PER_S = 40000, RUN_HOSTS_MAX = 256 };

/* Who has what. A crew of 1 is the owner alone, a larger one all workers. */
struct run_crews {
    uint32_t *crews, *owners; /* By endpoint. */
    uint32_t *provider_crews, *provider_owners;
    uint32_t split; /* Components that are split over all workers. */
};

/* Fills `plan` (after plan_init()) and `ret_crews` from the test file, which must outlive both;
 * memory comes from the plan's arena. ERR_CONFIG with the endpoint whose URL cannot be sent to, or
 * as run_client_fill(); ERR_MEMORY. */
MUST_USE enum err run_plan_make(struct plan *plan, const struct testfile *test,
                                const struct run_machine *machine, struct run_crews *ret_crews,
                                struct err_info *why);

#endif
