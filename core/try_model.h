/* try_model: the test file as `pelt try` runs it: only the endpoints of the run, every buffer one
 * long, provides that nobody of the run reads left out and all others blocking, nothing driven by
 * rates or demand, one worker.
 *
 * Pure. Threads: one owner. */
#ifndef CORE_TRY_MODEL_H
#define CORE_TRY_MODEL_H

#include "core/try_graph.h"

struct try_model {
    struct testfile test;       /* Borrows from the one it was made of. */
    const enum try_role *roles; /* By endpoint of `test`; no LEFT_OUT. */
    const uint32_t *scores;     /* The same. */
};

/* Makes the model; the graph's test file and `arena` must outlive it. Without `loggers` nothing is
 * logged (what logs name is popped all the same). `timeout_ns` is how long all may take. False when
 * `arena` refuses. */
MUST_USE bool try_model_make(struct try_model *model, const struct try_graph *graph,
                             const enum try_role *roles, bool loggers, uint64_t timeout_ns,
                             struct arena *arena);

#endif
