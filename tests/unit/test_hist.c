/* What a histogram promises: every value counted once and in the right bucket, and figures read
 * from it within a bucket of the truth, which here is a sorted array. */
#include "core/base/hist.h"

#include <math.h>
#include <string.h>

#include "core/base/rng.h"
#include "tests/aborts.h"
#include "tests/test.h"

static const uint64_t top_ns = UINT64_C(1) << HIST_VALUE_BITS; /* The first value beyond. */

/* A histogram with pages of its own. */
struct rig {
    struct arena arena;
    struct hist_slab slab;
    struct hist hist;
};

static void rig_init(struct rig *rig, uint32_t pages_count)
{
    arena_init(&rig->arena, 0);
    EXPECT(hist_slab_init(&rig->slab, &rig->arena, pages_count));
    hist_init(&rig->hist, &rig->slab);
}

static void rig_release(struct rig *rig)
{
    arena_release(&rig->arena);
}

static void view_of(struct hist_view *view, const struct hist *hist)
{
    hist_view_clear(view);
    hist_view_add(view, hist);
}

static bool view_is_equal(const struct hist_view *a, const struct hist_view *b)
{
    return a->count == b->count && a->sum_ns == b->sum_ns && a->min_ns == b->min_ns &&
           a->max_ns == b->max_ns && a->over == b->over && a->unplaced == b->unplaced &&
           memcmp(a->buckets, b->buckets, sizeof(a->buckets)) == 0;
}

static uint64_t view_placed(const struct hist_view *view)
{
    uint64_t total = 0;

    for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
        total += view->buckets[i];
    }
    return total;
}

static void test_hist_buckets_follow_each_other_without_gaps(void)
{
    EXPECT(hist_bucket_low_ns(0) == 0);
    for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
        uint64_t low_ns = hist_bucket_low_ns(i), width_ns = hist_bucket_width_ns(i);

        EXPECT(hist_bucket_of(low_ns) == i);
        EXPECT(hist_bucket_of(low_ns + width_ns / 2) == i);
        EXPECT(hist_bucket_of(low_ns + width_ns - 1) == i);
        if (i + 1 < HIST_BUCKETS) {
            EXPECT(hist_bucket_of(low_ns + width_ns) == i + 1);
            EXPECT(hist_bucket_low_ns(i + 1) == low_ns + width_ns);
        } else {
            EXPECT(low_ns + width_ns == top_ns);
        }
        EXPECT(low_ns < 2048 ? width_ns == 1 : width_ns <= low_ns / 1024);
    }
}

static void test_hist_bucket_formula_holds_at_the_edges(void)
{
    static const struct {
        uint64_t value_ns;
        uint32_t bucket;
    } rows[] = {
        {0, 0},
        {1, 1},
        {1023, 1023},
        {1024, 1024},
        {2047, 2047},
        {2048, 2048},
        {2049, 2048},
        {2050, 2049},
        {4095, 3071},
        {4096, 3072},
        {(UINT64_C(1) << 45) - 1, HIST_BUCKETS - 1},
        {UINT64_C(1) << 45, HIST_BUCKETS - 1},
        {UINT64_MAX, HIST_BUCKETS - 1},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        EXPECT(hist_bucket_of(rows[i].value_ns) == rows[i].bucket);
    }
}

static void test_hist_counts_every_value_and_drops_none(void)
{
    const struct {
        uint64_t value_ns;
        bool is_over;
    } rows[] = {
        {0, false},         {1, false},
        {2047, false},      {2048, false},
        {123456, false},    {top_ns - 1, false},
        {top_ns, true},     {top_ns + 1, true},
        {top_ns * 2, true}, {UINT64_MAX / 2, true},
    };
    static struct hist_view view;
    uint64_t over = 0, sum_ns = 0;
    struct rig rig;

    rig_init(&rig, HIST_PAGES);
    for (size_t i = 0; i < COUNT(rows); i++) {
        hist_record(&rig.hist, rows[i].value_ns);
        over += rows[i].is_over;
        sum_ns += rows[i].value_ns;
        view_of(&view, &rig.hist);
        EXPECT(view.count == i + 1);
        EXPECT(view_placed(&view) == i + 1);
        EXPECT(view.over == over);
        EXPECT(view.unplaced == 0);
        EXPECT(view.sum_ns == sum_ns);
        EXPECT(view.min_ns == 0);
        EXPECT(view.max_ns == rows[i].value_ns);
    }
    EXPECT(view.buckets[0] == 1);
    EXPECT(view.buckets[1] == 1);
    EXPECT(view.buckets[HIST_BUCKETS - 1] == 1 + over);
    rig_release(&rig);
}

