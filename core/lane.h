/* lane: where due requests wait for a connection: a lane per target, oldest first in each.
 *
 * A flow says that a request has become due and which one it is; here it waits until a connection
 * of its target takes it, or the flow sheds it. All lanes share one slab of places. What waits
 * also stands in one line over all lanes, oldest first, so that what has waited too long is found
 * at once. Any number of flows may feed the same lanes.
 *
 * Invariants
 *  1. Both lines are in the order in which requests were added. In an open loop that is the order
 *     of their due times.
 *  2. So the oldest of all is the oldest of its lane.
 *  3. With one lane the two lines are one, and it is a ring in the slab: nothing is linked, and
 *     `list` and the links of the entries are not used.
 *
 * Threads: the worker's. */
#ifndef CORE_LANE_H
#define CORE_LANE_H

#include "core/base/arena.h"
#include "core/base/check.h"
#include "core/base/defs.h"

enum { LANES_MAX = 65535, LANE_NONE = 0xffffffff };

/* A due request. */
struct lane_waiting {
    uint64_t due_ns;
    uint16_t request; /* Index into the plan's requests. */
    uint16_t lane;
};

struct lane_entry {
    struct lane_waiting waiting;
    uint32_t behind; /* The next of its lane; of a free place, the next free one. */
    uint32_t older, newer;
};

struct lane {
    uint32_t first, last; /* LANE_NONE if nothing waits. */
    uint32_t pending;
};

struct lanes {
    struct lane_entry *entries; /* [mask + 1] */
    uint32_t mask;
    uint32_t count;   /* Of lanes. */
    uint32_t pending; /* Waiting now, in all of them. */
    uint32_t first;   /* One lane: the oldest, modulo mask + 1. */
    /* Several lanes: */
    struct lane *list;       /* [count] */
    uint32_t oldest, newest; /* Of all; LANE_NONE if nothing waits. */
    uint32_t free_first;     /* Places that were used before; LANE_NONE if there is none. */
    uint32_t fresh;          /* Places from here on never were: memory that is not touched. */
};

/* Makes `count` empty lanes (1..LANES_MAX) with `places` for what waits. False when the arena
 * refuses. */
MUST_USE bool lanes_init(struct lanes *lanes, struct arena *arena, uint32_t count, uint32_t places);

/* The same for several lanes; private to the functions below. */
void lanes_add_linked(struct lanes *lanes, const struct lane_waiting *waiting);
MUST_USE bool lanes_take_linked(struct lanes *lanes, uint32_t lane,
                                struct lane_waiting *ret_waiting);

/* Adds what became due; there must be a place for it. */
static inline void lanes_add(struct lanes *lanes, const struct lane_waiting *waiting)
{
    DCHECK(lanes->pending <= lanes->mask);
    DCHECK(waiting->lane < lanes->count);
    if (unlikely(lanes->count != 1)) {
        lanes_add_linked(lanes, waiting);
        return;
    }
    lanes->entries[(lanes->first + lanes->pending) & lanes->mask].waiting = *waiting;
    lanes->pending++;
}

/* Takes the oldest of a lane; false when nothing waits in it. */
MUST_USE static inline bool lanes_take(struct lanes *lanes, uint32_t lane,
                                       struct lane_waiting *ret_waiting)
{
    if (unlikely(lanes->count != 1)) return lanes_take_linked(lanes, lane, ret_waiting);
    if (lanes->pending == 0) return false;
    *ret_waiting = lanes->entries[lanes->first & lanes->mask].waiting;
    lanes->first++;
    lanes->pending--;
    return true;
}

/* How many wait in a lane. */
static inline uint32_t lanes_pending_of(const struct lanes *lanes, uint32_t lane)
{
    return likely(lanes->count == 1) ? lanes->pending : lanes->list[lane].pending;
}

/* The oldest of all, or NULL. Valid until something is added or taken. */
const struct lane_waiting *lanes_oldest(const struct lanes *lanes);

/* From now on the memory is used from its beginning again; no-op while something waits. */
void lanes_rewind(struct lanes *lanes);

#endif
