/* What a provider promises: first in, first out; a soft limit that grows as the test needs; lines
 * in which everybody gets his turn; and no value twice in a unique one. Held against a plain list
 * by thousands of random steps. */
#include "core/provider.h"

#include <string.h>

#include "core/base/rng.h"
#include "tests/test.h"

static struct arena arena;
static struct blocks blocks;

static struct provider provider_of(uint32_t limit, bool unique)
{
    struct provider_options options = {
        .name = "p", .limit = limit, .auto_start = 5, .unique = unique};
    struct provider provider;

    EXPECT(provider_init(&provider, &blocks, &options));
    return provider;
}

static enum provider_pushed push_int(struct provider *provider, int64_t number, bool force)
{
    struct value value = value_int(number);

    return provider_push(provider, &value, force);
}

static int64_t take_int(struct provider *provider)
{
    struct provider_item *item = provider_take(provider);
    int64_t number;

    EXPECT(item != NULL && item->value.kind == VALUE_INT);
    number = item->value.integer;
    provider_item_free(&blocks, item);
    return number;
}

static void test_provider_gives_in_the_order_it_got(void)
{
    struct provider provider = provider_of(3, false);

    EXPECT(provider_take(&provider) == NULL);
    EXPECT(push_int(&provider, 1, false) == PROVIDER_PUSHED);
    EXPECT(push_int(&provider, 2, false) == PROVIDER_PUSHED);
    EXPECT(push_int(&provider, 3, false) == PROVIDER_PUSHED);
    EXPECT(push_int(&provider, 4, false) == PROVIDER_FULL);
    EXPECT(push_int(&provider, 5, true) == PROVIDER_PUSHED);
    EXPECT(provider.len == 4 && provider.limit == 3);
    EXPECT(take_int(&provider) == 1);
    EXPECT(take_int(&provider) == 2);
    EXPECT(take_int(&provider) == 3);
    EXPECT(take_int(&provider) == 5);
    EXPECT(provider_take(&provider) == NULL);
    EXPECT(provider.pushed == 4 && provider.taken == 4);
}

static void test_provider_gets_back_what_was_not_used(void)
{
    struct provider provider = provider_of(2, false), unique = provider_of(2, true);
    struct provider_item *first, *second;

    EXPECT(push_int(&provider, 1, false) == PROVIDER_PUSHED);
    EXPECT(push_int(&provider, 2, false) == PROVIDER_PUSHED);
    first = provider_take(&provider);
    second = provider_take(&provider);
    EXPECT(push_int(&provider, 3, false) == PROVIDER_PUSHED);
    provider_put_back(&provider, second);
    provider_put_back(&provider, first); /* Whatever the limit. */
    EXPECT(provider.len == 3 && provider.taken == 0);
    EXPECT(take_int(&provider) == 1);
    EXPECT(take_int(&provider) == 2);
    EXPECT(take_int(&provider) == 3);
    EXPECT(push_int(&unique, 1, false) == PROVIDER_PUSHED);
    first = provider_take(&unique);
    provider_put_back(&unique, first);
    EXPECT(push_int(&unique, 1, false) == PROVIDER_SAME);
    first = provider_take(&unique);
    EXPECT(push_int(&unique, 1, false) == PROVIDER_PUSHED);
    provider_put_back(&unique, first);
    EXPECT(unique.len == 1 && unique.dropped == 2);
    EXPECT(take_int(&unique) == 1);
}

static void test_provider_asks_again_for_those_who_still_wait(void)
{
    struct provider provider = provider_of(2, false);
    struct provider_wait wait = {.next = NULL};

    provider_wait_value(&provider, &wait, 1);
    EXPECT(provider_take_demand(&provider));
    EXPECT(!provider_take_demand(&provider));
    provider_ask_again(&provider);
    provider_ask_again(&provider); /* There is but one who waits. */
    EXPECT(provider.demand == 1 && provider_take_demand(&provider));
    provider_wait_end(&wait);
    provider_ask_again(&provider);
    EXPECT(provider.demand == 0);
}

