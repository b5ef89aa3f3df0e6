/* What the generator promises: the published sequences, and no result favoured. */
#include "core/base/rng.h"

#include "tests/aborts.h"
#include "tests/test.h"

/* The first outputs of splitmix64 from seed 1234567, as published. */
static void test_rng_is_seeded_by_splitmix64(void)
{
    static const uint64_t expected[] = {
        UINT64_C(6457827717110365317),
        UINT64_C(3203168211198807973),
        UINT64_C(9817491932198370423),
        UINT64_C(4593380528125082431),
    };
    struct rng rng;

    rng_init(&rng, 1234567);
    for (size_t i = 0; i < COUNT(expected); i++) {
        EXPECT(rng.s[i] == expected[i]);
    }
}

/* The first outputs of xoshiro256** from state 1, 2, 3, 4, as published. */
static void test_rng_is_xoshiro256_starstar(void)
{
    static const uint64_t expected[] = {
        UINT64_C(11520),
        UINT64_C(0),
        UINT64_C(1509978240),
        UINT64_C(1215971899390074240),
        UINT64_C(1216172134540287360),
        UINT64_C(607988272756665600),
        UINT64_C(16172922978634559625),
        UINT64_C(8476171486693032832),
        UINT64_C(10595114339597558777),
        UINT64_C(2904607092377533576),
    };
    struct rng rng = {.s = {1, 2, 3, 4}};

    for (size_t i = 0; i < COUNT(expected); i++) {
        EXPECT(rng_next(&rng) == expected[i]);
    }
}

static void test_rng_of_equal_seeds_is_equal_and_of_others_is_not(void)
{
    static const uint64_t seeds[] = {0, 1, 2, UINT64_MAX};

    for (size_t i = 0; i < COUNT(seeds); i++) {
        struct rng a, b, other;
        int equal = 0;

        rng_init(&a, seeds[i]);
        rng_init(&b, seeds[i]);
        rng_init(&other, seeds[i] + 1);
        for (int n = 0; n < 1000; n++) {
            uint64_t value = rng_next(&a);

            EXPECT(value == rng_next(&b));
            equal += value == rng_next(&other);
        }
        EXPECT(equal == 0);
    }
}

static void test_rng_below_stays_below(void)
{
    static const uint64_t bounds[] = {
        1, 2, 3, 10, 1000, UINT64_C(1) << 32, (UINT64_C(1) << 63) + 1, UINT64_MAX,
    };
    struct rng rng;

    rng_init(&rng, 7);
    for (size_t i = 0; i < COUNT(bounds); i++) {
        for (int n = 0; n < 10000; n++) {
            EXPECT(rng_below(&rng, bounds[i]) < bounds[i]);
        }
    }
}

/* Chi-square over the cells of a fixed seed. The limit is some six standard deviations above
 * what is expected, so only a real fault reaches it, and the seed makes it repeatable. */
static void expect_uniform(const uint32_t *cells, uint32_t cells_count, uint32_t draws)
{
    double expected = (double)draws / cells_count, chi2 = 0;

    for (uint32_t i = 0; i < cells_count; i++) {
        chi2 += (cells[i] - expected) * (cells[i] - expected) / expected;
    }
    /* Variance of chi-square is twice its mean; n + 6 * sqrt(2n) <= 2n + 18 for all n. */
    EXPECT(chi2 < 2.0 * cells_count + 18);
    EXPECT(chi2 > 0);
}

static void test_rng_below_is_uniform(void)
{
    enum { CELLS_MAX = 1000, DRAWS = 400000 };
    static const uint32_t bounds[] = {2, 3, 6, 10, 100, 1000};
    static uint32_t cells[CELLS_MAX];

    for (size_t i = 0; i < COUNT(bounds); i++) {
        struct rng rng;

        rng_init(&rng, 42);
        for (uint32_t c = 0; c < CELLS_MAX; c++) {
            cells[c] = 0;
        }
        for (int n = 0; n < DRAWS; n++) {
            cells[rng_below(&rng, bounds[i])]++;
        }
        expect_uniform(cells, bounds[i], DRAWS);
    }
}

/* 3 * 2^62 is where a plain remainder would give the lower third twice its share, and a plain
 * multiplication the multiples of 3. */
static void test_rng_below_has_no_bias(void)
{
    enum { DRAWS = 300000 };
    const uint64_t third = UINT64_C(1) << 62;
    uint32_t thirds[3] = {0}, remainders[3] = {0};
    struct rng rng;

    rng_init(&rng, 43);
    for (int n = 0; n < DRAWS; n++) {
        uint64_t value = rng_below(&rng, 3 * third);

        thirds[value / third]++;
        remainders[value % 3]++;
    }
    expect_uniform(thirds, 3, DRAWS);
    expect_uniform(remainders, 3, DRAWS);
}

static void test_rng_double_is_uniform_in_0_to_1(void)
{
    enum { CELLS = 64, DRAWS = 640000 };
    uint32_t cells[CELLS] = {0};
    struct rng rng, top = {.s = {0, 0, 0, 0}};

    rng_init(&rng, 44);
    for (int n = 0; n < DRAWS; n++) {
        double value = rng_double(&rng);

        EXPECT(value >= 0 && value < 1);
        cells[(int)(value * CELLS)]++;
    }
    expect_uniform(cells, CELLS, DRAWS);
    EXPECT(!(rng_double(&top) > 0)); /* 64 zero bits are the lowest result. */
}

/* s[1] such that the output is 64 one bits: undo the * 9, the rotation and the * 5. */
static void test_rng_double_never_reaches_1(void)
{
    const uint64_t ninth = UINT64_C(0x8e38e38e38e38e39); /* 9 * ninth == 1 modulo 2^64. */
    const uint64_t fifth = UINT64_C(0xcccccccccccccccd); /* 5 * fifth == 1 modulo 2^64. */
    uint64_t x = UINT64_MAX * ninth;
    struct rng rng = {.s = {1, (x >> 7 | x << 57) * fifth, 3, 4}}, again = rng;

    EXPECT(rng_next(&rng) == UINT64_MAX);
    EXPECT(rng_double(&again) < 1);
    EXPECT(rng_double(&rng) >= 0);
}

static void below_0(void)
{
    struct rng rng;

    rng_init(&rng, 1);
    (void)rng_below(&rng, 0);
}

static void test_rng_below_0_aborts(void)
{
    EXPECT(aborts(below_0));
}

int main(void)
{
    TEST(test_rng_is_seeded_by_splitmix64);
    TEST(test_rng_is_xoshiro256_starstar);
    TEST(test_rng_of_equal_seeds_is_equal_and_of_others_is_not);
    TEST(test_rng_below_stays_below);
    TEST(test_rng_below_is_uniform);
    TEST(test_rng_below_has_no_bias);
    TEST(test_rng_double_is_uniform_in_0_to_1);
    TEST(test_rng_double_never_reaches_1);
    TEST(test_rng_below_0_aborts);
    return 0;
}
