/* What a histogram record costs: into one bucket, and into buckets spread over all that a load
 * test sees, 1 us to 1 s, where the memory of the buckets is what is paid for. */
#include "bench/bench.h"
#include "core/base/arena.h"
#include "core/base/hist.h"
#include "core/base/rng.h"

enum { VALUES = 4096 };

struct hist_state {
    struct hist hist;
    uint64_t values_ns[VALUES];
};

static void run_record(void *state, uint64_t iterations)
{
    struct hist_state *hist = state;

    for (uint64_t i = 0; i < iterations; i++) {
        hist_record(&hist->hist, hist->values_ns[i % VALUES]);
        bench_keep(i);
    }
}

/* Every octave from 2^10 to 2^30 ns is as likely, and every value inside it. */
static void fill_spread(uint64_t values_ns[static VALUES])
{
    struct rng rng;

    rng_init(&rng, 1);
    for (size_t i = 0; i < VALUES; i++) {
        uint64_t octave_ns = UINT64_C(1) << (10 + rng_below(&rng, 20));

        values_ns[i] = octave_ns + rng_below(&rng, octave_ns);
    }
}

int main(void)
{
    struct arena arena;
    struct hist_slab slab;
    struct hist_state *state;

    arena_init(&arena, 0);
    state = arena_alloc(&arena, sizeof(*state), CACHE_LINE);
    CHECK(state != NULL);
    CHECK(hist_slab_init(&slab, &arena, HIST_PAGES));
    hist_init(&state->hist, &slab);

    for (size_t i = 0; i < VALUES; i++) {
        state->values_ns[i] = 194600;
    }
    bench_run("hist_record_one_bucket", run_record, state, 0);
    fill_spread(state->values_ns);
    bench_run("hist_record_spread", run_record, state, 0);
    arena_release(&arena);
    return 0;
}
