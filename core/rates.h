/* rates: how many answers a second each worker had, over stretches of about 100 ms of the measured
 * span: what wrk calls Req/Sec. A stretch of a worker that had none is not a sample, as with wrk:
 * the next one is longer.
 *
 * Threads: the coordinator's; anyone's after it has been joined. */
#ifndef CORE_RATES_H
#define CORE_RATES_H

#include "core/base/hist.h"

enum {
    RATES_STRETCH_NS = 100 * 1000 * 1000,
    RATES_LAST_NS = RATES_STRETCH_NS / 2, /* The last one may be as short as that. */
};

/* How far the samples of a worker reach. */
struct rates_worker {
    uint64_t until_ns;
    uint64_t answers;
};

struct rates {
    struct hist_slab slab;
    struct hist per_s;            /* Whole answers per second: its values are no times. */
    struct rates_worker *workers; /* [workers_count] */
    uint32_t workers_count;
    uint64_t from_ns, until_ns; /* The span; until_ns may come down before it is over. */
};

/* Makes `rates` empty, with all the memory that it will need from `arena`; false when that
 * refuses. */
MUST_USE bool rates_init(struct rates *rates, uint32_t workers_count, struct arena *arena);

/* The span begins and ends at these moments of the monotonic clock; until_ns may be TIME_NEVER.
 * Once, before the first reading. */
void rates_set_span(struct rates *rates, uint64_t from_ns, uint64_t until_ns);

/* A worker has had so many answers inside the span until `now_ns`. */
void rates_read(struct rates *rates, uint32_t worker, uint64_t now_ns, uint64_t answers);

#endif
