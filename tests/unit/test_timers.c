/* What timers promise: whatever is set, moved and cancelled in between, they come out in the
 * order of their moments. Checked against a model that looks at every timer every time. */
#include "core/base/timers.h"

#include "core/base/rng.h"
#include "tests/aborts.h"
#include "tests/test.h"

enum { TIMERS_MAX = 300 };

struct world {
    struct timers timers;
    struct timer *heap[TIMERS_MAX + 1];
    struct timer pool[TIMERS_MAX];
    bool armed[TIMERS_MAX];     /* The model: what must be so. */
    uint64_t at_ns[TIMERS_MAX]; /* Valid while armed. */
    uint32_t count;             /* How many of the pool are used. */
};

static void world_init(struct world *world, uint32_t count)
{
    *world = (struct world){.count = count};
    timers_init(&world->timers, world->heap, count);
}

static uint64_t model_next_ns(const struct world *world)
{
    uint64_t next_ns = TIME_NEVER;

    for (uint32_t i = 0; i < world->count; i++) {
        if (world->armed[i]) next_ns = min_u64(next_ns, world->at_ns[i]);
    }
    return next_ns;
}

static void world_set(struct world *world, uint32_t i, uint64_t at_ns)
{
    timers_set(&world->timers, &world->pool[i], at_ns);
    world->armed[i] = true;
    world->at_ns[i] = at_ns;
}

static void world_cancel(struct world *world, uint32_t i)
{
    timers_cancel(&world->timers, &world->pool[i]);
    world->armed[i] = false;
}

/* Takes one and compares; false when none was due. */
static bool world_take(struct world *world, uint64_t now_ns)
{
    uint64_t next_ns = model_next_ns(world);
    uint32_t armed_before = world->timers.count;
    struct timer *timer = timers_take_due(&world->timers, now_ns);
    uint32_t i;

    if (timer == NULL) {
        EXPECT(armed_before == 0 || next_ns > now_ns);
        return false;
    }
    i = (uint32_t)(timer - world->pool);
    EXPECT(i < world->count);
    EXPECT(world->armed[i]);
    EXPECT(world->at_ns[i] == next_ns);
    EXPECT(timer->at_ns == next_ns);
    EXPECT(next_ns <= now_ns);
    EXPECT(!timer_is_armed(timer));
    world->armed[i] = false;
    return true;
}

static void expect_same(const struct world *world)
{
    uint32_t armed = 0;

    for (uint32_t i = 0; i < world->count; i++) {
        const struct timer *timer = &world->pool[i];

        EXPECT(timer_is_armed(timer) == world->armed[i]);
        if (!world->armed[i]) continue;
        armed++;
        EXPECT(timer->at_ns == world->at_ns[i]);
        EXPECT(timer->heap_index <= world->timers.count);
        EXPECT(world->heap[timer->heap_index] == timer);
    }
    EXPECT(world->timers.count == armed);
    EXPECT(timers_next_ns(&world->timers) == model_next_ns(world));
}

/* `span_ns` small against the number of timers makes many moments equal. */
static void play(uint32_t count, uint64_t span_ns, uint64_t seed)
{
    static struct world world;
    struct rng rng;
    uint64_t now_ns = 0;

    world_init(&world, count);
    rng_init(&rng, seed);
    for (int step = 0; step < 20000; step++) {
        uint32_t i = (uint32_t)rng_below(&rng, count);

        switch (rng_below(&rng, 8)) {
        case 0: world_cancel(&world, i); break;
        case 1:
            now_ns += rng_below(&rng, span_ns / 4 + 1);
            while (world_take(&world, now_ns)) {
            }
            break;
        case 2: (void)world_take(&world, now_ns); break;
        default: world_set(&world, i, now_ns + rng_below(&rng, span_ns)); break;
        }
        EXPECT(timers_next_ns(&world.timers) == model_next_ns(&world));
        if (step % 16 == 0) expect_same(&world);
    }
    while (world_take(&world, TIME_NEVER)) {
    }
    expect_same(&world);
    EXPECT(world.timers.count == 0);
}

