/* What blocks promise: pieces of the size asked for that never overlap, served again once they are
 * back, and a refusal rather than anything else when the region is used up. */
#include "core/base/blocks.h"

#include <string.h>

#include "core/base/rng.h"
#include "tests/test.h"

static struct arena arena;

static struct blocks blocks_of(size_t bytes)
{
    struct blocks blocks;

    EXPECT(blocks_init(&blocks, &arena, bytes));
    return blocks;
}

static void test_blocks_are_at_most_a_quarter_larger_than_asked(void)
{
    for (size_t size = 0; size < 100000; size++) {
        struct blocks blocks = {0};
        static char region[200000] __attribute__((aligned(BLOCKS_ALIGN)));
        void *piece;

        blocks.at = region;
        blocks.end = region + sizeof(region);
        piece = blocks_alloc(&blocks, size);
        EXPECT(piece == region);
        EXPECT(blocks.bytes_used >= size && blocks.bytes_used >= BLOCKS_ALIGN);
        EXPECT(blocks.bytes_used <= size + size / 4 + BLOCKS_ALIGN);
        EXPECT(blocks.bytes_used % BLOCKS_ALIGN == 0);
        blocks_free(&blocks, piece, size);
        EXPECT(blocks.bytes_used == 0);
    }
}

static void test_blocks_never_overlap(void)
{
    enum { PIECES = 200, STEPS = 20000 };
    struct blocks blocks = blocks_of(4 << 20);
    unsigned char *pieces[PIECES] = {0};
    size_t sizes[PIECES] = {0};
    struct rng rng;

    rng_init(&rng, 1);
    for (int step = 0; step < STEPS; step++) {
        size_t i = rng_below(&rng, PIECES);

        if (pieces[i] != NULL) {
            for (size_t at = 0; at < sizes[i]; at++) {
                EXPECT(pieces[i][at] == (unsigned char)i);
            }
            blocks_free(&blocks, pieces[i], sizes[i]);
            pieces[i] = NULL;
            continue;
        }
        sizes[i] = rng_below(&rng, 1u << rng_below(&rng, 12));
        pieces[i] = blocks_alloc(&blocks, sizes[i]);
        EXPECT(pieces[i] != NULL);
        EXPECT((uintptr_t)pieces[i] % BLOCKS_ALIGN == 0);
        memset(pieces[i], (int)i, sizes[i]);
    }
}

static void test_blocks_that_came_back_are_served_again(void)
{
    struct blocks blocks = blocks_of(4096);

    for (int i = 0; i < 100000; i++) {
        void *piece = blocks_alloc(&blocks, 1000);

        EXPECT(piece != NULL);
        blocks_free(&blocks, piece, 1000);
    }
    EXPECT(blocks.bytes_used == 0);
}

static void test_blocks_refuse_when_used_up(void)
{
    struct blocks blocks = blocks_of(1024);
    void *first = blocks_alloc(&blocks, 640);

    EXPECT(first != NULL);
    EXPECT(blocks_alloc(&blocks, 640) == NULL);
    EXPECT(blocks_alloc(&blocks, BLOCKS_SIZE_MAX + 1) == NULL);
    EXPECT(blocks_alloc(&blocks, SIZE_MAX) == NULL);
    EXPECT(blocks_alloc(&blocks, 64) != NULL);
    blocks_free(&blocks, first, 640);
    EXPECT(blocks_alloc(&blocks, 640) == first);
    blocks_free(&blocks, NULL, 5);
}

static void test_blocks_of_an_arena_that_refuses_are_refused(void)
{
    struct arena small;
    struct blocks blocks;

    arena_init(&small, 4096);
    EXPECT(!blocks_init(&blocks, &small, 1 << 20));
    arena_release(&small);
}

int main(void)
{
    TEST(test_blocks_are_at_most_a_quarter_larger_than_asked);
    TEST(test_blocks_never_overlap);
    TEST(test_blocks_that_came_back_are_served_again);
    TEST(test_blocks_refuse_when_used_up);
    TEST(test_blocks_of_an_arena_that_refuses_are_refused);
    arena_release(&arena);
    return 0;
}
