/* timers: moments in order. A 4-ary heap of pointers to timers that live in their owners.
 *
 * A heap and not a wheel, because nothing on the request path touches it: a connection arms one
 * timer and, when that fires, looks whether its oldest request is really overdue and re-arms for
 * what is left (see io/conn.h). So a timer moves about once per timeout, not once per request,
 * and the heap keeps moments exact to the nanosecond.
 *
 * Threads: one owner. */
#ifndef CORE_BASE_TIMERS_H
#define CORE_BASE_TIMERS_H

#include "core/base/defs.h"

/* Embedded in its owner. Zeroed = not armed. */
struct timer {
    uint64_t at_ns;      /* Valid while armed. */
    uint32_t heap_index; /* Place in the heap from 1; 0 = not armed. */
    uint32_t kind;       /* The owner's: says what the timer is embedded in. Never touched here. */
};

struct timers {
    struct timer **heap; /* [capacity + 1], borrowed; slot 0 unused. */
    uint32_t count;
    uint32_t capacity;
};

/* Makes `timers` empty over `heap`, caller-owned, of `capacity` + 1 pointers. */
void timers_init(struct timers *timers, struct timer **heap, uint32_t capacity);

/* Arms `timer` for `at_ns`, or moves it there if it is armed. Aborts when more than `capacity`
 * timers would be armed (the owner sizes the heap for all its timers). */
void timers_set(struct timers *timers, struct timer *timer, uint64_t at_ns);

/* Disarms; no-op when not armed. */
void timers_cancel(struct timers *timers, struct timer *timer);

/* The earliest armed moment, or TIME_NEVER. */
uint64_t timers_next_ns(const struct timers *timers);

/* Takes (disarms and returns) the earliest timer with at_ns <= now_ns, or NULL. */
struct timer *timers_take_due(struct timers *timers, uint64_t now_ns);

static inline bool timer_is_armed(const struct timer *timer)
{
    return timer->heap_index != 0;
}

#endif
