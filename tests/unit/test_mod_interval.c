/* What scale functions promise: totals and moments that are exact, against a slow reference that
 * shares nothing with them but the definition. */
#include "core/mod_interval.h"

#include "core/base/rng.h"
#include "tests/aborts.h"
#include "tests/test.h"

enum { STAGES_MAX = 8 };
#define S NS_PER_S
#define M (60 * NS_PER_S)
#define H (3600 * NS_PER_S)

static struct arena arena;

static struct mod_interval made(const struct plan_stage *stages, uint32_t count)
{
    struct mod_interval mod;

    EXPECT(mod_interval_init(&mod, &arena, stages, count));
    return mod;
}

static void test_mod_interval_counts_the_hits_of_all_segments_as_one(void)
{
    static const struct {
        const char *name;
        struct plan_stage stages[STAGES_MAX];
        uint32_t count;
        uint64_t hits;
    } rows[] = {
        {"nothing", {{0}}, 0, 0},
        {"no length", {{0, 5, 5}}, 1, 0},
        {"a ramp", {{30 * S, 0, 12}}, 1, 180},
        {"the same downwards", {{30 * S, 12, 0}}, 1, 180},
        {"one a minute", {{M, 1 / 60.0, 1 / 60.0}}, 1, 1},
        {"one a minute, a nanosecond short", {{M - 1, 1 / 60.0, 1 / 60.0}}, 1, 0},
        {"one an hour", {{H, 1 / 3600.0, 1 / 3600.0}}, 1, 1},
        {"a tenth", {{10 * S, 0.1, 0.1}}, 1, 1},
        {"a thousandth", {{1000 * S, 0.001, 0.001}}, 1, 1},
        {"zero", {{H, 0, 0}}, 1, 0},
        {"thirds are carried",
         {{S, 1 / 3.0, 1 / 3.0}, {S, 1 / 3.0, 1 / 3.0}, {S, 1 / 3.0, 1 / 3.0}},
         3,
         1},
        {"halves over a gap", {{S / 2, 1, 1}, {7 * S, 0, 0}, {S / 2, 1, 1}}, 3, 1},
        {"up, hold, down", {{30 * S, 0, 50e3}, {M, 50e3, 50e3}, {10 * S, 50e3, 0}}, 3, 4000000},
        {"a jump", {{S, 10, 10}, {0, 10, 99}, {S, 99, 99}}, 3, 109},
        {"a day of the most", {{24 * H, 1e8, 1e8}}, 1, UINT64_C(8640000000000)},
        {"a century of the most",
         {{PLAN_STAGES_NS_MAX, 1e8, 1e8}},
         1,
         UINT64_C(315576000000000000)},
        {"a century, upwards", {{PLAN_STAGES_NS_MAX, 0, 1e8}}, 1, UINT64_C(157788000000000000)},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct mod_interval mod = made(rows[i].stages, rows[i].count);

        printf("%s\n", rows[i].name);
        EXPECT(mod_interval_hits(&mod) == rows[i].hits);
        EXPECT(mod_interval_amount_at(&mod, mod_interval_end_ns(&mod)) == mod_interval_total(&mod));
    }
}

/* Moments worked out by hand, or with fractions of any size. */
static void test_mod_interval_knows_the_moment_of_a_hit(void)
{
    static const struct {
        const char *name;
        struct plan_stage stages[STAGES_MAX];
        uint32_t count;
        uint64_t hit, at_ns;
    } rows[] = {
        {"the first", {{10 * S, 10, 10}}, 1, 1, S / 10},
        {"the last is at the end", {{10 * S, 10, 10}}, 1, 100, 10 * S},
        {"a third is rounded up", {{10 * S, 3, 3}}, 1, 1, 333333334},
        {"two thirds too", {{10 * S, 3, 3}}, 1, 2, 666666667},
        {"one a minute", {{M, 1 / 60.0, 1 / 60.0}}, 1, 1, M},
        {"a ramp: 180 x^2 = 180", {{30 * S, 0, 12}}, 1, 180, 30 * S},
        {"a ramp: its quarter in half the time", {{30 * S, 0, 12}}, 1, 45, 15 * S},
        {"a ramp: 5 s / sqrt 5", {{30 * S, 0, 12}}, 1, 1, 2236067978},
        {"downwards", {{30 * S, 12, 0}}, 1, 135, 15 * S},
        {"downwards, at the end", {{30 * S, 12, 0}}, 1, 180, 30 * S},
        {"downwards, the one before", {{30 * S, 12, 0}}, 1, 179, 27763932023},
        {"at the end of a segment, not after the gap", {{S, 1, 1}, {H, 0, 0}, {S, 1, 1}}, 3, 1, S},
        {"after the gap", {{S, 1, 1}, {H, 0, 0}, {S, 1, 1}}, 3, 2, H + 2 * S},
        {"half before, half after", {{S / 2, 1, 1}, {H, 0, 0}, {S, 1, 1}}, 3, 1, H + S},
        {"after a jump", {{S, 1, 1}, {0, 1, 100}, {S, 100, 100}}, 3, 2, S + S / 100},
        {"a ramp of a day", {{24 * H, 0, 1e6}}, 1, 1, 415692194},
        {"far into it", {{24 * H, 0, 1e6}}, 1, UINT64_C(43199999999), 86399999999000},
        {"a century's first", {{PLAN_STAGES_NS_MAX, 1, 1e8}}, 1, 1, 984638980},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct mod_interval mod = made(rows[i].stages, rows[i].count);
        uint64_t at_ns = mod_interval_time_of(&mod, (mod_amount)rows[i].hit * MOD_HIT);

        printf("%s: %llu\n", rows[i].name, (unsigned long long)at_ns);
        EXPECT(at_ns == rows[i].at_ns);
        EXPECT(mod_interval_amount_at(&mod, at_ns) / MOD_HIT >= rows[i].hit);
        EXPECT(mod_interval_amount_at(&mod, at_ns - 1) / MOD_HIT < rows[i].hit);
    }
}

