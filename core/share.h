/* share: how what a plan asks for in total is divided over workers and targets.
 *
 * Threads: any; pure. */
#ifndef CORE_SHARE_H
#define CORE_SHARE_H

#include "config/plan.h"

/* The share of the worker with this index of `total`: they add up to it, and differ by 1. */
uint64_t share_of(uint64_t total, uint32_t workers, uint32_t index);

/* How many connections worker `index` may have at once: its share of -c, or of --max-connections if
 * that is less. */
uint32_t share_connections(const struct plan *plan, uint32_t index);

/* How many of these are for each target, into `ret_counts` [plan->targets_count]: by the weights of
 * its requests, and at least one each, if there are enough. They add up. Where shares are not
 * whole, workers round for different targets. */
void share_targets(const struct plan *plan, uint32_t index, uint32_t *ret_counts);

#endif
