/* watch: what the coordinator notices of the machine while a run goes on, and what comes of it at
 * the end: each worker's shares of its processor, the health figures, the verdict.
 *
 * Two snapshots of the machine bound the run, its drain left out. A reading that comes far too
 * late tells that nothing of the program ran meanwhile: stopped, frozen, out of its quota.
 *
 * Threads: the coordinator's; watch_judge() once it has been joined. */
#ifndef CORE_WATCH_H
#define CORE_WATCH_H

#include "core/coord.h"
#include "core/result.h"
#include "io/health.h"

struct watch {
    bool begun, ended; /* Which of the snapshots are taken. */
    struct health begin, end;
    uint64_t begin_cpu_ns, end_cpu_ns; /* Of the process. */
    uint64_t stood_still_ns;
};

/* After each coord_step(): takes the snapshots when it is time. Returns when it wants to be called
 * again at the latest; TIME_NEVER when at no time of its own. */
uint64_t watch_step(struct watch *watch, const struct coord *coord, uint64_t now_ns);

/* After each wait of the coordinator that was to end at `until_ns`. */
void watch_woke(struct watch *watch, uint64_t until_ns, uint64_t now_ns);

/* `spans[i]` is of worker i. Fills the workers' shares, `health` and `verdict` of `result`, in
 * which all else is filled already. */
void watch_judge(const struct watch *watch, const struct worker_span *const *spans,
                 struct result *result);

#endif
