#include "core/rates.h"

#include "core/base/check.h"

bool rates_init(struct rates *rates, uint32_t workers_count, struct arena *arena)
{
    *rates = (struct rates){.workers_count = workers_count, .until_ns = TIME_NEVER};
    rates->workers = arena_array(arena, workers_count, sizeof(*rates->workers));
    if (rates->workers == NULL || !hist_slab_init(&rates->slab, arena, HIST_PAGES)) return false;
    hist_init(&rates->per_s, &rates->slab);
    return true;
}

void rates_set_span(struct rates *rates, uint64_t from_ns, uint64_t until_ns)
{
    rates->from_ns = from_ns;
    rates->until_ns = until_ns;
    for (uint32_t i = 0; i < rates->workers_count; i++) {
        rates->workers[i] = (struct rates_worker){.until_ns = from_ns};
    }
}

void rates_read(struct rates *rates, uint32_t worker, uint64_t now_ns, uint64_t answers)
{
    struct rates_worker *at = &rates->workers[worker];
    bool last = now_ns >= rates->until_ns;
    uint64_t until_ns = min_u64(now_ns, rates->until_ns);
    uint64_t count, length_ns;

    CHECK(worker < rates->workers_count);
    CHECK(answers >= at->answers);
    if (until_ns <= at->until_ns) return;
    count = answers - at->answers;
    length_ns = until_ns - at->until_ns;
    if (count == 0 || length_ns < (last ? RATES_LAST_NS : RATES_STRETCH_NS)) return;
    hist_record(&rates->per_s, (uint64_t)((double)count / (double)length_ns * (double)NS_PER_S));
    *at = (struct rates_worker){.until_ns = until_ns, .answers = answers};
}
