#include "core/share.h"

#include "core/base/check.h"

uint64_t share_of(uint64_t total, uint32_t workers, uint32_t index)
{
    CHECK(index < workers);
    return total / workers + (index < total % workers);
}

uint32_t share_connections(const struct plan *plan, uint32_t index)
{
    uint64_t cap = plan->connections_max == 0 ? plan->connections : plan->connections_max;

    return (uint32_t)min_u64(share_of(plan->connections, plan->workers, index),
                             share_of(cap, plan->workers, index));
}

/* Sums the weights of the requests of each target; returns the sum of all. */
static uint64_t sum_weights(const struct plan *plan, uint64_t *weights)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < plan->requests_count; i++) {
        weights[plan->requests[i].target] += plan->requests[i].weight;
        sum += plan->requests[i].weight;
    }
    return sum;
}

static uint32_t most_of(const uint32_t *counts, uint32_t count)
{
    uint32_t most = 0;

    for (uint32_t i = 1; i < count; i++) {
        if (counts[i] > counts[most]) most = i;
    }
    return most;
}

void share_targets(const struct plan *plan, uint32_t index, uint32_t *ret_counts)
{
    uint32_t total = share_connections(plan, index);
    uint64_t weights[PLAN_URLS_MAX] = {0};
    uint64_t sum = sum_weights(plan, weights);
    /* Where the borders between targets lie, times `sum`: shifted from worker to worker. */
    uint64_t border = sum * index / plan->workers, before = 0;

    CHECK(plan->targets_count <= PLAN_URLS_MAX);
    CHECK(plan->targets_count == 0 || sum > 0); /* A request weighs at least 1. */
    for (uint32_t i = 0; i < plan->targets_count; i++) {
        border += weights[i] * total;
        ret_counts[i] = (uint32_t)(border / sum - before);
        before = border / sum;
    }
    for (uint32_t i = 0; i < plan->targets_count; i++) {
        if (ret_counts[i] > 0 || total < plan->targets_count) continue;
        ret_counts[most_of(ret_counts, plan->targets_count)]--;
        ret_counts[i] = 1;
    }
}
