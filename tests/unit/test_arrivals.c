/* What arrivals promise: workers together keep the schedule exactly, Poisson gaps are
 * exponential, and equal seeds give equal moments. */
#include "core/arrivals.h"

#include <math.h>

#include "tests/aborts.h"
#include "tests/test.h"

#define S NS_PER_S

static struct arena arena;

static struct mod_interval made(const struct plan_stage *stages, uint32_t count)
{
    struct mod_interval mod;

    EXPECT(mod_interval_init(&mod, &arena, stages, count));
    return mod;
}

static struct arrivals begun(const struct mod_interval *mod, enum plan_arrivals kind,
                             uint32_t workers, uint32_t index)
{
    struct arrivals arrivals;

    arrivals_init(
        &arrivals, mod,
        &(struct arrivals_options){.kind = kind, .workers = workers, .index = index, .seed = 42});
    return arrivals;
}

/* A sequence that is begun later is the rest of the whole one. */
static void test_arrivals_may_begin_in_the_middle(void)
{
    static const struct plan_stage stages[] = {
        {2 * S, 0, 503}, {S, 503, 503}, {S, 0, 0}, {3 * S, 77, 0}};
    static const uint64_t froms_ns[] = {1,     S,         S + 1,     2 * S, 3 * S,
                                        4 * S, 4 * S + 7, 7 * S - 1, 7 * S, 8 * S};
    struct mod_interval mod = made(stages, COUNT(stages));

    for (size_t i = 0; i < COUNT(froms_ns) * 4; i++) {
        uint64_t from_ns = froms_ns[i / 4];
        struct arrivals_options options = {
            .workers = 3, .index = i % 4 == 3 ? 0 : (uint32_t)(i % 4), .from_ns = from_ns};
        struct arrivals whole, rest;
        uint64_t at_ns;

        if (i % 4 == 3) options.workers = 1;
        whole = begun(&mod, PLAN_ARRIVALS_EVEN, options.workers, options.index);
        arrivals_init(&rest, &mod, &options);
        do {
            at_ns = arrivals_next(&whole);
        } while (at_ns <= from_ns);
        while (at_ns != TIME_NEVER) {
            EXPECT(arrivals_next(&rest) == at_ns);
            at_ns = arrivals_next(&whole);
        }
        EXPECT(arrivals_next(&rest) == TIME_NEVER);
        options.kind = PLAN_ARRIVALS_POISSON;
        arrivals_init(&rest, &mod, &options);
        EXPECT(arrivals_next(&rest) >= from_ns);
    }
}

/* The share of worker w is every W-th hit of the whole, from the w-th on. */
static void test_arrivals_are_shared_by_stride(void)
{
    static const struct plan_stage stages[] = {
        {2 * S, 0, 5003}, {S, 5003, 5003}, {S, 0, 0}, {3 * S, 777, 0}};
    static const uint32_t workers[] = {1, 2, 3, 7, 64, 1024};
    struct mod_interval mod = made(stages, COUNT(stages));
    uint64_t hits = mod_interval_hits(&mod);

    EXPECT(hits == 5003 + 5003 + 1165);
    for (size_t i = 0; i < COUNT(workers); i++) {
        uint64_t seen = 0;

        for (uint32_t w = 0; w < workers[i]; w++) {
            struct arrivals own = begun(&mod, PLAN_ARRIVALS_EVEN, workers[i], w);

            for (uint64_t hit = w + 1; hit <= hits; hit += workers[i]) {
                EXPECT(arrivals_next(&own) ==
                       mod_interval_time_of(&mod, (mod_amount)hit * MOD_HIT));
                seen++;
            }
            EXPECT(arrivals_next(&own) == TIME_NEVER);
            EXPECT(arrivals_next(&own) == TIME_NEVER);
        }
        EXPECT(seen == hits);
    }
}