static void test_provider_that_is_auto_grows_when_it_was_full_and_is_found_empty(void)
{
    struct provider provider = provider_of(0, false), fixed = provider_of(2, false);

    EXPECT(provider.limit == 5);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < provider.limit; i++) {
            EXPECT(push_int(&provider, i, false) == PROVIDER_PUSHED);
        }
        EXPECT(push_int(&provider, 0, false) == PROVIDER_FULL);
        while (provider.len > 0) {
            (void)take_int(&provider);
        }
        EXPECT(provider.limit == 5 + round);
        EXPECT(provider_take(&provider) == NULL);
        EXPECT(provider.limit == 6 + round);
        EXPECT(provider_take(&provider) == NULL); /* Empty again, but it was not full. */
        EXPECT(provider.limit == 6 + round);
    }
    EXPECT(push_int(&fixed, 1, false) == PROVIDER_PUSHED);
    EXPECT(push_int(&fixed, 1, false) == PROVIDER_PUSHED);
    EXPECT(push_int(&fixed, 1, false) == PROVIDER_FULL);
    (void)take_int(&fixed);
    (void)take_int(&fixed);
    EXPECT(provider_take(&fixed) == NULL && fixed.limit == 2);
}

static void test_provider_that_is_unique_holds_no_value_twice(void)
{
    struct provider provider = provider_of(100000, true);
    struct value half = value_double(7.0);

    EXPECT(push_int(&provider, 7, false) == PROVIDER_PUSHED);
    EXPECT(push_int(&provider, 7, true) == PROVIDER_SAME);
    EXPECT(provider_push(&provider, &half, false) == PROVIDER_SAME); /* 7.0 equals 7. */
    EXPECT(take_int(&provider) == 7);
    EXPECT(push_int(&provider, 7, false) == PROVIDER_PUSHED);
    EXPECT(take_int(&provider) == 7);
    for (int64_t i = 0; i < 10000; i++) { /* More than there were buckets for. */
        EXPECT(push_int(&provider, i, false) == PROVIDER_PUSHED);
        EXPECT(push_int(&provider, i / 2, false) == PROVIDER_SAME);
    }
    EXPECT(provider.dropped == 10002);
    for (int64_t i = 0; i < 10000; i++) {
        EXPECT(take_int(&provider) == i);
    }
}

static void test_provider_takes_an_item_back_as_it_is(void)
{
    struct provider provider = provider_of(1, false);
    struct value text = value_str("a text");
    struct provider_item *item;

    EXPECT(provider_push(&provider, &text, false) == PROVIDER_PUSHED);
    item = provider_take(&provider);
    EXPECT(item != NULL && item->value.len == 6 && item->value.string != text.string);
    EXPECT(push_int(&provider, 1, false) == PROVIDER_PUSHED);
    EXPECT(provider_give(&provider, item, false) == PROVIDER_FULL);
    EXPECT(provider_give(&provider, item, true) == PROVIDER_PUSHED);
    EXPECT(take_int(&provider) == 1);
    EXPECT(provider_take(&provider) == item);
    EXPECT(memcmp(item->value.string, "a text", 6) == 0);
    provider_item_free(&blocks, item);
}

static void test_provider_lines_are_in_order_and_can_be_left(void)
{
    struct provider provider = provider_of(1, false);
    struct provider_wait waits[3] = {0};

    for (int i = 0; i < 3; i++) {
        provider_wait_value(&provider, &waits[i], 10 + (uint64_t)i);
    }
    EXPECT(provider.receivers.count == 3 && provider.demand == 3);
    EXPECT(provider_next_receiver(&provider) == NULL); /* There is no value. */
    EXPECT(push_int(&provider, 1, false) == PROVIDER_PUSHED);
    EXPECT(provider_next_receiver(&provider) == &waits[0]);
    provider_wait_end(&waits[1]);
    provider_wait_end(&waits[1]);
    provider_wait_end(&waits[0]);
    EXPECT(provider_next_receiver(&provider) == &waits[2]);
    EXPECT(waits[2].since_ns == 12);
    provider_wait_end(&waits[2]);
    EXPECT(provider_next_receiver(&provider) == NULL && provider.receivers.count == 0);
    EXPECT(provider_take_demand(&provider));
    provider_wait_room(&provider, &waits[0], 20);
    EXPECT(provider_next_sender(&provider) == NULL); /* There is no room. */
    EXPECT(take_int(&provider) == 1);
    EXPECT(provider_next_sender(&provider) == &waits[0]);
    provider_wait_end(&waits[0]);
    EXPECT(provider_take_demand(&provider) && provider_take_demand(&provider));
    EXPECT(!provider_take_demand(&provider));
}

