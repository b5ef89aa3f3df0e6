/* waits: who waited for a provider's value past the slot of a hit, how often and how long: counted
 * by a worker, told by the coordinator while it lasts, and reported.
 *
 * Threads: single-writer and relaxed, as core/stats.h: the worker writes, any thread reads; exact
 * once the worker has ended. */
#ifndef CORE_WAITS_H
#define CORE_WAITS_H

#include "core/base/defs.h"

/* Of one provider on one worker. */
struct waits {
    _Atomic uint64_t count;      /* Waits so far, those that go on among them. */
    _Atomic uint64_t total_ns;   /* How long they were, of those that are over … */
    _Atomic uint64_t longest_ns; /* … and the longest, and the last one. */
    _Atomic uint64_t last_ns;
    _Atomic uint64_t now;      /* Endpoints that wait. */
    _Atomic uint64_t since_ns; /* The one that has waited longest: since when; 0: none waits. */
    _Atomic uint32_t endpoint; /* Which one; of the last wait, if none waits. */
};

/* An endpoint's wait, which began at `since_ns`, is counted from now on. */
void waits_begin(struct waits *waits, uint32_t endpoint, uint64_t since_ns);

/* It is over, after `waited_ns`. Of those that still wait, `oldest` has since `since_ns`; 0: none
 * waits. */
void waits_end(struct waits *waits, uint32_t endpoint, uint64_t waited_ns, uint32_t oldest,
               uint64_t since_ns);

/* The same of several workers. */
struct waits_sum {
    uint64_t count, total_ns, longest_ns, last_ns;
    uint64_t since_ns; /* 0: nobody waits. */
    uint32_t endpoint;
};

/* Adds a worker's. */
void waits_add(struct waits_sum *sum, const struct waits *waits);

#endif
