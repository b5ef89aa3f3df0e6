/* flow: when something becomes due, and which request it is.
 *
 * Closed loop: a fixed number of slots, each with one request at a time; a slot's next request is
 * due when its last one ended. Never more wait than there are slots.
 *
 * Open loop: requests are due at the moments that arrivals say, whatever becomes of those before
 * them. So many may wait, and a bound says how many: above it the newest is shed, and one that
 * has waited too long is shed as well, the oldest first.
 *
 * Which request it is is chosen when it becomes due, by turns; from then on it waits in the lane of
 * its target (core/lane.h), which this feeds, until a connection takes it. In a closed loop one
 * slow target therefore holds the others up: in the end all slots wait for it.
 *
 * Threads: the worker's. */
#ifndef CORE_FLOW_H
#define CORE_FLOW_H

#include "core/arrivals.h"
#include "core/base/arena.h"
#include "core/base/defs.h"
#include "core/lane.h"
#include "core/ledger.h"
#include "core/turns.h"

/* Of one request, where there are several. */
struct flow_tally {
    uint64_t due;
    uint64_t warmup; /* Of these, due before measured_from_ns. */
    uint64_t shed;
};

struct flow {
    struct lanes *lanes; /* Where what is due waits. */
    struct turns turns;
    struct flow_tally *tally; /* By request; NULL: there is but one. */
    bool open;
    uint32_t slots;
    uint32_t *held;  /* By lane: slots whose connect failed, due when its back-off ends. */
    uint64_t issued; /* Requests that became due so far. */
    uint64_t issued_max;
    uint64_t end_ns;           /* Closed: nothing becomes due at or after it. Open: nor after it. */
    uint64_t measured_from_ns; /* For `tally`; set by the owner at the start. */

    /* Open loop only. */
    struct arrivals arrivals;
    uint64_t start_ns;
    uint64_t next_ns; /* When the next one will be due; TIME_NEVER: none will. */
    uint64_t wait_max_ns;
    uint32_t pending_max;
    const uint32_t *const *idle; /* By lane: for how many of it connections have room. */
    uint64_t shed[SHED_COUNT];   /* So far. */
};

/* What both kinds of flow need. */
struct flow_parts {
    struct lanes *lanes; /* Has places for all that may wait; outlives the flow. */
    struct turns turns;  /* Its requests' lanes are among those. */
    uint32_t requests_count;
    uint64_t issued_max; /* 0 = no bound. */
};

/* A closed loop. `slots` at least 1, and a place for each. False when the arena refuses. */
MUST_USE bool flow_init(struct flow *flow, struct arena *arena, const struct flow_parts *parts,
                        uint32_t slots);

struct flow_open {
    const struct mod_interval *mod; /* Must outlive the flow. */
    struct arrivals_options arrivals;
    uint64_t wait_max_ns;        /* How long a request may wait. */
    uint32_t pending_max;        /* Requests that may wait; 0: none, PLAN_PENDING_MAX at most. */
    const uint32_t *const *idle; /* By lane: where it stands how many requests its connections have
                                    room for. So many take no place of pending_max, so there are
                                    places for all of them too. Borrowed. */
};

/* An open loop. False when the arena refuses. */
MUST_USE bool flow_init_open(struct flow *flow, struct arena *arena, const struct flow_parts *parts,
                             const struct flow_open *options);

/* The run goes from `start_ns` to `end_ns`. Closed: every slot's first request is due at its
 * start; returns how many requests became due. Open: 0, see flow_due(). */
uint64_t flow_start(struct flow *flow, uint64_t start_ns, uint64_t end_ns);

/* Closed: a slot's request ended at `now_ns`; true if its next one became due. */
bool flow_slot_free(struct flow *flow, uint64_t now_ns);

/* Closed: a slot's connect failed, for what waited in `lane`: its next request, whatever that is,
 * is due at flow_release_held(). */
void flow_hold_slot(struct flow *flow, uint32_t lane);

/* Closed: the back-off of this lane's target ended; returns how many requests became due. */
uint64_t flow_release_held(struct flow *flow, uint32_t lane, uint64_t now_ns);

/* Open: makes due what is due by `now_ns`, and sheds what has waited too long or finds no place;
 * returns how many became due, those shed included. */
uint64_t flow_due(struct flow *flow, uint64_t now_ns);

/* Open: when the next request will be due, or the oldest will have waited too long; TIME_NEVER:
 * never. */
uint64_t flow_next_due_ns(const struct flow *flow);
uint64_t flow_next_shed_ns(const struct flow *flow);

/* True when nothing waits and nothing will become due any more, however requests end, because
 * issued_max is reached. */
bool flow_is_exhausted(const struct flow *flow);

#endif