/* The reference: rates are whole numbers of hits per second over whole seconds, so that R times
 * 2 * length * 1e9, with the lengths in ns, is an integer below 2^127: no rounding at all. */
static bool reached(const struct plan_stage *stage, uint64_t hits_before_x2, uint64_t hit,
                    uint64_t t)
{
    __extension__ typedef __int128 i128;
    i128 from = (i128)stage->from_per_s, to = (i128)stage->to_per_s;
    i128 length = (i128)stage->length_ns;
    /* 2 L 1e9 (R - n) */
    i128 r = 2 * from * (i128)t * length + (to - from) * (i128)t * (i128)t;

    return r >= (2 * (i128)hit - (i128)hits_before_x2) * (i128)S * length;
}

/* Walks through all hits of the stages, or the first `most`; a moment is right if R has reached
 * the hit there and had not a nanosecond before. */
static void expect_exact(const struct plan_stage *stages, uint32_t count, uint64_t most)
{
    struct mod_interval mod = made(stages, count);
    struct mod_cursor cursor = {.mod = &mod};
    uint64_t hits = mod_interval_hits(&mod), start_ns = 0, before_x2 = 0, last_ns = 0;
    uint32_t at = 0;

    for (uint64_t hit = 1; hit <= hits && hit <= most; hit++) {
        uint64_t t = mod_cursor_time_of(&cursor, (mod_amount)hit * MOD_HIT);

        EXPECT(t >= last_ns);
        last_ns = t;
        while (stages[at].length_ns == 0 ||
               !reached(&stages[at], before_x2, hit, stages[at].length_ns)) {
            before_x2 += (uint64_t)(stages[at].from_per_s + stages[at].to_per_s) *
                         (stages[at].length_ns / S);
            start_ns += stages[at++].length_ns;
            EXPECT(at < count);
        }
        EXPECT(t > start_ns && t <= start_ns + stages[at].length_ns);
        EXPECT(reached(&stages[at], before_x2, hit, t - start_ns));
        EXPECT(!reached(&stages[at], before_x2, hit, t - start_ns - 1));
        if (hit % 1000 == 0) {
            EXPECT(mod_interval_time_of(&mod, (mod_amount)hit * MOD_HIT) == t);
        }
    }
}

static void test_mod_interval_is_exact_over_a_million_hits(void)
{
    static const struct {
        const char *name;
        struct plan_stage stages[STAGES_MAX];
        uint32_t count;
    } rows[] = {
        {"constant", {{20 * S, 50021, 50021}}, 1},
        {"constant and slow", {{3000 * S, 333, 333}}, 1},
        {"up", {{40 * S, 0, 50003}}, 1},
        {"up from a rate", {{20 * S, 1009, 99991}}, 1},
        {"hardly up", {{11 * S, 99990, 99991}}, 1},
        {"down", {{40 * S, 50003, 0}}, 1},
        {"down to a rate", {{20 * S, 99991, 1009}}, 1},
        {"hardly down", {{11 * S, 99991, 99990}}, 1},
        {"steep", {{1 * S, 0, 2000003}}, 1},
        {"all of them",
         {{10 * S, 0, 50003},
          {7 * S, 50003, 50003},
          {0, 50003, 0},
          {5 * S, 0, 0},
          {1 * S, 70001, 70001},
          {3 * S, 0, 1},
          {20 * S, 99991, 17},
          {9 * S, 17, 1234}},
         8},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct mod_interval mod = made(rows[i].stages, rows[i].count);

        printf("%s: %llu hits\n", rows[i].name, (unsigned long long)mod_interval_hits(&mod));
        EXPECT(mod_interval_hits(&mod) > 990000);
        expect_exact(rows[i].stages, rows[i].count, UINT64_MAX);
    }
}

