/* What an arena promises: zeroed and aligned memory, a bound, a seal. */
#include "core/base/arena.h"

#include <string.h>

#include "tests/aborts.h"
#include "tests/test.h"

static bool is_zero(const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (data[i] != 0) return false;
    }
    return true;
}

static void test_arena_gives_zeroed_aligned_memory_that_does_not_overlap(void)
{
    static const size_t sizes[] = {0, 1, 7, 64, 4095, 65536, 1000000};
    struct arena arena;

    arena_init(&arena, 0);
    for (size_t align = 1; align <= 4096; align *= 2) {
        char *pieces[COUNT(sizes)];

        for (size_t i = 0; i < COUNT(sizes); i++) {
            pieces[i] = arena_alloc(&arena, sizes[i], align);
            EXPECT(pieces[i] != NULL);
            EXPECT((uintptr_t)pieces[i] % align == 0);
            EXPECT(is_zero(pieces[i], sizes[i]));
            memset(pieces[i], (int)i + 1, sizes[i]);
        }
        for (size_t i = 0; i < COUNT(sizes); i++) {
            EXPECT(sizes[i] == 0 || pieces[i][0] == (char)(i + 1));
            EXPECT(sizes[i] == 0 || pieces[i][sizes[i] - 1] == (char)(i + 1));
        }
    }
    arena_release(&arena);
}

static void test_arena_fills_a_chunk_to_its_last_byte(void)
{
    struct arena arena;
    char *first;
    size_t left;

    arena_init(&arena, 0);
    first = arena_alloc(&arena, 1, 1);
    EXPECT(first != NULL);
    left = (size_t)(arena.end - arena.at);
    EXPECT(arena_alloc(&arena, left, 1) == first + 1);
    EXPECT(arena.at == arena.end);
    EXPECT(arena_alloc(&arena, 0, 1) == arena.end);
    EXPECT(arena_alloc(&arena, 1, 1) != NULL);
    arena_release(&arena);
}

static void test_arena_keeps_its_bound(void)
{
    static const size_t bounds[] = {1, 64, 1000, 65535, 65536, 65537, 200000};

    for (size_t i = 0; i < COUNT(bounds); i++) {
        struct arena arena;
        size_t given = 0;

        arena_init(&arena, bounds[i]);
        EXPECT(arena_alloc(&arena, bounds[i] + 1, 1) == NULL);
        EXPECT(arena.bytes_used == 0);
        while (arena_alloc(&arena, 100, 4) != NULL) {
            given += 100;
        }
        EXPECT(given <= arena.bytes_used);
        EXPECT(arena.bytes_used <= bounds[i]);
        EXPECT(bounds[i] < 1000 || given > bounds[i] / 2); /* And makes use of it. */
        arena_release(&arena);
        EXPECT(arena.bytes_max == bounds[i]);
    }
}

static void test_arena_refuses_sizes_that_overflow(void)
{
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 4096, SIZE_MAX / 2};
    struct arena arena;

    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        EXPECT(arena_alloc(&arena, sizes[i], 1) == NULL);
        EXPECT(arena_alloc(&arena, sizes[i], 4096) == NULL);
    }
    EXPECT(arena_array(&arena, SIZE_MAX / 2, 3) == NULL);
    EXPECT(arena_array(&arena, 3, SIZE_MAX / 2) == NULL);
    EXPECT(arena_copy(&arena, "x", SIZE_MAX) == NULL);
    EXPECT(arena.bytes_used == 0);
    EXPECT(arena_alloc(&arena, 1, 1) != NULL);
    arena_release(&arena);
}

static void test_arena_array_starts_on_a_cache_line(void)
{
    struct arena arena;

    arena_init(&arena, 0);
    for (size_t i = 0; i < 10; i++) {
        char *array = arena_array(&arena, 3, i);

        EXPECT(array != NULL);
        EXPECT((uintptr_t)array % CACHE_LINE == 0);
        EXPECT(is_zero(array, 3 * i));
    }
    EXPECT(arena_array(&arena, 0, 8) != NULL);
    arena_release(&arena);
}

