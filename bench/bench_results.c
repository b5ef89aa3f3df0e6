/* What a bucket of a results file costs with 1,000 tag groups, whose latencies fill a few hundred
 * buckets of their histograms each: the coordinator, who makes the lines, and the thread that
 * compresses the histograms and writes, which this waits for besides. */
#include "bench/bench.h"
#include "core/base/arena.h"
#include "core/base/rng.h"
#include "core/results.h"

enum { GROUPS = 1000, VALUES = 2000 };

struct state {
    struct bucket bucket;
    struct bucket_group groups[GROUPS];
    struct results *results;
};

static void run_lines(void *state, uint64_t iterations)
{
    const struct state *s = state;

    for (uint64_t i = 0; i < iterations; i++) {
        struct results_lines *lines = results_lines_new(RESULTS_BUCKET);

        CHECK(lines != NULL);
        results_pelt_bucket(lines, &s->bucket);
        CHECK(!lines->text.failed);
        results_lines_free(lines);
    }
}

static void run_file(void *state, uint64_t iterations)
{
    const struct state *s = state;
    struct results_options options = {
        .test_path = "bench", .name = "/dev/null", .bucket_size_ns = NS_PER_S};

    for (uint64_t i = 0; i < iterations; i++) {
        struct results *results = NULL;
        struct bucket_sink sink;
        struct err_info why;

        CHECK(results_open(&results, &options, &why) == ERR_OK);
        sink = results_sink(results);
        sink.bucket(sink.self, &s->bucket);
        CHECK(results_end(results, NULL, &why) == ERR_OK);
        results_free(results);
    }
}

/* Latencies around a millisecond, most of them within an octave. */
static void fill(struct hist *hist)
{
    struct rng rng;

    rng_init(&rng, 1);
    for (int i = 0; i < VALUES; i++) {
        hist_record(hist, 700000 + rng_below(&rng, 300000) + rng_below(&rng, 600000));
    }
}

int main(void)
{
    static const struct group_tag tags[] = {{"_id", "0", 3, 1}};
    struct hist_view *view;
    struct hist_slab slab;
    struct arena arena;
    struct state *s;
    struct hist *hist;

    arena_init(&arena, 0);
    s = arena_alloc(&arena, sizeof(*s), CACHE_LINE);
    hist = arena_alloc(&arena, sizeof(*hist), CACHE_LINE);
    view = arena_alloc(&arena, sizeof(*view), CACHE_LINE);
    CHECK(s != NULL && hist != NULL && view != NULL);
    CHECK(hist_slab_init(&slab, &arena, HIST_PAGES));
    hist_init(hist, &slab);
    fill(hist);
    hist_view_clear(view);
    hist_view_add(view, hist);
    for (uint32_t i = 0; i < GROUPS; i++) {
        s->groups[i] = (struct bucket_group){.index = i, .tags = tags, .tags_count = 1};
        s->groups[i].bucket = (struct bucket_figures){
            .ok = VALUES, .status[200] = VALUES, .from_due = view, .from_sent = view};
    }
    s->bucket = (struct bucket){.groups = s->groups, .groups_count = GROUPS};
    bench_run("results_lines_of_1000_groups", run_lines, s, 0);
    bench_run("results_file_of_1000_groups", run_file, s, 0);
    arena_release(&arena);
    return 0;
}
