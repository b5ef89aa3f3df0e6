/* A 4-ary heap numbered from 1: the children of i are 4i - 2 .. 4i + 1, its parent is
 * (i + 2) / 4. Four children make the heap half as deep as two would, and a node's children
 * lie beside each other.
 *
 * Invariants:
 * 1. heap[i]->heap_index == i for every i in 1..count.
 * 2. No timer is earlier than its parent. */
#include "core/base/timers.h"

#include "core/base/check.h"

static void place(struct timers *timers, uint32_t index, struct timer *timer)
{
    timers->heap[index] = timer;
    timer->heap_index = index;
}

/* Moves the hole at `index` up until `timer` may fill it. */
static void sift_up(struct timers *timers, uint32_t index, struct timer *timer)
{
    while (index > 1) {
        uint32_t parent = (index + 2) / 4;

        if (timers->heap[parent]->at_ns <= timer->at_ns) break;
        place(timers, index, timers->heap[parent]);
        index = parent;
    }
    place(timers, index, timer);
}

/* Index of the earliest child of `index`, or 0 when it has none. */
static uint32_t earliest_child(const struct timers *timers, uint32_t index)
{
    uint64_t first = 4 * (uint64_t)index - 2;
    uint64_t last = min_u64(first + 3, timers->count);
    uint32_t best = 0;

    for (uint64_t i = first; i <= last; i++) {
        if (best == 0 || timers->heap[i]->at_ns < timers->heap[best]->at_ns) best = (uint32_t)i;
    }
    return best;
}

/* Moves the hole at `index` down until `timer` may fill it. */
static void sift_down(struct timers *timers, uint32_t index, struct timer *timer)
{
    uint32_t child;

    while ((child = earliest_child(timers, index)) != 0) {
        if (timer->at_ns <= timers->heap[child]->at_ns) break;
        place(timers, index, timers->heap[child]);
        index = child;
    }
    place(timers, index, timer);
}

/* Fills the hole at `index` with `timer`, which may belong above it or below it. */
static void settle(struct timers *timers, uint32_t index, struct timer *timer)
{
    if (index > 1 && timer->at_ns < timers->heap[(index + 2) / 4]->at_ns) {
        sift_up(timers, index, timer);
    } else {
        sift_down(timers, index, timer);
    }
}

void timers_init(struct timers *timers, struct timer **heap, uint32_t capacity)
{
    CHECK(heap != NULL);
    CHECK(capacity < UINT32_MAX);
    *timers = (struct timers){.heap = heap, .capacity = capacity};
}

void timers_set(struct timers *timers, struct timer *timer, uint64_t at_ns)
{
    timer->at_ns = at_ns;
    if (timer_is_armed(timer)) {
        CHECK(timer->heap_index <= timers->count);
        CHECK(timers->heap[timer->heap_index] == timer);
        settle(timers, timer->heap_index, timer);
        return;
    }
    CHECK(timers->count < timers->capacity);
    timers->count++;
    sift_up(timers, timers->count, timer);
}

void timers_cancel(struct timers *timers, struct timer *timer)
{
    uint32_t hole = timer->heap_index;
    struct timer *last;

    if (hole == 0) return;
    CHECK(hole <= timers->count);
    CHECK(timers->heap[hole] == timer);
    timer->heap_index = 0;
    last = timers->heap[timers->count];
    timers->heap[timers->count] = NULL;
    timers->count--;
    if (last != timer) settle(timers, hole, last);
}

uint64_t timers_next_ns(const struct timers *timers)
{
    return timers->count == 0 ? TIME_NEVER : timers->heap[1]->at_ns;
}

struct timer *timers_take_due(struct timers *timers, uint64_t now_ns)
{
    struct timer *first;

    if (timers->count == 0) return NULL;
    first = timers->heap[1];
    if (first->at_ns > now_ns) return NULL;
    timers_cancel(timers, first);
    return first;
}
