/* What packs of histograms promise: a view comes back as it went in, whatever it held; what a pack
 * does not need others use; and where there is no memory nothing is lost but where it was. */
#include "core/base/hist_pack.h"

#include <string.h>

#include "core/base/rng.h"
#include "tests/test.h"

static struct hist_view view, back;

static void put(uint64_t value_ns, uint64_t count)
{
    uint32_t bucket = hist_bucket_of(value_ns), page = bucket / HIST_PAGE_BUCKETS;

    view.page_mask[page / 64] |= UINT64_C(1) << page % 64;
    view.buckets[bucket] += count;
    view.count += count;
    view.sum_ns += value_ns * count;
    view.min_ns = min_u64(view.min_ns, value_ns);
    view.max_ns = max_u64(view.max_ns, value_ns);
}

static void expect_same(void)
{
    EXPECT(back.count == view.count && back.sum_ns == view.sum_ns);
    EXPECT(back.min_ns == view.min_ns && back.max_ns == view.max_ns);
    EXPECT(back.over == view.over && back.unplaced == view.unplaced);
    EXPECT(memcmp(back.buckets, view.buckets, sizeof(view.buckets)) == 0);
}

static void test_hist_pack_gives_back_what_it_was_set_to(void)
{
    static const uint64_t values_ns[] = {
        0, 1, 31, 32, 2047, 2048, 100000, NS_PER_S, (UINT64_C(1) << HIST_VALUE_BITS) - 1};
    static const uint64_t counts[] = {1, 127, 128, 16383, 16384, UINT64_C(1) << 35, UINT64_MAX / 2};
    struct hist_pack pack = {0};
    struct hist_packs packs;
    struct arena arena;

    arena_init(&arena, 0);
    hist_packs_init(&packs, &arena);
    hist_view_clear(&view);
    hist_pack_get(&pack, &back);
    expect_same();
    for (size_t i = 0; i < COUNT(values_ns); i++) {
        for (size_t n = 0; n < COUNT(counts); n++) {
            hist_view_clear(&view);
            put(values_ns[i], counts[n]);
            view.over = i;
            view.unplaced = n;
            hist_pack_set(&packs, &pack, &view);
            hist_pack_get(&pack, &back);
            expect_same();
        }
    }
    hist_view_clear(&view);
    hist_pack_set(&packs, &pack, &view);
    hist_pack_get(&pack, &back);
    expect_same();
    arena_release(&arena);
}

static void test_hist_pack_of_views_of_any_size(void)
{
    struct hist_pack several[8] = {0};
    struct hist_packs packs;
    struct arena arena;
    struct rng rng;

    arena_init(&arena, 0);
    hist_packs_init(&packs, &arena);
    rng_init(&rng, 7);
    for (int round = 0; round < 200; round++) {
        struct hist_pack *pack = &several[rng_below(&rng, COUNT(several))];
        uint64_t values = rng_below(&rng, UINT64_C(1) << rng_below(&rng, 14));

        hist_view_clear(&view);
        for (uint64_t i = 0; i < values; i++) {
            put(rng_below(&rng, UINT64_C(1) << (1 + rng_below(&rng, HIST_VALUE_BITS))),
                1 + rng_below(&rng, UINT64_C(1) << rng_below(&rng, 30)));
        }
        hist_pack_set(&packs, pack, &view);
        hist_pack_get(pack, &back);
        expect_same();
    }
    /* All that was taken is in a pack or free: to set them again takes no more. */
    for (size_t i = 0; i < COUNT(several); i++) {
        hist_pack_get(&several[i], &view);
        hist_pack_set(&packs, &several[i], &view);
        hist_pack_get(&several[i], &back);
        expect_same();
    }
    arena_release(&arena);
}

static void test_hist_pack_without_memory_counts_what_has_no_place(void)
{
    struct hist_pack first = {0}, second = {0};
    struct hist_packs packs;
    struct arena arena;
    uint64_t placed = 0;

    arena_init(&arena, 70000); /* For one portion of chunks. */
    hist_packs_init(&packs, &arena);
    hist_view_clear(&view);
    for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
        put(hist_bucket_low_ns(i), 3);
    }
    hist_pack_set(&packs, &first, &view);
    hist_pack_get(&first, &back);
    for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
        EXPECT(back.buckets[i] == 3 || back.buckets[i] == 0);
        placed += back.buckets[i];
    }
    EXPECT(placed > 0 && back.unplaced > 0 && placed + back.unplaced == view.count);
    EXPECT(back.count == view.count && back.max_ns == view.max_ns);
    hist_pack_set(&packs, &second, &view);
    hist_pack_get(&second, &back);
    EXPECT(back.unplaced == view.count);
    /* What the first gives back the second can have. */
    hist_view_clear(&view);
    hist_pack_set(&packs, &first, &view);
    put(5, 1);
    hist_pack_set(&packs, &second, &view);
    hist_pack_get(&second, &back);
    expect_same();
    arena_release(&arena);
}

int main(void)
{
    TEST(test_hist_pack_gives_back_what_it_was_set_to);
    TEST(test_hist_pack_of_views_of_any_size);
    TEST(test_hist_pack_without_memory_counts_what_has_no_place);
    return 0;
}
