/* flow: which requests are due, and which of them wait.
 *
 * Closed loop: a fixed number of slots, each with one request at a time; a slot's next request is
 * due when its last one ended. Never more wait than there are slots.
 *
 * Open loop: requests are due at the moments that arrivals say, whatever becomes of those before
 * them. So many may wait, and a bound says how many: above it the newest is shed, and one that
 * has waited too long is shed as well, the oldest first.
 *
 * Due requests wait in a queue of their due times, oldest first, until a connection takes them.
 *
 * Threads: the worker's. */
#ifndef CORE_FLOW_H
#define CORE_FLOW_H

#include "core/arrivals.h"
#include "core/base/arena.h"
#include "core/base/defs.h"
#include "core/ledger.h"

struct flow {
    uint64_t *due_ns; /* [mask + 1]; due times of the waiting requests. */
    uint32_t mask;
    uint32_t first;   /* Oldest waiting, modulo the queue's size. */
    uint32_t pending; /* Waiting now. */
    bool open;
    uint32_t slots;
    uint32_t held;   /* Slots whose connect failed: due when the back-off ends. */
    uint64_t issued; /* Requests that became due so far. */
    uint64_t issued_max;
    uint64_t end_ns; /* Closed: nothing becomes due at or after it. Open: nor after it. */

    /* Open loop only. */
    struct arrivals arrivals;
    uint64_t start_ns;
    uint64_t next_ns; /* When the next one will be due; TIME_NEVER: none will. */
    uint64_t wait_max_ns;
    uint32_t pending_max;
    uint64_t shed[SHED_COUNT]; /* So far. */
};

/* A closed loop. `slots` at least 1; `issued_max` 0 = no bound. False when the arena refuses. */
MUST_USE bool flow_init(struct flow *flow, struct arena *arena, uint32_t slots,
                        uint64_t issued_max);

struct flow_open {
    const struct mod_interval *mod; /* Must outlive the flow. */
    struct arrivals_options arrivals;
    uint64_t issued_max;  /* 0 = no bound. */
    uint64_t wait_max_ns; /* How long a request may wait. */
    uint32_t pending_max; /* Requests that may wait; 0: none, PLAN_PENDING_MAX at most. */
    uint64_t idle_max;    /* The most that flow_due() will be told of. */
};

/* An open loop. False when the arena refuses. */
MUST_USE bool flow_init_open(struct flow *flow, struct arena *arena,
                             const struct flow_open *options);

/* The run goes from `start_ns` to `end_ns`. Closed: every slot's first request is due at its
 * start; returns how many requests became due. Open: 0, see flow_due(). */
uint64_t flow_start(struct flow *flow, uint64_t start_ns, uint64_t end_ns);

/* Closed: a slot's request ended at `now_ns`; true if its next one became due. */
bool flow_slot_free(struct flow *flow, uint64_t now_ns);

/* Closed: a slot's connect failed: its next request is due at flow_release_held(). */
void flow_hold_slot(struct flow *flow);

/* Closed: the back-off ended; returns how many requests became due. */
uint64_t flow_release_held(struct flow *flow, uint64_t now_ns);

/* Open: makes due what is due by `now_ns`, and sheds what has waited too long or finds no place;
 * returns how many became due, those shed included. `idle` is how many requests the connections
 * could take now: these need no place. */
uint64_t flow_due(struct flow *flow, uint64_t now_ns, uint64_t idle);

/* Open: when the next request will be due, or the oldest will have waited too long; TIME_NEVER:
 * never. */
uint64_t flow_next_due_ns(const struct flow *flow);
uint64_t flow_next_shed_ns(const struct flow *flow);

/* Takes the oldest waiting request; false when none waits. */
MUST_USE bool flow_take(struct flow *flow, uint64_t *ret_due_ns);

/* True when nothing waits and nothing will become due any more, however requests end, because
 * issued_max is reached. */
bool flow_is_exhausted(const struct flow *flow);

#endif
