/* What turns promise: a request is never a whole turn ahead of its share or behind it, laps repeat,
 * and workers begin with different ones. */
#include "core/turns.h"

#include "core/base/rng.h"
#include "tests/aborts.h"
#include "tests/test.h"

enum { REQUESTS_MAX = 200 };

static struct arena arena;
static struct plan_request requests[PLAN_URLS_MAX];

static struct plan plan_of(const uint32_t *weights, uint32_t count, uint32_t workers)
{
    for (uint32_t i = 0; i < count; i++) {
        requests[i] = (struct plan_request){.target = i / 2, .weight = weights[i]};
    }
    return (struct plan){.requests = requests, .requests_count = count, .workers = workers};
}

/* Goes through two laps and a bit, looking at every single turn. */
static void expect_fair(struct turns *turns, const struct plan *plan)
{
    uint64_t taken[REQUESTS_MAX] = {0}, sum = 0;

    for (uint32_t i = 0; i < plan->requests_count; i++) {
        sum += plan->requests[i].weight;
    }
    for (uint64_t k = 1; k <= 2 * (uint64_t)turns->count + 7; k++) {
        struct turn seen = turns_peek(turns), turn = turns_take(turns);

        EXPECT(seen.request == turn.request);
        EXPECT(turn.lane == turn.request / 2);
        taken[turn.request]++;
        for (uint32_t i = 0; i < plan->requests_count; i++) {
            uint64_t least = k * plan->requests[i].weight / sum;
            uint64_t most = (k * plan->requests[i].weight + sum - 1) / sum;

            EXPECT(taken[i] >= least);
            EXPECT(taken[i] <= most);
        }
    }
}

static void test_turns_give_each_its_share_at_every_moment(void)
{
    static const struct {
        uint32_t weights[8], count, lap;
    } rows[] = {{{1}, 1, 1},
                {{7}, 1, 1},
                {{1, 1}, 2, 2},
                {{3, 1}, 2, 4},
                {{300, 100}, 2, 4},
                {{5, 1, 1}, 3, 7},
                {{1, 1, 1, 1, 1, 1, 1, 1}, 8, 8},
                {{1000, 1, 1, 1}, 4, 1003},
                {{6, 10, 15}, 3, 31},
                {{9, 9, 9, 8, 7, 1, 1, 1}, 8, 45}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        for (uint32_t workers = 1; workers <= 3; workers++) {
            struct plan plan = plan_of(rows[i].weights, rows[i].count, workers);

            EXPECT(turns_of_lap(plan.requests, plan.requests_count) == rows[i].lap);
            for (uint32_t index = 0; index < workers; index++) {
                struct turns turns;

                EXPECT(turns_init(&turns, &arena, &plan, index));
                EXPECT(turns.count == rows[i].lap);
                expect_fair(&turns, &plan);
            }
        }
    }
}

static void test_turns_are_fair_for_any_weights(void)
{
    uint32_t weights[REQUESTS_MAX];
    struct rng rng;

    rng_init(&rng, 4);
    for (int i = 0; i < 300; i++) {
        uint32_t count = 1 + (uint32_t)rng_below(&rng, i % 10 == 0 ? REQUESTS_MAX : 12);
        uint32_t top = 1 + (uint32_t)rng_below(&rng, i % 10 == 0 ? 5 : 60);
        struct plan plan;
        struct turns turns;

        for (uint32_t j = 0; j < count; j++) {
            weights[j] = 1 + (uint32_t)rng_below(&rng, top);
        }
        plan = plan_of(weights, count, 4);
        EXPECT(turns_init(&turns, &arena, &plan, (uint32_t)rng_below(&rng, 4)));
        expect_fair(&turns, &plan);
    }
}

/* Whatever number of turns each of the workers takes. */
static void test_turns_of_workers_add_up(void)
{
    enum { WORKERS = 5, COUNT_OF = 9 };
    static const uint32_t weights[COUNT_OF] = {4, 1, 1, 9, 2, 2, 2, 7, 3};
    struct plan plan = plan_of(weights, COUNT_OF, WORKERS);
    struct rng rng;

    rng_init(&rng, 5);
    for (int run = 0; run < 500; run++) {
        uint64_t taken[COUNT_OF] = {0}, all = 0;

        for (uint32_t index = 0; index < WORKERS; index++) {
            uint64_t k = rng_below(&rng, 100);
            struct turns turns;

            EXPECT(turns_init(&turns, &arena, &plan, index));
            for (all += k; k > 0; k--) {
                taken[turns_take(&turns).request]++;
            }
        }
        for (uint32_t i = 0; i < COUNT_OF; i++) {
            uint64_t least = all * weights[i] / 31, most = (all * weights[i] + 30) / 31;

            EXPECT(taken[i] + WORKERS - 1 >= least);
            EXPECT(taken[i] <= most + WORKERS - 1);
        }
    }
}

static void test_turns_of_workers_begin_at_different_requests(void)
{
    static const uint32_t weights[] = {1, 1, 1, 1, 1, 1, 1, 1};

    for (uint32_t workers = 1; workers <= 8; workers++) {
        struct plan plan = plan_of(weights, COUNT(weights), workers);
        bool seen[COUNT(weights)] = {false};

        for (uint32_t index = 0; index < workers; index++) {
            struct turns turns;
            uint32_t first;

            EXPECT(turns_init(&turns, &arena, &plan, index));
            first = turns_take(&turns).request;
            EXPECT(!seen[first]);
            seen[first] = true;
            for (uint32_t n = 1; n < 8; n++) { /* Then in their order, round and round. */
                EXPECT(turns_take(&turns).request == (first + n) % 8);
            }
        }
    }
}

static void test_turns_take_the_longest_lap(void)
{
    uint32_t weights[PLAN_URLS_MAX];
    struct plan plan;
    struct turns turns;

    for (uint32_t i = 0; i < COUNT(weights); i++) {
        weights[i] = i % 2 == 0 ? 99 : 101;
    }
    plan = plan_of(weights, COUNT(weights), 1);
    EXPECT(turns_of_lap(plan.requests, plan.requests_count) == PLAN_LAP_MAX);
    EXPECT(turns_init(&turns, &arena, &plan, 0));
}

static void test_turns_say_when_there_is_no_memory(void)
{
    static const uint32_t weights[] = {1, 2, 3};
    struct plan plan = plan_of(weights, COUNT(weights), 1);
    struct arena small;
    struct turns turns;

    for (size_t bytes = 1; bytes < 200; bytes += 50) {
        arena_init(&small, bytes);
        EXPECT(!turns_init(&turns, &small, &plan, 0));
        arena_release(&small);
    }
}

static void too_long_a_lap(void)
{
    static const uint32_t weights[] = {PLAN_LAP_MAX, 1};
    struct plan plan = plan_of(weights, 2, 1);
    struct turns turns;

    (void)!turns_init(&turns, &arena, &plan, 0);
}

static void test_turns_refuse_what_cannot_be(void)
{
    EXPECT(aborts(too_long_a_lap));
}

int main(void)
{
    arena_init(&arena, 0);
    TEST(test_turns_give_each_its_share_at_every_moment);
    TEST(test_turns_are_fair_for_any_weights);
    TEST(test_turns_of_workers_add_up);
    TEST(test_turns_of_workers_begin_at_different_requests);
    TEST(test_turns_take_the_longest_lap);
    TEST(test_turns_say_when_there_is_no_memory);
    TEST(test_turns_refuse_what_cannot_be);
    arena_release(&arena);
    return 0;
}
