/* What a shuffle promises: every number once, an order of its own for every seed, and no place that
 * a number prefers. */
#include "core/base/shuffle.h"

#include "tests/test.h"

enum { COUNT_MAX = 5000 };

static void test_shuffle_has_every_number_once(void)
{
    static const uint64_t counts[] = {1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 255, 1000, 4096, 5000};

    for (size_t c = 0; c < COUNT(counts); c++) {
        for (uint64_t seed = 0; seed < 20; seed++) {
            struct shuffle shuffle;
            bool seen[COUNT_MAX] = {false};

            shuffle_init(&shuffle, counts[c], seed);
            for (uint64_t i = 0; i < counts[c]; i++) {
                uint64_t number = shuffle_at(&shuffle, i);

                EXPECT(number < counts[c]);
                EXPECT(!seen[number]);
                seen[number] = true;
            }
        }
    }
}

static void test_shuffle_of_equal_seeds_is_equal_and_of_others_is_not(void)
{
    struct shuffle a, b, c;
    int same = 0;

    shuffle_init(&a, 1000, 1);
    shuffle_init(&b, 1000, 1);
    shuffle_init(&c, 1000, 2);
    for (uint64_t i = 0; i < 1000; i++) {
        EXPECT(shuffle_at(&a, i) == shuffle_at(&b, i));
        same += shuffle_at(&a, i) == shuffle_at(&c, i);
    }
    EXPECT(same < 20);
}

/* Over 20,000 seeds each of 8 numbers is first about 2,500 times: chi-square with 7 degrees of
 * freedom stays below 24.3 in 999 of 1,000 draws; the seeds are fixed, so this one always does. */
static void test_shuffle_prefers_no_number(void)
{
    enum { SEEDS = 20000, NUMBERS = 8 };
    uint32_t counts[NUMBERS] = {0};
    double chi = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct shuffle shuffle;

        shuffle_init(&shuffle, NUMBERS, seed);
        counts[shuffle_at(&shuffle, 0)]++;
    }
    for (int i = 0; i < NUMBERS; i++) {
        double off = (double)counts[i] - (double)SEEDS / NUMBERS;

        chi += off * off / ((double)SEEDS / NUMBERS);
    }
    EXPECT(chi < 24.3);
}

static void test_shuffle_serves_the_largest_counts(void)
{
    struct shuffle shuffle;

    shuffle_init(&shuffle, UINT64_C(1) << 62, 7);
    EXPECT(shuffle_at(&shuffle, 0) < UINT64_C(1) << 62);
    shuffle_init(&shuffle, (UINT64_C(1) << 61) + 1, 7);
    EXPECT(shuffle_at(&shuffle, UINT64_C(1) << 61) <= UINT64_C(1) << 61);
}

int main(void)
{
    TEST(test_shuffle_has_every_number_once);
    TEST(test_shuffle_of_equal_seeds_is_equal_and_of_others_is_not);
    TEST(test_shuffle_prefers_no_number);
    TEST(test_shuffle_serves_the_largest_counts);
    return 0;
}