static void test_provider_without_memory_drops_and_counts(void)
{
    struct blocks few;
    struct provider_options options = {.name = "p", .limit = 1000000};
    struct provider provider;
    struct provider_options unique = {.name = "p", .limit = 10, .unique = true};
    uint32_t pushed = 0;

    EXPECT(blocks_init(&few, &arena, 4096));
    EXPECT(provider_init(&provider, &few, &options));
    while (push_int(&provider, pushed, false) == PROVIDER_PUSHED) {
        pushed++;
    }
    EXPECT(pushed > 10 && provider.len == pushed && provider.no_memory == 1);
    EXPECT(push_int(&provider, 0, true) == PROVIDER_NO_MEMORY);
    provider_item_free(&few, provider_take(&provider));
    EXPECT(push_int(&provider, 0, true) == PROVIDER_PUSHED);
    EXPECT(blocks_init(&few, &arena, 16));
    EXPECT(!provider_init(&provider, &few, &unique));
}

/* A plain list of numbers beside the provider. */
struct model {
    int64_t values[4096];
    uint32_t len, limit;
    bool was_full;
};

static bool model_holds(const struct model *model, int64_t number)
{
    for (uint32_t i = 0; i < model->len; i++) {
        if (model->values[i] == number) return true;
    }
    return false;
}

static enum provider_pushed model_push(struct model *model, int64_t number, bool force, bool unique)
{
    if (unique && model_holds(model, number)) return PROVIDER_SAME;
    if (model->len >= model->limit && !force) return PROVIDER_FULL;
    model->values[model->len++] = number;
    model->was_full |= model->len >= model->limit;
    return PROVIDER_PUSHED;
}

static bool model_take(struct model *model, int64_t *ret_number)
{
    if (model->len == 0) {
        model->limit += model->was_full;
        model->was_full = false;
        return false;
    }
    *ret_number = model->values[0];
    model->len--;
    memmove(model->values, model->values + 1, model->len * sizeof(model->values[0]));
    return true;
}

static void run_model(uint64_t seed, bool unique)
{
    struct provider provider = provider_of(0, unique);
    struct model model = {.limit = 5};
    struct rng rng;

    rng_init(&rng, seed);
    for (int step = 0; step < 2000; step++) {
        int64_t number = (int64_t)rng_below(&rng, 30), expected = 0;

        if (rng_below(&rng, 2) == 0 && model.len < 4000) {
            bool force = rng_below(&rng, 8) == 0;

            EXPECT(push_int(&provider, number, force) == model_push(&model, number, force, unique));
        } else if (model_take(&model, &expected)) {
            EXPECT(take_int(&provider) == expected);
        } else {
            EXPECT(provider_take(&provider) == NULL);
        }
        EXPECT(provider.len == model.len && provider.limit == model.limit);
    }
    while (provider.len > 0) {
        (void)take_int(&provider);
    }
}

static void test_provider_is_as_a_plain_list(void)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        run_model(seed, false);
        run_model(seed, true);
    }
}

int main(void)
{
    EXPECT(blocks_init(&blocks, &arena, 64 << 20));
    TEST(test_provider_gives_in_the_order_it_got);
    TEST(test_provider_gets_back_what_was_not_used);
    TEST(test_provider_asks_again_for_those_who_still_wait);
    TEST(test_provider_that_is_auto_grows_when_it_was_full_and_is_found_empty);
    TEST(test_provider_that_is_unique_holds_no_value_twice);
    TEST(test_provider_takes_an_item_back_as_it_is);
    TEST(test_provider_lines_are_in_order_and_can_be_left);
    TEST(test_provider_without_memory_drops_and_counts);
    TEST(test_provider_is_as_a_plain_list);
    arena_release(&arena);
    return 0;
}