static void test_mod_interval_is_exact_for_any_segments(void)
{
    struct rng rng;

    rng_init(&rng, 20240817);
    for (int round = 0; round < 3000; round++) {
        struct plan_stage stages[STAGES_MAX] = {{0}};
        uint32_t count = 1 + (uint32_t)rng_below(&rng, STAGES_MAX);

        for (uint32_t i = 0; i < count; i++) {
            uint64_t most = UINT64_C(1) << rng_below(&rng, 21);

            stages[i].length_ns = rng_below(&rng, 100) * S;
            stages[i].from_per_s = (double)rng_below(&rng, most);
            stages[i].to_per_s = (double)rng_below(&rng, most);
            if (rng_below(&rng, 4) == 0) stages[i].to_per_s = stages[i].from_per_s;
        }
        expect_exact(stages, count, 300);
    }
}

/* Both directions agree wherever they are asked, hits or not, at lengths and rates that the
 * reference above cannot hold. */
static void test_mod_interval_inverts_itself_at_any_scale(void)
{
    struct rng rng;

    rng_init(&rng, 7);
    for (int round = 0; round < 20000; round++) {
        struct plan_stage stages[2];
        struct mod_interval mod;
        mod_amount total;

        for (int i = 0; i < 2; i++) {
            double scale = (double)(UINT64_C(1) << rng_below(&rng, 27));

            stages[i].length_ns = 1 + (rng_next(&rng) >> (4 + rng_below(&rng, 60)));
            stages[i].from_per_s = rng_double(&rng) * scale;
            stages[i].to_per_s = rng_below(&rng, 3) == 0 ? 0 : rng_double(&rng) * scale;
        }
        mod = made(stages, 2);
        total = mod_interval_total(&mod);
        for (int i = 0; i < 20 && total > 0; i++) {
            mod_amount amount = 1 + ((mod_amount)rng_next(&rng) << 64 | rng_next(&rng)) % total;
            uint64_t t = mod_interval_time_of(&mod, i == 0 ? total : amount);

            if (i == 0) amount = total;
            EXPECT(t > 0);
            EXPECT(t <= mod_interval_end_ns(&mod));
            EXPECT(mod_interval_amount_at(&mod, t) >= amount);
            EXPECT(mod_interval_amount_at(&mod, t - 1) < amount);
        }
    }
}

static void test_mod_interval_means_what_was_asked(void)
{
    static const struct plan_stage stages[] = {{10 * S, 0, 100}, {10 * S, 100, 100}};
    static const struct {
        uint64_t from_ns, to_ns;
        double per_s;
    } rows[] = {
        {0, 20 * S, 75},   {0, 10 * S, 50},   {10 * S, 20 * S, 100}, {0, 5 * S, 25},
        {5 * S, 5 * S, 0}, {6 * S, 5 * S, 0}, {0, 30 * S, 50},
    };
    struct mod_interval mod = made(stages, 2);

    for (size_t i = 0; i < COUNT(rows); i++) {
        double per_s = mod_interval_mean_per_s(&mod, rows[i].from_ns, rows[i].to_ns);

        EXPECT(per_s > rows[i].per_s - 1e-9 && per_s < rows[i].per_s + 1e-9);
    }
}

static void make_with_rate(double per_s)
{
    struct plan_stage stage = {S, 0, per_s};
    struct mod_interval mod = made(&stage, 1);

    EXPECT(mod_interval_hits(&mod) == 0);
}

static void rate_too_high(void)
{
    make_with_rate(1.1e8);
}

static void rate_below_zero(void)
{
    make_with_rate(-1e-3);
}

static void not_a_number(void)
{
    make_with_rate(__builtin_nan(""));
}

static void beyond_the_total(void)
{
    struct plan_stage stage = {S, 1, 1};
    struct mod_interval mod = made(&stage, 1);

    EXPECT(mod_interval_time_of(&mod, mod_interval_total(&mod) + 1) == 0);
}

static void test_mod_interval_refuses_what_it_cannot_hold(void)
{
    struct mod_interval mod;
    struct arena small;

    EXPECT(aborts(rate_too_high));
    EXPECT(aborts(rate_below_zero));
    EXPECT(aborts(not_a_number));
    EXPECT(aborts(beyond_the_total));
    arena_init(&small, 64);
    EXPECT(!mod_interval_init(&mod, &small, &(struct plan_stage){S, 1, 1}, 1));
    arena_release(&small);
}

int main(void)
{
    arena_init(&arena, 0);
    TEST(test_mod_interval_counts_the_hits_of_all_segments_as_one);
    TEST(test_mod_interval_knows_the_moment_of_a_hit);
    TEST(test_mod_interval_is_exact_over_a_million_hits);
    TEST(test_mod_interval_is_exact_for_any_segments);
    TEST(test_mod_interval_inverts_itself_at_any_scale);
    TEST(test_mod_interval_means_what_was_asked);
    TEST(test_mod_interval_refuses_what_it_cannot_hold);
    arena_release(&arena);
    return 0;
}
