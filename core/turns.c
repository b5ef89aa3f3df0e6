#include "core/turns.h"

#include "core/base/check.h"

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

static uint32_t divisor_of(const struct plan_request *requests, uint32_t count)
{
    uint64_t divisor = 0;

    for (uint32_t i = 0; i < count; i++) {
        divisor = common_divisor(divisor, requests[i].weight);
    }
    CHECK(divisor > 0); /* Every weight is. */
    return (uint32_t)divisor;
}

uint64_t turns_of_lap(const struct plan_request *requests, uint32_t count)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < count; i++) {
        CHECK(requests[i].weight > 0);
        sum += requests[i].weight;
    }
    return sum / divisor_of(requests, count);
}

/* A request on its way through the lap. */
struct runner {
    uint64_t weight;
    uint64_t taken;    /* Turns so far, */
    uint64_t from, by; /* and the slots between which it takes the next one. */
};

static void look_ahead(struct runner *runner, uint64_t lap)
{
    CHECK(runner->weight > 0);
    runner->from = runner->taken * lap / runner->weight;
    runner->by = ((runner->taken + 1) * lap + runner->weight - 1) / runner->weight;
}

/* Who takes this slot; of equals the first one, counted from `first` on. */
static uint32_t choose(const struct runner *runners, uint32_t count, uint64_t slot, uint32_t first)
{
    uint32_t best = count;

    for (uint32_t n = 0; n < count; n++) {
        uint32_t i = first + n < count ? first + n : first + n - count;

        if (runners[i].taken == runners[i].weight || runners[i].from > slot) continue;
        if (best == count || runners[i].by < runners[best].by) best = i;
    }
    CHECK(best < count);
    CHECK(runners[best].by > slot);
    return best;
}

bool turns_init(struct turns *turns, struct arena *arena, const struct plan *plan, uint32_t index)
{
    uint32_t count = plan->requests_count;
    uint64_t lap = turns_of_lap(plan->requests, count);
    uint32_t divisor = divisor_of(plan->requests, count);
    uint32_t first = (uint32_t)((uint64_t)index * count / plan->workers);
    struct runner *runners = arena_array(arena, count, sizeof(*runners));
    struct turn *list = arena_array(arena, lap, sizeof(*list));

    CHECK(count > 0 && count <= PLAN_URLS_MAX);
    CHECK(lap <= PLAN_LAP_MAX);
    CHECK(index < plan->workers);
    if (runners == NULL || list == NULL) return false;
    for (uint32_t i = 0; i < count; i++) {
        runners[i].weight = plan->requests[i].weight / divisor;
        look_ahead(&runners[i], lap);
    }
    for (uint64_t slot = 0; slot < lap; slot++) {
        uint32_t i = choose(runners, count, slot, first);

        list[slot] = (struct turn){(uint16_t)i, (uint16_t)plan->requests[i].target};
        runners[i].taken++;
        look_ahead(&runners[i], lap);
    }
    *turns = (struct turns){.list = list, .count = (uint32_t)lap};
    return true;
}