static void test_hist_of_nothing_is_empty(void)
{
    static struct hist_view view;
    struct rig rig;

    rig_init(&rig, 0);
    view_of(&view, &rig.hist);
    EXPECT(view.count == 0);
    EXPECT(view.min_ns == UINT64_MAX);
    EXPECT(view.max_ns == 0);
    EXPECT(hist_view_percentile_ns(&view, 0.99) == 0);
    EXPECT(!(hist_view_mean_ns(&view) > 0));
    EXPECT(!(hist_view_stddev_ns(&view) > 0));
    rig_release(&rig);
}

static int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

enum { VALUES_MAX = 20000 };

/* Data sets of different shapes: all equal, a narrow range, a wide one, all octaves alike. */
static uint64_t draw(struct rng *rng, uint32_t shape)
{
    switch (shape) {
    case 0: return 1234567;
    case 1: return 50000 + rng_below(rng, 1000);
    case 2: return rng_below(rng, NS_PER_S);
    case 3: return rng_below(rng, 2048);
    default: return rng_next(rng) >> (64 - HIST_VALUE_BITS + rng_below(rng, HIST_VALUE_BITS));
    }
}

/* ceil(millionths / 10^6 * count), in integers. */
static uint32_t rank_of(uint32_t millionths, uint32_t count)
{
    uint64_t rank = ((uint64_t)millionths * count + 999999) / 1000000;

    return (uint32_t)max_u64(rank, 1);
}

static void expect_percentiles(const struct hist_view *view, const uint64_t *sorted, uint32_t count)
{
    static const uint32_t millionths[] = {1,      10000,  70000,  250000, 500000, 750000,
                                          900000, 950000, 990000, 999000, 999900, 1000000};

    for (size_t i = 0; i < COUNT(millionths); i++) {
        uint64_t got_ns = hist_view_percentile_ns(view, millionths[i] / 1e6);
        uint64_t true_ns = sorted[rank_of(millionths[i], count) - 1];

        EXPECT(hist_bucket_of(got_ns) == hist_bucket_of(true_ns));
        EXPECT(got_ns >= sorted[0] && got_ns <= sorted[count - 1]);
    }
}

static void expect_moments(const struct hist_view *view, const uint64_t *sorted, uint32_t count)
{
    double sum = 0, squares = 0, mean, stddev;

    for (uint32_t i = 0; i < count; i++) {
        sum += (double)sorted[i];
    }
    mean = sum / count;
    for (uint32_t i = 0; i < count; i++) {
        squares += ((double)sorted[i] - mean) * ((double)sorted[i] - mean);
    }
    stddev = count < 2 ? 0 : sqrt(squares / (count - 1));
    EXPECT(fabs(hist_view_mean_ns(view) - mean) <= 1e-9 * mean);
    /* Each value is at most half a bucket, 1/2048 of itself, away from its bucket's middle; the
     * root mean square of the values is at most mean + stddev. */
    EXPECT(fabs(hist_view_stddev_ns(view) - stddev) <= (mean + stddev) / 1000);
}

static void test_hist_figures_are_within_a_bucket_of_the_sorted_truth(void)
{
    static const uint32_t counts[] = {1, 2, 3, 10, 99, 100, 101, 1000, VALUES_MAX};
    static uint64_t values[VALUES_MAX];
    static struct hist_view view;

    for (uint32_t shape = 0; shape < 5; shape++) {
        for (size_t c = 0; c < COUNT(counts); c++) {
            struct rng rng;
            struct rig rig;

            rng_init(&rng, shape * UINT64_C(100) + c);
            rig_init(&rig, HIST_PAGES);
            for (uint32_t i = 0; i < counts[c]; i++) {
                values[i] = draw(&rng, shape);
                hist_record(&rig.hist, values[i]);
            }
            qsort(values, counts[c], sizeof(values[0]), compare_u64);
            view_of(&view, &rig.hist);
            EXPECT(view.count == counts[c]);
            EXPECT(view.min_ns == values[0]);
            EXPECT(view.max_ns == values[counts[c] - 1]);
            expect_percentiles(&view, values, counts[c]);
            expect_moments(&view, values, counts[c]);
            rig_release(&rig);
        }
    }
}

