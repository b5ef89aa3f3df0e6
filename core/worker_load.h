/* worker_load: what a worker has to send, as its loop asks for it. Private to the worker: the load
 * of a command line is worker_flow.c, that of a test file runner.c.
 *
 * Threads: the worker's. */
#ifndef CORE_WORKER_LOAD_H
#define CORE_WORKER_LOAD_H

#include "core/base/defs.h"

struct worker;

/* What there is to send: asked once per turn of the loop, never per request. */
struct worker_load {
    /* The run has begun: start_ns, end_ns, measured_from_ns are known. */
    void (*start)(struct worker *w);
    /* end_ns has come nearer. */
    void (*cut)(struct worker *w);
    /* Books what is due by now; may stamp now_ns anew. */
    void (*book)(struct worker *w);
    /* Opens connections that are missing, and gives what waits to idle ones. */
    void (*dispatch)(struct worker *w);
    /* When there is something to do even if nothing completes; TIME_NEVER: never. */
    uint64_t (*next_ns)(const struct worker *w, uint64_t now_ns);
    /* How many of the waiting requests have started: a connect is under way for them. */
    uint64_t (*count_bound)(const struct worker *w);
    /* The run has ended: settles the figures of single URLs or endpoints. */
    void (*end)(struct worker *w);
    /* Nothing waits and nothing will become due any more, however requests end. */
    bool (*is_exhausted)(const struct worker *w);
};

#endif