static void test_arrivals_include_the_hit_at_the_very_end(void)
{
    static const struct plan_stage stage = {10 * S, 1, 1};
    struct mod_interval mod = made(&stage, 1);
    struct arrivals all = begun(&mod, PLAN_ARRIVALS_EVEN, 1, 0);

    for (uint64_t second = 1; second <= 10; second++) {
        EXPECT(arrivals_next(&all) == second * S);
    }
    EXPECT(arrivals_next(&all) == TIME_NEVER);
}

static void test_arrivals_of_nothing_are_none(void)
{
    static const struct {
        struct plan_stage stage;
        uint32_t count;
    } rows[] = {{{0}, 0}, {{10 * S, 0, 0}, 1}, {{0, 100, 100}, 1}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct mod_interval mod = made(&rows[i].stage, rows[i].count);
        struct arrivals even = begun(&mod, PLAN_ARRIVALS_EVEN, 1, 0);
        struct arrivals poisson = begun(&mod, PLAN_ARRIVALS_POISSON, 1, 0);

        for (int again = 0; again < 3; again++) {
            EXPECT(arrivals_next(&even) == TIME_NEVER);
            EXPECT(arrivals_next(&poisson) == TIME_NEVER);
        }
    }
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The largest distance between the distribution of `gaps` and the unit exponential's, times the
 * root of their number (Kolmogorov 1933): above 1.63 once in a hundred samples, above 1.95 once
 * in a thousand. Sorts `gaps`. */
static double distance_from_exponential(double *gaps, size_t count)
{
    double most = 0;

    qsort(gaps, count, sizeof(*gaps), by_size);
    for (size_t i = 0; i < count; i++) {
        double share = 1 - exp(-gaps[i]);
        double above = (double)(i + 1) / (double)count - share;
        double below = share - (double)i / (double)count;

        most = fmax(most, fmax(above, below));
    }
    return most * sqrt((double)count);
}

enum { GAPS = 100000 };

/* Gaps of a Poisson process of constant rate are exponential in time; those of any rate are in
 * the rate's integral. */
static void test_arrivals_of_poisson_have_exponential_gaps(void)
{
    static const struct {
        const char *name;
        struct plan_stage stages[3];
        uint32_t count, workers;
    } rows[] = {
        {"constant", {{1000 * S, 1e4, 1e4}}, 1, 1},
        {"a worker of four", {{1000 * S, 4e4, 4e4}}, 1, 4},
        {"up", {{10000 * S, 0, 1e3}}, 1, 1},
        {"down", {{10000 * S, 1e3, 0}}, 1, 1},
        {"with a gap", {{500 * S, 100, 100}, {50 * S, 0, 0}, {1000 * S, 1e3, 0}}, 3, 2},
    };
    static double gaps[GAPS];

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct mod_interval mod = made(rows[i].stages, rows[i].count);
        struct arrivals own =
            begun(&mod, PLAN_ARRIVALS_POISSON, rows[i].workers, rows[i].workers - 1);
        mod_amount last = 0;
        uint64_t last_ns = 0;
        size_t count = 0;
        double distance;

        while (count < GAPS) {
            uint64_t at_ns = arrivals_next(&own);
            mod_amount amount;

            if (at_ns == TIME_NEVER) break;
            EXPECT(at_ns >= last_ns);
            last_ns = at_ns;
            amount = mod_interval_amount_at(&mod, at_ns);
            gaps[count++] = (double)(amount - last) / (double)MOD_HIT / rows[i].workers;
            last = amount;
        }
        distance = distance_from_exponential(gaps, count);
        printf("%s: %zu gaps, %.3f\n", rows[i].name, count, distance);
        EXPECT(count > GAPS / 4);
        EXPECT(distance < 1.63);
    }
}

