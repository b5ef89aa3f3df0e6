/* Answers per second of each worker, over stretches of 100 ms. */
#include "core/rates.h"

#include "tests/test.h"

enum { WORKERS = 2, MS = 1000 * 1000 };

struct rig {
    struct arena arena;
    struct rates rates;
};

static const uint64_t start_ns = 77 * NS_PER_S;

static void rig_open(struct rig *rig, uint64_t warmup_ms, uint64_t until_ms)
{
    arena_init(&rig->arena, 0);
    EXPECT(rates_init(&rig->rates, WORKERS, &rig->arena));
    rates_set_span(&rig->rates, start_ns + warmup_ms * MS, start_ns + until_ms * MS);
}

static void rig_read(struct rig *rig, uint32_t worker, uint64_t at_ms, uint64_t answers)
{
    rates_read(&rig->rates, worker, start_ns + at_ms * MS, answers);
}

/* The samples are `count`, of these sum and largest. */
static void rig_close(struct rig *rig, uint64_t count, uint64_t sum, uint64_t max)
{
    struct hist *per_s = &rig->rates.per_s;

    EXPECT(load_relaxed(&per_s->count) == count);
    EXPECT(load_relaxed(&per_s->sum_ns) == sum);
    EXPECT(load_relaxed(&per_s->max_ns) == max);
    arena_release(&rig->arena);
}

static void test_rates_are_of_each_worker(void)
{
    struct rig rig;

    rig_open(&rig, 0, 1000);
    rig_read(&rig, 0, 100, 50);
    rig_read(&rig, 1, 100, 7);
    rig_read(&rig, 0, 300, 51);
    rig_close(&rig, 3, 500 + 70 + 5, 500);
}

static void test_rates_leave_stretches_without_an_answer_open(void)
{
    struct rig rig;

    rig_open(&rig, 0, 5000);
    rig_read(&rig, 0, 100, 0);
    rig_read(&rig, 0, 1000, 1);  /* One in a second, */
    rig_read(&rig, 0, 1060, 9);  /* a reading that comes too early, */
    rig_read(&rig, 0, 1200, 21); /* and twenty in 200 ms. */
    rig_close(&rig, 2, 1 + 100, 100);
}

static void test_rates_know_whole_answers_only(void)
{
    struct rig rig;

    rig_open(&rig, 0, 5000);
    rig_read(&rig, 0, 3000, 2);
    rig_close(&rig, 1, 0, 0);
}

static void test_rates_are_those_of_the_span(void)
{
    struct rig rig;

    rig_open(&rig, 250, 600);
    rig_read(&rig, 0, 100, 0);
    rig_read(&rig, 0, 250, 0);
    rig_read(&rig, 0, 350, 10);
    rig_read(&rig, 0, 550, 30);
    rig_read(&rig, 0, 700, 45); /* 15 in the 50 ms that were left. */
    rig_read(&rig, 0, 800, 45);
    rig_close(&rig, 3, 100 + 100 + 300, 300);
}

static void test_rates_drop_a_last_stretch_that_is_too_short(void)
{
    struct rig rig;

    rig_open(&rig, 0, 249);
    rig_read(&rig, 0, 200, 10);
    rig_read(&rig, 0, 300, 20);
    rig_close(&rig, 1, 50, 50);
}

static void test_rates_refuse_an_arena_that_is_too_small(void)
{
    struct rates rates;
    struct arena arena;

    arena_init(&arena, 4096);
    EXPECT(!rates_init(&rates, WORKERS, &arena));
    arena_release(&arena);
}

int main(void)
{
    TEST(test_rates_are_of_each_worker);
    TEST(test_rates_leave_stretches_without_an_answer_open);
    TEST(test_rates_know_whole_answers_only);
    TEST(test_rates_are_those_of_the_span);
    TEST(test_rates_drop_a_last_stretch_that_is_too_short);
    TEST(test_rates_refuse_an_arena_that_is_too_small);
    return 0;
}