/* Values 1..n have a bucket each, so that any slip of the rank shows. */
static void test_hist_percentile_rank_is_exact_for_decimal_shares(void)
{
    enum { N = 2000 };
    static struct hist_view view;
    struct rig rig;

    rig_init(&rig, HIST_PAGES);
    for (uint32_t n = 1; n <= N; n++) {
        hist_record(&rig.hist, n);
        if (n % 100 != 0 && n > 20) continue;
        view_of(&view, &rig.hist);
        for (uint32_t thousandth = 1; thousandth <= 1000; thousandth++) {
            EXPECT(hist_view_percentile_ns(&view, thousandth / 1000.0) ==
                   rank_of(thousandth * 1000, n));
        }
    }
    EXPECT(hist_view_percentile_ns(&view, 1e-300) == 1);
    rig_release(&rig);
}

static void test_hist_percentile_of_a_torn_view_is_not_clamped_to_nothing(void)
{
    static struct hist_view view;

    hist_view_clear(&view);
    view.count = 1;
    view.page_mask[0] = 1 << 500 / HIST_PAGE_BUCKETS;
    view.buckets[500] = 1; /* Seen before the worker stored min and max. */
    EXPECT(hist_view_percentile_ns(&view, 0.5) == 500);
}

static void test_hist_percentile_of_counts_that_a_double_rounds_up(void)
{
    static struct hist_view view;

    hist_view_clear(&view);
    view.page_mask[0] = 1;
    view.buckets[5] = (UINT64_C(1) << 53) + 3;
    view.count = view.buckets[5];
    view.min_ns = view.max_ns = 5;
    EXPECT(hist_view_percentile_ns(&view, 1.0) == 5);
}

static void test_hist_merge_equals_a_single_histogram_in_any_order(void)
{
    enum { PARTS = 4 };
    static struct hist_view forward, backward, single;
    struct rig parts[PARTS], all;
    struct rng rng;

    rng_init(&rng, 77);
    rig_init(&all, HIST_PAGES);
    for (uint32_t p = 0; p < PARTS; p++) {
        rig_init(&parts[p], HIST_PAGES);
        for (int i = 0; i < 5000; i++) {
            uint64_t value_ns = draw(&rng, p == 0 ? 4 : p);

            if (i == 100) value_ns = top_ns + p;
            hist_record(&parts[p].hist, value_ns);
            hist_record(&all.hist, value_ns);
        }
    }
    hist_view_clear(&forward);
    hist_view_clear(&backward);
    for (uint32_t p = 0; p < PARTS; p++) {
        hist_view_add(&forward, &parts[p].hist);
        hist_view_add(&backward, &parts[PARTS - 1 - p].hist);
    }
    view_of(&single, &all.hist);
    EXPECT(view_is_equal(&forward, &single));
    EXPECT(view_is_equal(&backward, &single));
    for (uint32_t p = 0; p < PARTS; p++) {
        rig_release(&parts[p]);
    }
    rig_release(&all);
}

static void test_hist_counts_what_an_exhausted_slab_cannot_place(void)
{
    static struct hist_view view;
    struct rig rig;

    rig_init(&rig, 2);
    hist_record(&rig.hist, 10);     /* Page 0. */
    hist_record(&rig.hist, 300);    /* Page 1. */
    hist_record(&rig.hist, 1000);   /* Page 3: none left. */
    hist_record(&rig.hist, top_ns); /* None left either, and over. */
    hist_record(&rig.hist, 11);     /* Page 0 is still there. */
    view_of(&view, &rig.hist);
    EXPECT(view.count == 5);
    EXPECT(view.unplaced == 2);
    EXPECT(view.over == 1);
    EXPECT(view_placed(&view) == 3);
    EXPECT(view.min_ns == 10);
    EXPECT(view.max_ns == top_ns);
    EXPECT(view.sum_ns == 10 + 300 + 1000 + top_ns + 11);
    EXPECT(hist_view_percentile_ns(&view, 1.0) == 300);
    EXPECT(rig.slab.pages_used == 2);
    rig_release(&rig);
}

