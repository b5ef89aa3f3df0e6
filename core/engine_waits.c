/* Waits for values of a test file's providers, told as they happen: a line per provider, and no
 * more than one in a second. */
#include "core/base/quote.h"
#include "core/base/units.h"
#include "core/engine_impl.h"
#include "core/result_test.h"
#include "core/waits.h"

static struct waits_sum sum_of(const struct engine *engine, uint32_t provider)
{
    struct waits_sum sum = {0};

    for (uint32_t i = 0; i < engine->plan->workers; i++) {
        const struct waits *waits = engine->shared[i]->waits;

        if (waits != NULL) waits_add(&sum, &waits[provider]);
    }
    return sum;
}

bool engine_init_waits(struct engine *engine)
{
    uint32_t count = engine->test->test->providers_count;

    engine->waits_told = arena_array(&engine->arena, count, sizeof(*engine->waits_told));
    return engine->waits_told != NULL;
}

void engine_watch_waits(struct engine *engine, uint64_t now_ns)
{
    const struct testfile *test = engine->test == NULL ? NULL : engine->test->test;

    if (test == NULL || engine->quiet || engine->coord.phase != COORD_RUNNING) return;
    for (uint32_t i = 0; i < test->providers_count; i++) {
        struct waits_told *told = &engine->waits_told[i];
        struct waits_sum sum;
        char units[UNITS_TEXT_MAX];
        bool goes_on;

        if (now_ns < told->next_ns) continue;
        sum = sum_of(engine, i);
        goes_on = sum.since_ns != 0;
        if (!goes_on && sum.count == told->count) continue;
        scribe_say(
            engine->scribe, "pelt: %s %s for '%s', %s",
            quote(test->endpoints[sum.endpoint].name).text, goes_on ? "waits" : "waited",
            quote(test->providers[i].name).text,
            units_time(units, goes_on ? now_ns - min_u64(now_ns, sum.since_ns) : sum.last_ns));
        told->count = sum.count;
        told->next_ns = now_ns + NS_PER_S;
    }
}

bool engine_fill_waits(struct engine *engine, struct result_test *test)
{
    const struct testfile *file = engine->test->test;
    struct result_wait *list = arena_array(&engine->arena, file->providers_count, sizeof(*list));

    if (list == NULL) return false;
    test->waits = list;
    for (uint32_t i = 0; i < file->providers_count; i++) {
        struct waits_sum sum = sum_of(engine, i);

        if (sum.count == 0) continue;
        list[test->waits_count++] = (struct result_wait){.provider = file->providers[i].name,
                                                         .count = sum.count,
                                                         .total_ns = sum.total_ns,
                                                         .longest_ns = sum.longest_ns};
    }
    return true;
}

bool engine_fill_dropped(struct engine *engine, struct result_test *test)
{
    const struct testfile *file = engine->test->test;
    struct result_dropped *list = arena_array(&engine->arena, file->providers_count, sizeof(*list));

    if (list == NULL) return false;
    test->dropped = list;
    for (uint32_t i = 0; i < file->providers_count; i++) {
        struct result_dropped sum = {.provider = file->providers[i].name};

        for (uint32_t w = 0; w < engine->plan->workers; w++) {
            worker_add_dropped(engine->crew[w].worker, i, &sum);
        }
        if (sum.full + sum.unread + sum.same + sum.no_memory == 0) continue;
        list[test->dropped_count++] = sum;
    }
    return true;
}
