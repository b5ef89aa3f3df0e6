#include "core/waits.h"

#include "core/base/check.h"

void waits_begin(struct waits *waits, uint32_t endpoint, uint64_t since_ns)
{
    add_relaxed(&waits->count, 1);
    add_relaxed(&waits->now, 1);
    if (load_relaxed(&waits->since_ns) != 0) return;
    store_relaxed(&waits->endpoint, endpoint);
    store_relaxed(&waits->since_ns, since_ns);
}

void waits_end(struct waits *waits, uint32_t endpoint, uint64_t waited_ns, uint32_t oldest,
               uint64_t since_ns)
{
    CHECK(load_relaxed(&waits->now) > 0);
    add_relaxed(&waits->now, -UINT64_C(1));
    add_relaxed(&waits->total_ns, waited_ns);
    store_relaxed(&waits->longest_ns, max_u64(load_relaxed(&waits->longest_ns), waited_ns));
    store_relaxed(&waits->last_ns, waited_ns);
    store_relaxed(&waits->endpoint, since_ns == 0 ? endpoint : oldest);
    store_relaxed(&waits->since_ns, since_ns);
}

void waits_add(struct waits_sum *sum, const struct waits *waits)
{
    uint64_t count = load_relaxed(&waits->count), since_ns = load_relaxed(&waits->since_ns);
    uint32_t endpoint = load_relaxed(&waits->endpoint);
    bool is_older = since_ns != 0 && (sum->since_ns == 0 || since_ns < sum->since_ns);

    if (count == 0) return;
    if (is_older || (sum->since_ns == 0 && sum->count == 0)) sum->endpoint = endpoint;
    if (is_older) sum->since_ns = since_ns;
    sum->count += count;
    sum->total_ns += load_relaxed(&waits->total_ns);
    sum->longest_ns = max_u64(sum->longest_ns, load_relaxed(&waits->longest_ns));
    sum->last_ns = max_u64(sum->last_ns, load_relaxed(&waits->last_ns));
}
