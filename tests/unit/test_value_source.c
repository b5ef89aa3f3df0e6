/* What sources promise: every value once in the order of the file, or in a random one; the shares
 * of several workers make up the whole; and i64's ends are as good as any number. */
#include "core/value_source.h"

#include "tests/test.h"

static struct arena arena;
static struct blocks blocks;

static struct provider provider_of(bool unique)
{
    struct provider_options options = {.name = "p", .limit = 3, .unique = unique};
    struct provider provider;

    EXPECT(provider_init(&provider, &blocks, &options));
    return provider;
}

/* Takes the next value; false when there is none. */
static bool next(struct provider *provider, int64_t *ret_number)
{
    struct provider_item *item;

    provider_fill(provider);
    item = provider_take(provider);
    if (item == NULL) return false;
    *ret_number = item->value.integer;
    provider_item_free(&blocks, item);
    return true;
}

static void test_source_of_a_list_gives_it_once_or_again_and_again(void)
{
    struct value values[4];
    struct value_source_options options = {.workers = 1};

    for (int i = 0; i < 4; i++) {
        values[i] = value_int(10 * i);
    }
    for (int repeat = 0; repeat < 2; repeat++) {
        struct provider provider = provider_of(false);
        struct value_source source;
        int64_t number = 0;

        options.repeat = repeat;
        value_source_init_list(&source, values, 4, &options);
        provider.source = value_source_of(&source);
        for (int i = 0; i < 4 || (repeat && i < 103); i++) {
            EXPECT(next(&provider, &number));
            EXPECT(number == 10 * (i % 4));
        }
        EXPECT(next(&provider, &number) == repeat);
        EXPECT(value_source_is_ended(&source) == !repeat);
    }
}

static void test_source_of_a_range_ends_where_it_should(void)
{
    static const struct {
        int64_t start, end, step;
        uint64_t count;
        int64_t last;
    } rows[] = {
        {0, 0, 1, 1, 0},
        {0, 9, 1, 10, 9},
        {0, 9, 4, 3, 8},
        {5, 4, 1, 0, 0},
        {-3, 3, 3, 3, 3},
        {3, -3, -2, 4, -3},
        {3, 4, -1, 0, 0},
        {INT64_MAX, INT64_MAX, 1, 1, INT64_MAX},
        {INT64_MAX - 2, INT64_MAX, 2, 2, INT64_MAX},
        {INT64_MIN, INT64_MIN + 1, 1, 2, INT64_MIN + 1},
        {INT64_MIN, INT64_MAX, INT64_MAX, 3, INT64_MAX - 1},
        {INT64_MAX, INT64_MIN, INT64_MIN, 2, -1},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct value_source_options options = {.workers = 1};
        struct provider provider = provider_of(false);
        struct value_source source;
        int64_t number = 0;
        uint64_t count = 0;

        value_source_init_range(&source, rows[i].start, rows[i].end, rows[i].step, &options);
        provider.source = value_source_of(&source);
        EXPECT(source.count == rows[i].count);
        while (next(&provider, &number)) {
            if (count == 0) EXPECT(number == rows[i].start);
            count++;
        }
        EXPECT(count == rows[i].count);
        EXPECT(count == 0 || number == rows[i].last);
    }
}

static void test_source_of_all_numbers_goes_on(void)
{
    struct value_source_options options = {.workers = 1};
    struct provider provider = provider_of(false);
    struct value_source source;
    int64_t number = 0;

    value_source_init_range(&source, INT64_MIN, INT64_MAX, 1, &options);
    provider.source = value_source_of(&source);
    for (int64_t i = 0; i < 1000; i++) {
        EXPECT(next(&provider, &number) && number == INT64_MIN + i);
    }
}

static void test_source_shares_make_up_the_whole(void)
{
    enum { VALUES = 1000, WORKERS = 3 };

    for (int random = 0; random < 2; random++) {
        bool seen[VALUES] = {false};

        for (uint32_t w = 0; w < WORKERS; w++) {
            struct value_source_options options = {
                .random = random, .seed = 5, .index = w, .workers = WORKERS};
            struct provider provider = provider_of(false);
            struct value_source source;
            int64_t number = 0;

            value_source_init_range(&source, 0, VALUES - 1, 1, &options);
            provider.source = value_source_of(&source);
            while (next(&provider, &number)) {
                EXPECT(!seen[number]);
                EXPECT(random || number % WORKERS == w);
                seen[number] = true;
            }
        }
        for (int i = 0; i < VALUES; i++) {
            EXPECT(seen[i]);
        }
    }
}

static void test_source_that_draws_has_all_values_about_as_often(void)
{
    struct value_source_options options = {.repeat = true, .random = true, .workers = 1};
    struct provider provider = provider_of(false);
    struct value_source source;
    uint32_t counts[10] = {0};

    value_source_init_range(&source, 0, 9, 1, &options);
    provider.source = value_source_of(&source);
    for (int i = 0; i < 10000; i++) {
        int64_t number = 0;

        EXPECT(next(&provider, &number));
        counts[number]++;
    }
    for (int i = 0; i < 10; i++) {
        EXPECT(counts[i] > 850 && counts[i] < 1150); /* Five standard deviations; a fixed seed. */
    }
}

static void test_source_whose_values_are_all_in_a_unique_queue_waits(void)
{
    struct value_source_options options = {.repeat = true, .workers = 1};
    struct provider provider = provider_of(true);
    struct value values[2] = {value_int(1), value_int(2)};
    struct value_source source;
    int64_t number = 0;

    value_source_init_list(&source, values, 2, &options);
    provider.source = value_source_of(&source);
    provider_fill(&provider); /* Room for three, but there are only two values. */
    EXPECT(provider.len == 2);
    for (int i = 0; i < 100; i++) {
        EXPECT(next(&provider, &number));
    }
    EXPECT(!value_source_is_ended(&source));
}

static void test_source_without_values_is_ended(void)
{
    struct value_source_options options = {.repeat = true, .random = true, .workers = 1};
    struct provider provider = provider_of(false);
    struct value_source source;
    int64_t number = 0;

    value_source_init_list(&source, NULL, 0, &options);
    provider.source = value_source_of(&source);
    EXPECT(!next(&provider, &number) && value_source_is_ended(&source));
}

int main(void)
{
    EXPECT(blocks_init(&blocks, &arena, 16 << 20));
    TEST(test_source_of_a_list_gives_it_once_or_again_and_again);
    TEST(test_source_of_a_range_ends_where_it_should);
    TEST(test_source_of_all_numbers_goes_on);
    TEST(test_source_shares_make_up_the_whole);
    TEST(test_source_that_draws_has_all_values_about_as_often);
    TEST(test_source_whose_values_are_all_in_a_unique_queue_waits);
    TEST(test_source_without_values_is_ended);
    arena_release(&arena);
    return 0;
}
