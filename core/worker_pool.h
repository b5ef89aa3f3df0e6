/* worker_pool: pools that a worker gets during the run. Private to the worker and its load.
 *
 * Threads: the worker's. */
#ifndef CORE_WORKER_POOL_H
#define CORE_WORKER_POOL_H

#include "io/pool.h"

struct worker;

/* A further pool of plain connections, or of those to `tls`, which uses `addresses` from now on;
 * there are plan.hosts_max at most. Its owner is the caller's to set. */
struct pool *worker_add_pool(struct worker *w, const struct addresses *addresses,
                             struct tls_target *tls);

#endif
