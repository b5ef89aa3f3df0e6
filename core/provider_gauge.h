/* provider_gauge: how a worker's part of a provider stands, for the coordinator. Gauges, not
 * counts: each of the figures is right by itself, of some moment of the last turn.
 *
 * Threads: the worker writes, any thread reads, relaxed. */
#ifndef CORE_PROVIDER_GAUGE_H
#define CORE_PROVIDER_GAUGE_H

#include "core/provider.h"

struct provider_gauge {
    _Atomic uint64_t len, limit;
    _Atomic uint64_t receivers, senders; /* Who waits for a value, or for room. */
    _Atomic uint64_t demand;             /* Pops that found it empty, not answered yet. */
};

static inline void provider_gauge_set(struct provider_gauge *gauge, const struct provider *provider)
{
    store_relaxed(&gauge->len, provider->len);
    store_relaxed(&gauge->limit, provider->limit);
    store_relaxed(&gauge->receivers, provider->receivers.count);
    store_relaxed(&gauge->senders, provider->senders.count);
    store_relaxed(&gauge->demand, provider->demand);
}

#endif
