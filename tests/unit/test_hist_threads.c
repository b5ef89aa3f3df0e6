/* What a histogram promises to a second thread: snapshots whose counts never go back while the
 * worker records, and that are exact once it has been joined. SAN=thread checks the order in
 * which pages are announced. */
#include "core/base/hist.h"

#include <pthread.h>
#include <string.h>

#include "core/base/rng.h"
#include "tests/test.h"

enum { RECORDS = 10000000, PAGES = HIST_PAGES / 2 };

struct race {
    struct hist hist;
    struct hist_slab slab;
    uint64_t seed;
    _Atomic bool done; /* Writer's. */
};

/* The scale grows with `i`, so that new pages are announced all along the way. */
static uint64_t value_at(struct rng *rng, uint64_t i)
{
    uint64_t bits = 8 + i * (HIST_VALUE_BITS - 8) / RECORDS + 1;

    return rng_next(rng) >> (64 - bits);
}

static void *record_all(void *arg)
{
    struct race *race = arg;
    struct rng rng;

    rng_init(&rng, race->seed);
    for (uint64_t i = 0; i < RECORDS; i++) {
        hist_record(&race->hist, value_at(&rng, i));
    }
    store_release(&race->done, true);
    return NULL;
}

static void expect_no_way_back(const struct hist_view *now, const struct hist_view *before)
{
    EXPECT(now->count >= before->count);
    EXPECT(now->sum_ns >= before->sum_ns);
    EXPECT(now->min_ns <= before->min_ns);
    EXPECT(now->max_ns >= before->max_ns);
    EXPECT(now->over >= before->over);
    EXPECT(now->unplaced >= before->unplaced);
    for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
        EXPECT(now->buckets[i] >= before->buckets[i]);
    }
}

/* What the writer has recorded, found again without the histogram's pages. */
static void expect_exact(const struct hist_view *view, const struct race *race)
{
    static struct hist_view expected;
    uint64_t placed = 0, expected_placed = 0;
    struct rng rng;

    memset(&expected, 0, sizeof(expected));
    expected.min_ns = UINT64_MAX;
    rng_init(&rng, race->seed);
    for (uint64_t i = 0; i < RECORDS; i++) {
        uint64_t value_ns = value_at(&rng, i);

        expected.sum_ns += value_ns;
        expected.min_ns = min_u64(expected.min_ns, value_ns);
        expected.max_ns = max_u64(expected.max_ns, value_ns);
        expected.buckets[hist_bucket_of(value_ns)]++;
    }
    EXPECT(view->count == RECORDS);
    EXPECT(view->sum_ns == expected.sum_ns);
    EXPECT(view->min_ns == expected.min_ns);
    EXPECT(view->max_ns == expected.max_ns);
    for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
        bool has_page = race->hist.pages[i / HIST_PAGE_BUCKETS] != 0;

        EXPECT(view->buckets[i] == (has_page ? expected.buckets[i] : 0));
        placed += view->buckets[i];
        expected_placed += expected.buckets[i];
    }
    EXPECT(expected_placed == RECORDS);
    EXPECT(view->unplaced == RECORDS - placed);
}

static void race_run(uint32_t pages_count, uint64_t seed)
{
    static struct race race;
    static struct hist_view views[2];
    struct arena arena;
    pthread_t writer;
    uint32_t turn = 0;
    bool done = false;

    memset(&race, 0, sizeof(race));
    race.seed = seed;
    arena_init(&arena, 0);
    EXPECT(hist_slab_init(&race.slab, &arena, pages_count));
    hist_init(&race.hist, &race.slab);
    hist_view_clear(&views[1]);
    EXPECT(pthread_create(&writer, NULL, record_all, &race) == 0);
    while (!done) {
        done = load_acquire(&race.done);
        hist_view_clear(&views[turn]);
        hist_view_add(&views[turn], &race.hist);
        expect_no_way_back(&views[turn], &views[1 - turn]);
        turn = 1 - turn;
    }
    EXPECT(pthread_join(writer, NULL) == 0);
    expect_exact(&views[1 - turn], &race); /* The last one was taken after `done`. */
    arena_release(&arena);
}

static void test_hist_snapshots_only_grow_and_end_exact(void)
{
    race_run(HIST_PAGES, 1);
}

static void test_hist_snapshots_only_grow_when_the_slab_runs_out(void)
{
    race_run(PAGES, 2);
}

int main(void)
{
    TEST(test_hist_snapshots_only_grow_and_end_exact);
    TEST(test_hist_snapshots_only_grow_when_the_slab_runs_out);
    return 0;
}