/* The test above can fail: even gaps are not exponential, nor are those of half the rate. */
static void test_arrivals_test_tells_other_distributions_apart(void)
{
    static double gaps[2][GAPS];
    struct rng rng;

    rng_init(&rng, 1);
    for (size_t i = 0; i < GAPS; i++) {
        gaps[0][i] = 1;
        gaps[1][i] = -1.02 * log1p(-rng_double(&rng));
    }
    EXPECT(distance_from_exponential(gaps[0], GAPS) > 100);
    EXPECT(distance_from_exponential(gaps[1], GAPS) > 1.95);
}

/* Counts of a Poisson process of mean m have variance m: within five standard deviations, over
 * seeds; and their own mean within five of its own. */
static void test_arrivals_of_poisson_come_as_often_as_asked(void)
{
    static const struct plan_stage stages[] = {{10 * S, 0, 200}, {10 * S, 200, 200}};
    enum { SEEDS = 1000, MEAN = 3000, WORKERS = 3 };
    struct mod_interval mod = made(stages, COUNT(stages));
    double sum = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        double count = 0;

        for (uint32_t w = 0; w < WORKERS; w++) {
            struct arrivals own;

            arrivals_init(
                &own, &mod,
                &(struct arrivals_options){
                    .kind = PLAN_ARRIVALS_POISSON, .workers = WORKERS, .index = w, .seed = seed});
            while (arrivals_next(&own) != TIME_NEVER) {
                count++;
            }
        }
        EXPECT(fabs(count - MEAN) < 5 * sqrt(MEAN));
        sum += count;
    }
    EXPECT(fabs(sum / SEEDS - MEAN) < 5 * sqrt((double)MEAN / SEEDS));
}

static void test_arrivals_of_equal_seeds_are_equal_and_of_others_are_not(void)
{
    static const struct plan_stage stage = {100 * S, 100, 300};
    struct mod_interval mod = made(&stage, 1);
    struct arrivals a = begun(&mod, PLAN_ARRIVALS_POISSON, 2, 1);
    struct arrivals b = begun(&mod, PLAN_ARRIVALS_POISSON, 2, 1);
    struct arrivals neighbour = begun(&mod, PLAN_ARRIVALS_POISSON, 2, 0), other;
    uint64_t same_neighbour = 0, same_other = 0;

    /* The next seed's worker 0 must not be this seed's worker 1. */
    arrivals_init(&other, &mod,
                  &(struct arrivals_options){
                      .kind = PLAN_ARRIVALS_POISSON, .workers = 2, .index = 0, .seed = 43});
    for (int i = 0; i < 5000; i++) {
        uint64_t at_ns = arrivals_next(&a);

        EXPECT(arrivals_next(&b) == at_ns);
        same_neighbour += arrivals_next(&neighbour) == at_ns;
        same_other += arrivals_next(&other) == at_ns;
    }
    EXPECT(same_neighbour < 5);
    EXPECT(same_other < 5);
}

static void share_of_no_worker(void)
{
    static const struct plan_stage stage = {S, 1, 1};
    struct mod_interval mod = made(&stage, 1);

    (void)begun(&mod, PLAN_ARRIVALS_EVEN, 2, 2);
}

static void test_arrivals_refuse_a_share_of_no_worker(void)
{
    EXPECT(aborts(share_of_no_worker));
}

int main(void)
{
    arena_init(&arena, 0);
    TEST(test_arrivals_are_shared_by_stride);
    TEST(test_arrivals_may_begin_in_the_middle);
    TEST(test_arrivals_include_the_hit_at_the_very_end);
    TEST(test_arrivals_of_nothing_are_none);
    TEST(test_arrivals_of_poisson_have_exponential_gaps);
    TEST(test_arrivals_test_tells_other_distributions_apart);
    TEST(test_arrivals_of_poisson_come_as_often_as_asked);
    TEST(test_arrivals_of_equal_seeds_are_equal_and_of_others_are_not);
    TEST(test_arrivals_refuse_a_share_of_no_worker);
    arena_release(&arena);
    return 0;
}
