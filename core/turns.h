/* turns: which request is sent when it is a request's turn: one after the other, or by weights.
 *
 * The order is a lap that repeats. Of the first k turns, for every k, a request of weight w has
 * floor(k w / W) or ceil(k w / W), where W is the sum of all weights: it is never a whole turn
 * ahead of its share or behind it. Over several workers the total of each is so within workers - 1
 * of its share, rounded either way. Workers begin with different requests, as far as that leaves a
 * choice, so that they do not march in step.
 *
 * How. Turn j of a request (from 1) may be taken from slot floor((j - 1) W / w) on and must be by
 * slot ceil(j W / w); of those that may, the one that must be soonest is. This is the scheduling of
 * unit jobs by earliest deadline, which meets all deadlines where that is possible at all, and here
 * it is: to give each request the share w / W of every slot meets them (Baruah and others,
 * "Proportionate progress", Algorithmica 15, 1996).
 *
 * Threads: one owner. */
#ifndef CORE_TURNS_H
#define CORE_TURNS_H

#include "config/plan.h"

struct turn {
    uint16_t request; /* Index into the plan's requests. */
    uint16_t lane;    /* Index of its target. */
};

struct turns {
    const struct turn *list; /* [count]: a lap. */
    uint32_t count;
    uint32_t next; /* Below count. */
};

/* How long a lap over the plan's requests is: the sum of their weights, divided by what they have
 * in common. */
uint64_t turns_of_lap(const struct plan_request *requests, uint32_t count);

/* Makes the lap of worker `index`, of `workers`; it may be PLAN_LAP_MAX long. Takes time that grows
 * as its length times the number of requests. False when the arena refuses. */
MUST_USE bool turns_init(struct turns *turns, struct arena *arena, const struct plan *plan,
                         uint32_t index);

/* The next one, and it is over. */
static inline struct turn turns_take(struct turns *turns)
{
    struct turn turn = turns->list[turns->next];

    turns->next++;
    if (likely(turns->next == turns->count)) turns->next = 0; /* One URL: always. */
    return turn;
}

/* The next one. */
static inline struct turn turns_peek(const struct turns *turns)
{
    return turns->list[turns->next];
}

#endif