static void test_hist_slab_serves_several_and_only_on_first_touch(void)
{
    static struct hist_view view;
    struct hist second;
    struct rig rig;

    rig_init(&rig, 3);
    hist_init(&second, &rig.slab);
    EXPECT(rig.slab.pages_used == 0);
    hist_record(&rig.hist, 0);
    hist_record(&rig.hist, 31);
    EXPECT(rig.slab.pages_used == 1);
    hist_record(&second, 0);
    hist_record(&second, 32);
    EXPECT(rig.slab.pages_used == 3);
    view_of(&view, &second);
    EXPECT(view.buckets[0] == 1 && view.buckets[31] == 0 && view.buckets[32] == 1);
    view_of(&view, &rig.hist);
    EXPECT(view.buckets[0] == 1 && view.buckets[31] == 1 && view.buckets[32] == 0);
    rig_release(&rig);
}

static void test_hist_slab_of_every_arena_size_refuses_or_serves(void)
{
    const size_t page_bytes = HIST_PAGE_BUCKETS * sizeof(hist_cell);
    size_t bytes_max = 1;
    bool served = false;

    for (; !served; bytes_max += 13) {
        struct hist_slab slab = {.pages_count = 99};
        struct arena arena;

        EXPECT(bytes_max < 7 * page_bytes);
        arena_init(&arena, bytes_max);
        served = hist_slab_init(&slab, &arena, 4);
        EXPECT(slab.pages_count == (served ? 4 : 99));
        arena_release(&arena);
    }
    EXPECT(bytes_max > 4 * page_bytes);
}

static void test_hist_diff_is_the_interval_between(void)
{
    static struct hist_view before, now, interval, expected;
    struct rig all, later;
    struct rng rng;

    rng_init(&rng, 3);
    rig_init(&all, HIST_PAGES);
    rig_init(&later, HIST_PAGES);
    for (int i = 0; i < 1000; i++) {
        hist_record(&all.hist, draw(&rng, 4));
    }
    hist_record(&all.hist, 0);
    hist_record(&all.hist, top_ns - 1);
    view_of(&before, &all.hist);
    for (int i = 0; i < 1000; i++) {
        uint64_t value_ns = draw(&rng, 2);

        hist_record(&all.hist, value_ns);
        hist_record(&later.hist, value_ns);
    }
    view_of(&now, &all.hist);
    view_of(&expected, &later.hist);
    hist_view_diff(&interval, &now, &before);
    EXPECT(interval.count == 1000);
    EXPECT(interval.sum_ns == expected.sum_ns);
    EXPECT(memcmp(interval.buckets, expected.buckets, sizeof(interval.buckets)) == 0);
    EXPECT(hist_bucket_of(interval.min_ns) == hist_bucket_of(expected.min_ns));
    EXPECT(interval.min_ns <= expected.min_ns);
    EXPECT(hist_bucket_of(interval.max_ns) == hist_bucket_of(expected.max_ns));
    EXPECT(interval.max_ns >= expected.max_ns);

    hist_view_diff(&now, &now, &before); /* In place. */
    EXPECT(view_is_equal(&now, &interval));
    rig_release(&all);
    rig_release(&later);
}

static void test_hist_diff_bounds_are_clamped_to_what_was_seen(void)
{
    static struct hist_view before, now, interval;
    struct rig rig;

    rig_init(&rig, HIST_PAGES);
    view_of(&before, &rig.hist);
    hist_record(&rig.hist, 1000001);
    hist_record(&rig.hist, 1000002);
    view_of(&now, &rig.hist);
    hist_view_diff(&interval, &now, &before);
    EXPECT(interval.min_ns == 1000001);
    EXPECT(interval.max_ns == 1000002);

    hist_record(&rig.hist, 3 * top_ns);
    before = now;
    view_of(&now, &rig.hist);
    hist_view_diff(&interval, &now, &before);
    EXPECT(interval.count == 1);
    EXPECT(interval.over == 1);
    EXPECT(interval.max_ns == 3 * top_ns);
    rig_release(&rig);
}