static void test_timers_agree_with_a_naive_model(void)
{
    static const struct {
        uint32_t count;
        uint64_t span_ns;
    } rows[] = {
        {1, 10}, {2, 5}, {5, 1}, {6, 100}, {21, 30}, {22, 1000000}, {300, 50}, {300, NS_PER_S},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        for (uint64_t seed = 0; seed < 3; seed++) {
            play(rows[i].count, rows[i].span_ns, seed);
        }
    }
}

static void test_timers_of_every_count_come_out_sorted(void)
{
    static struct world world;
    struct rng rng;

    rng_init(&rng, 5);
    for (uint32_t count = 1; count <= TIMERS_MAX; count++) {
        uint64_t last_ns = 0;

        world_init(&world, count);
        for (uint32_t i = 0; i < count; i++) {
            world_set(&world, i, rng_below(&rng, 1000));
        }
        expect_same(&world);
        for (uint32_t i = 0; i < count; i++) {
            uint64_t next_ns = timers_next_ns(&world.timers);

            EXPECT(next_ns >= last_ns);
            EXPECT(world_take(&world, next_ns));
            last_ns = next_ns;
        }
        EXPECT(timers_take_due(&world.timers, TIME_NEVER) == NULL);
    }
}

static void test_timers_are_due_at_their_moment_and_not_before(void)
{
    static struct world world;

    world_init(&world, 2);
    EXPECT(timers_next_ns(&world.timers) == TIME_NEVER);
    EXPECT(timers_take_due(&world.timers, TIME_NEVER) == NULL);
    timers_set(&world.timers, &world.pool[0], 1000);
    EXPECT(timers_take_due(&world.timers, 999) == NULL);
    EXPECT(timer_is_armed(&world.pool[0]));
    EXPECT(timers_take_due(&world.timers, 1000) == &world.pool[0]);
    EXPECT(timers_take_due(&world.timers, 1000) == NULL);

    timers_set(&world.timers, &world.pool[0], 0);
    timers_set(&world.timers, &world.pool[1], TIME_NEVER);
    EXPECT(timers_take_due(&world.timers, 0) == &world.pool[0]);
    EXPECT(timers_next_ns(&world.timers) == TIME_NEVER);
    EXPECT(timers_take_due(&world.timers, TIME_NEVER - 1) == NULL);
    timers_cancel(&world.timers, &world.pool[1]);
    timers_cancel(&world.timers, &world.pool[1]);
    EXPECT(world.timers.count == 0);
}

static void test_timers_move_when_set_again_even_at_capacity(void)
{
    static struct world world;

    world_init(&world, 3);
    for (uint32_t i = 0; i < 3; i++) {
        world_set(&world, i, 100 + i);
    }
    world_set(&world, 0, 500);
    expect_same(&world);
    EXPECT(timers_next_ns(&world.timers) == 101);
    world_set(&world, 2, 50);
    expect_same(&world);
    EXPECT(timers_next_ns(&world.timers) == 50);
    world_set(&world, 2, 50);
    expect_same(&world);
}

static void set_beyond_capacity(void)
{
    struct timer *heap[3], pool[3] = {0};
    struct timers timers;

    timers_init(&timers, heap, 2);
    for (uint32_t i = 0; i < 3; i++) {
        timers_set(&timers, &pool[i], 10);
    }
}

static void cancel_in_another_heap(void)
{
    struct timer *heaps[2][3], pool[2] = {0};
    struct timers timers[2];

    timers_init(&timers[0], heaps[0], 2);
    timers_init(&timers[1], heaps[1], 2);
    timers_set(&timers[0], &pool[0], 10);
    timers_set(&timers[1], &pool[1], 10);
    timers_cancel(&timers[0], &pool[1]);
}

static void test_timers_misuse_aborts(void)
{
    EXPECT(aborts(set_beyond_capacity));
    EXPECT(aborts(cancel_in_another_heap));
}

int main(void)
{
    TEST(test_timers_agree_with_a_naive_model);
    TEST(test_timers_of_every_count_come_out_sorted);
    TEST(test_timers_are_due_at_their_moment_and_not_before);
    TEST(test_timers_move_when_set_again_even_at_capacity);
    TEST(test_timers_misuse_aborts);
    return 0;
}
