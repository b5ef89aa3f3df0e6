/* wrk's arithmetic, against a reader of the same rules that takes one value after the other. */
#include "core/wrk_stats.h"

#include <math.h>

#include "core/base/rng.h"
#include "tests/test.h"

struct rig {
    struct arena arena;
    struct hist_slab slab;
    struct hist hist;
    struct hist_view *view;
};

static void rig_open(struct rig *rig)
{
    arena_init(&rig->arena, 0);
    EXPECT(hist_slab_init(&rig->slab, &rig->arena, HIST_PAGES));
    hist_init(&rig->hist, &rig->slab);
    rig->view = arena_array(&rig->arena, 1, sizeof(*rig->view));
    EXPECT(rig->view != NULL);
}

static struct hist_view *rig_view(struct rig *rig)
{
    hist_view_clear(rig->view);
    hist_view_add(rig->view, &rig->hist);
    return rig->view;
}

static void test_wrk_share_counts_both_ends(void)
{
    struct rig rig;

    rig_open(&rig);
    EXPECT(wrk_share_near_mean(rig_view(&rig)) < 0);
    hist_record(&rig.hist, 100);
    EXPECT(wrk_share_near_mean(rig_view(&rig)) == 1);
    hist_record_many(&rig.hist, 100, 998);
    hist_record(&rig.hist, 2000); /* Mean 101.9, deviation 60.1. */
    EXPECT(wrk_share_near_mean(rig_view(&rig)) == 0.999);
    arena_release(&rig.arena);
}

static void test_wrk_share_of_values_that_are_the_same_is_all(void)
{
    struct rig rig;

    rig_open(&rig);
    hist_record_many(&rig.hist, 1234567891, 3333333);
    EXPECT(wrk_share_near_mean(rig_view(&rig)) == 1);
    arena_release(&rig.arena);
}

static void test_wrk_percentile_takes_the_rank_of_wrk(void)
{
    struct rig rig;

    rig_open(&rig);
    EXPECT(wrk_percentile(rig_view(&rig), 50) == 0);
    for (uint64_t i = 1; i <= 100; i++) {
        hist_record(&rig.hist, i);
    }
    EXPECT(wrk_percentile(rig_view(&rig), 50) == 51); /* round(50.5) */
    EXPECT(wrk_percentile(rig_view(&rig), 99) == 100);
    EXPECT(wrk_percentile(rig_view(&rig), 100) == 100);
    arena_release(&rig.arena);
}

static void test_wrk_correct_drops_timeouts(void)
{
    struct rig rig;
    struct hist_view *view;

    rig_open(&rig);
    hist_record_many(&rig.hist, 10, 5);
    hist_record_many(&rig.hist, 1000, 3);
    view = rig_view(&rig);
    wrk_correct(view, 1001, 0);
    EXPECT(view->count == 8 && view->sum_ns == 3050 && view->max_ns == 1000);
    wrk_correct(view, 1000, 0);
    EXPECT(view->count == 5 && view->sum_ns == 50 && view->min_ns == 10 && view->max_ns == 10);
    wrk_correct(view, 1, 0);
    EXPECT(view->count == 0 && view->sum_ns == 0 && view->max_ns == 0);
    arena_release(&rig.arena);
}

static void test_wrk_correct_adds_what_was_not_sent_meanwhile(void)
{
    struct rig rig;
    struct hist_view *view;

    rig_open(&rig);
    hist_record_many(&rig.hist, 100, 10);
    hist_record_many(&rig.hist, 199, 4);  /* Below two intervals: stays alone. */
    hist_record_many(&rig.hist, 1000, 2); /* 900, 800 … 200; 100 is not above the interval. */
    view = rig_view(&rig);
    wrk_correct(view, TIME_NEVER, 100);
    EXPECT(view->count == 10 + 4 + 2 * 9);
    EXPECT(view->sum_ns ==
           1000 + 4 * 199 + 2 * (1000 + 900 + 800 + 700 + 600 + 500 + 400 + 300 + 200));
    for (uint32_t value = 200; value <= 1000; value += 100) {
        EXPECT(view->buckets[value] == 2);
    }
    EXPECT(view->buckets[100] == 10 && view->buckets[199] == 4);
    EXPECT(view->min_ns == 100 && view->max_ns == 1000);
    arena_release(&rig.arena);
}

/* Values at random: as many as one by one, and in sum the same but for what buckets round. */
static void test_wrk_correct_agrees_with_one_value_after_the_other(void)
{
    struct rng rng;

    rng_init(&rng, 5);
    for (int round = 0; round < 40; round++) {
        uint64_t interval = 1 + rng_below(&rng, 5000), count = 0;
        struct hist_view *view;
        struct rig rig;
        double sum = 0;

        rig_open(&rig);
        for (int i = 0; i < 200; i++) {
            /* Middles of buckets, so that they stand for themselves. */
            uint32_t bucket = hist_bucket_of(rng_below(&rng, UINT64_C(1) << (4 + i % 20)));
            uint64_t value = hist_bucket_low_ns(bucket) + hist_bucket_width_ns(bucket) / 2;

            hist_record(&rig.hist, value);
            count++;
            sum += (double)value;
            if (value < 2 * interval) continue;
            for (uint64_t at = value - interval; at > interval; at -= interval) {
                count++;
                sum += (double)at;
            }
        }
        view = rig_view(&rig);
        wrk_correct(view, TIME_NEVER, interval);
        EXPECT(view->count == count);
        EXPECT(fabs((double)view->sum_ns - sum) <= 1e-9 * sum);
        EXPECT(hist_view_percentile_ns(view, 1) == view->max_ns);
        arena_release(&rig.arena);
    }
}

int main(void)
{
    TEST(test_wrk_share_counts_both_ends);
    TEST(test_wrk_share_of_values_that_are_the_same_is_all);
    TEST(test_wrk_percentile_takes_the_rank_of_wrk);
    TEST(test_wrk_correct_drops_timeouts);
    TEST(test_wrk_correct_adds_what_was_not_sent_meanwhile);
    TEST(test_wrk_correct_agrees_with_one_value_after_the_other);
    return 0;
}