static void test_hist_diff_of_nothing_new_is_empty_and_never_below_0(void)
{
    static struct hist_view view, more, interval;
    struct rig rig;

    rig_init(&rig, HIST_PAGES);
    hist_record(&rig.hist, 5000);
    view_of(&view, &rig.hist);
    hist_view_diff(&interval, &view, &view);
    EXPECT(interval.count == 0);
    EXPECT(interval.min_ns == UINT64_MAX);
    EXPECT(interval.max_ns == 0);
    EXPECT(hist_view_percentile_ns(&interval, 0.5) == 0);

    hist_record(&rig.hist, top_ns);
    view_of(&more, &rig.hist);
    hist_view_diff(&interval, &view, &more);
    EXPECT(interval.count == 0);
    EXPECT(interval.sum_ns == 0);
    EXPECT(interval.over == 0);
    EXPECT(view_placed(&interval) == 0);
    rig_release(&rig);
}

static void test_hist_view_used_again_holds_nothing_of_before(void)
{
    static struct hist_view view, before, now, empty;
    struct rig low, high;

    rig_init(&low, HIST_PAGES);
    rig_init(&high, HIST_PAGES);
    hist_record(&low.hist, 5);
    hist_record(&high.hist, top_ns / 2);

    view_of(&view, &low.hist);
    hist_view_clear(&view);
    hist_view_clear(&empty);
    EXPECT(view_is_equal(&view, &empty));

    view_of(&view, &low.hist); /* Pages that the interval does not have. */
    view_of(&now, &high.hist);
    hist_view_clear(&before);
    hist_view_diff(&view, &now, &before);
    EXPECT(view.count == 1);
    EXPECT(view_placed(&view) == 1);
    EXPECT(view.buckets[5] == 0);
    EXPECT(hist_view_percentile_ns(&view, 0.5) == top_ns / 2);
    rig_release(&low);
    rig_release(&high);
}

static void percentile_0(void)
{
    static struct hist_view view;

    (void)hist_view_percentile_ns(&view, 0);
}

static void percentile_over_1(void)
{
    static struct hist_view view;

    (void)hist_view_percentile_ns(&view, 1.001);
}

static void percentile_nan(void)
{
    static struct hist_view view;

    (void)hist_view_percentile_ns(&view, (double)NAN);
}

static void bucket_beyond_the_last(void)
{
    (void)hist_bucket_low_ns(HIST_BUCKETS);
}

static void test_hist_misuse_aborts(void)
{
    EXPECT(aborts(percentile_0));
    EXPECT(aborts(percentile_over_1));
    EXPECT(aborts(percentile_nan));
    EXPECT(aborts(bucket_beyond_the_last));
}

int main(void)
{
    TEST(test_hist_buckets_follow_each_other_without_gaps);
    TEST(test_hist_bucket_formula_holds_at_the_edges);
    TEST(test_hist_counts_every_value_and_drops_none);
    TEST(test_hist_of_nothing_is_empty);
    TEST(test_hist_figures_are_within_a_bucket_of_the_sorted_truth);
    TEST(test_hist_percentile_rank_is_exact_for_decimal_shares);
    TEST(test_hist_percentile_of_a_torn_view_is_not_clamped_to_nothing);
    TEST(test_hist_percentile_of_counts_that_a_double_rounds_up);
    TEST(test_hist_merge_equals_a_single_histogram_in_any_order);
    TEST(test_hist_counts_what_an_exhausted_slab_cannot_place);
    TEST(test_hist_slab_serves_several_and_only_on_first_touch);
    TEST(test_hist_slab_of_every_arena_size_refuses_or_serves);
    TEST(test_hist_diff_is_the_interval_between);
    TEST(test_hist_diff_bounds_are_clamped_to_what_was_seen);
    TEST(test_hist_diff_of_nothing_new_is_empty_and_never_below_0);
    TEST(test_hist_view_used_again_holds_nothing_of_before);
    TEST(test_hist_misuse_aborts);
    return 0;
}
