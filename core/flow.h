/* flow: which requests are due. Here the closed loop: a fixed number of slots, each with one
 * request at a time; a slot's next request is due when its last one ended.
 *
 * Due requests wait in a queue, oldest first, until a connection takes them. The queue never
 * holds more than there are slots.
 *
 * Threads: the worker's. */
#ifndef CORE_FLOW_H
#define CORE_FLOW_H

#include "core/base/arena.h"
#include "core/base/defs.h"

struct flow {
    uint64_t *due_ns; /* [mask + 1]; due times of the waiting requests. */
    uint32_t mask;
    uint32_t first;   /* Oldest waiting, modulo the queue's size. */
    uint32_t pending; /* Waiting now. */
    uint32_t slots;
    uint32_t held;   /* Slots whose connect failed: due when the back-off ends. */
    uint64_t issued; /* Requests that became due so far. */
    uint64_t issued_max;
    uint64_t end_ns; /* Nothing becomes due at or after it. */
};

/* `slots` at least 1; `issued_max` 0 = no bound. False when the arena refuses. */
MUST_USE bool flow_init(struct flow *flow, struct arena *arena, uint32_t slots,
                        uint64_t issued_max);

/* The run goes from `start_ns` to `end_ns`: every slot's first request is due at its start.
 * Returns how many requests became due. */
uint64_t flow_start(struct flow *flow, uint64_t start_ns, uint64_t end_ns);

/* A slot's request ended at `now_ns`; true if its next one became due. */
bool flow_slot_free(struct flow *flow, uint64_t now_ns);

/* A slot's connect failed: its next request is due at flow_release_held(). */
void flow_hold_slot(struct flow *flow);

/* The back-off ended; returns how many requests became due. */
uint64_t flow_release_held(struct flow *flow, uint64_t now_ns);

/* Takes the oldest waiting request; false when none waits. */
MUST_USE bool flow_take(struct flow *flow, uint64_t *ret_due_ns);

/* True when nothing waits and nothing will become due any more, however requests end. */
bool flow_is_exhausted(const struct flow *flow);

#endif