static void test_arena_copy_is_terminated_and_its_own(void)
{
    struct arena arena;
    char source[] = "a name\0and more";
    char *copy, *empty;

    arena_init(&arena, 0);
    copy = arena_copy(&arena, source, sizeof(source) - 1);
    empty = arena_copy(&arena, NULL, 0);
    EXPECT(copy != NULL);
    EXPECT(empty != NULL && empty[0] == '\0');
    memset(source, 'x', sizeof(source));
    EXPECT(memcmp(copy, "a name\0and more", sizeof(source)) == 0);
    arena_release(&arena);
}

/* A little of everything, as a caller at setup would: false at the first refusal. */
static bool build_something(struct arena *arena)
{
    uint64_t *array;
    char *name, *page;

    name = arena_copy(arena, "endpoint", 8);
    if (name == NULL) return false;
    array = arena_array(arena, 1000, sizeof(*array));
    if (array == NULL) return false;
    page = arena_alloc(arena, 70000, 4096);
    if (page == NULL) return false;
    array[999] = 1;
    page[69999] = 'x';
    return strcmp(name, "endpoint") == 0;
}

static void test_arena_of_every_size_refuses_or_serves_and_never_more(void)
{
    size_t bytes_max = 1; /* 0 would be no bound. */
    bool built = false;

    for (; !built; bytes_max += bytes_max < 9000 ? 1 : 97) {
        struct arena arena;

        EXPECT(bytes_max < 1000000);
        arena_init(&arena, bytes_max);
        built = build_something(&arena);
        EXPECT(arena.bytes_used <= bytes_max);
        arena_release(&arena);
    }
    EXPECT(bytes_max > 78000);
    EXPECT(bytes_max < 150000); /* What was asked for, and one chunk. */
}

static void test_arena_is_usable_after_release(void)
{
    struct arena arena = {0};

    arena_release(&arena);
    EXPECT(arena_alloc(&arena, 10, 1) != NULL);
    arena_seal(&arena);
    arena_release(&arena);
    EXPECT(!arena.sealed);
    EXPECT(arena.bytes_used == 0);
    EXPECT(arena_alloc(&arena, 10, 1) != NULL);
    arena_release(&arena);
}

static void alloc_when_sealed(void)
{
    struct arena arena;

    arena_init(&arena, 0);
    arena_seal(&arena);
    if (arena_alloc(&arena, 1, 1) == NULL) return;
}

static void copy_when_sealed(void)
{
    struct arena arena;

    arena_init(&arena, 0);
    if (arena_alloc(&arena, 1, 1) == NULL) return;
    arena_seal(&arena);
    if (arena_copy(&arena, "x", 1) == NULL) return;
}

static void seal_twice(void)
{
    struct arena arena;

    arena_init(&arena, 0);
    arena_seal(&arena);
    arena_seal(&arena);
}

static void alloc_with_align(size_t align)
{
    struct arena arena;

    arena_init(&arena, 0);
    if (arena_alloc(&arena, 1, align) == NULL) return;
}

static void align_0(void)
{
    alloc_with_align(0);
}

static void align_3(void)
{
    alloc_with_align(3);
}

static void align_8192(void)
{
    alloc_with_align(8192);
}

static void test_arena_misuse_aborts(void)
{
    EXPECT(aborts(alloc_when_sealed));
    EXPECT(aborts(copy_when_sealed));
    EXPECT(aborts(seal_twice));
    EXPECT(aborts(align_0));
    EXPECT(aborts(align_3));
    EXPECT(aborts(align_8192));
}

int main(void)
{
    TEST(test_arena_gives_zeroed_aligned_memory_that_does_not_overlap);
    TEST(test_arena_fills_a_chunk_to_its_last_byte);
    TEST(test_arena_keeps_its_bound);
    TEST(test_arena_refuses_sizes_that_overflow);
    TEST(test_arena_array_starts_on_a_cache_line);
    TEST(test_arena_copy_is_terminated_and_its_own);
    TEST(test_arena_of_every_size_refuses_or_serves_and_never_more);
    TEST(test_arena_is_usable_after_release);
    TEST(test_arena_misuse_aborts);
    return 0;
}
