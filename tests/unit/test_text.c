/* What a text promises: it holds what was written, or is marked and holds the writes before. */
#include "core/base/text.h"

#include <string.h>

#include "core/base/rng.h"
#include "tests/aborts.h"
#include "tests/test.h"

static void test_text_holds_what_was_written(void)
{
    struct arena arena;
    struct text text;

    arena_init(&arena, 0);
    text_init(&text, &arena);
    EXPECT(text.data == NULL);
    EXPECT(text.len == 0);
    text_add(&text, NULL, 0);
    EXPECT(strcmp(text.data, "") == 0);
    text_add_str(&text, "a");
    text_add_str(&text, "");
    text_add(&text, "bcd", 2);
    text_printf(&text, "%d-%s", 42, "x");
    text_printf(&text, "%s", "");
    EXPECT(strcmp(text.data, "abc42-x") == 0);
    EXPECT(text.len == 7);
    text_add(&text, "\0y", 2);
    EXPECT(text.len == 9);
    EXPECT(memcmp(text.data, "abc42-x\0y", 10) == 0);
    EXPECT(!text.failed);
    arena_release(&arena);
}

/* Grows through many sizes in all three ways and is compared with a plain array. */
static void test_text_grows_at_every_size(void)
{
    enum { MODEL_MAX = 300000, PIECE_MAX = 700 };
    static char model[MODEL_MAX + PIECE_MAX];
    struct arena arena;
    struct text text;
    struct rng rng;
    size_t len = 0;

    arena_init(&arena, 0);
    text_init(&text, &arena);
    rng_init(&rng, 9);
    while (len < MODEL_MAX) {
        char piece[PIECE_MAX + 1];
        size_t piece_len = rng_below(&rng, rng_below(&rng, 8) == 0 ? PIECE_MAX : 20);

        memset(piece, 'a' + (int)rng_below(&rng, 26), piece_len);
        piece[piece_len] = '\0';
        switch (rng_below(&rng, 3)) {
        case 0: text_add(&text, piece, piece_len); break;
        case 1: text_add_str(&text, piece); break;
        default: text_printf(&text, "%s", piece); break;
        }
        memcpy(model + len, piece, piece_len + 1);
        len += piece_len;
        EXPECT(text.len == len);
        EXPECT(text.len < text.capacity);
        EXPECT(text.data[len] == '\0');
    }
    EXPECT(memcmp(text.data, model, len + 1) == 0);
    EXPECT(arena.bytes_used < 5 * len);
    arena_release(&arena);
}

static void test_text_printf_fits_exactly_or_grows(void)
{
    for (int len = 250; len < 260; len++) {
        struct arena arena;
        struct text text;

        arena_init(&arena, 0);
        text_init(&text, &arena);
        text_printf(&text, "%*d", len, 7);
        EXPECT(text.len == (size_t)len);
        EXPECT(text.data[len - 1] == '7');
        EXPECT(text.data[len] == '\0');
        arena_release(&arena);
    }
}

static void test_text_can_add_itself(void)
{
    struct arena arena;
    struct text text;

    arena_init(&arena, 0);
    text_init(&text, &arena);
    text_add_str(&text, "0123456789");
    for (int i = 0; i < 10; i++) {
        text_add(&text, text.data, text.len);
    }
    EXPECT(text.len == 10240);
    EXPECT(memcmp(text.data + 10230, "0123456789", 11) == 0);
    arena_release(&arena);
}

/* A line longer than the first capacity is refused in text_printf's second half. */
static void write_lines(struct text *text, size_t *ret_lens, size_t lines_count)
{
    for (size_t i = 0; i < lines_count; i++) {
        if (i % 2 == 0) {
            text_add(text, "0123456789", 10);
        } else {
            text_printf(text, "%*d\n", 300, (int)i);
        }
        ret_lens[i] = text->len;
    }
}

static void test_text_in_every_arena_size_is_whole_or_marked(void)
{
    enum { LINES = 8 };
    const size_t whole = (size_t)LINES / 2 * (10 + 301);
    size_t bytes_max = 1;
    bool complete = false;

    for (; !complete; bytes_max++) {
        size_t lens[LINES];
        struct arena arena;
        struct text text;

        EXPECT(bytes_max < 100000);
        arena_init(&arena, bytes_max);
        text_init(&text, &arena);
        write_lines(&text, lens, LINES);
        complete = !text.failed;
        EXPECT(!complete || text.len == whole);
        EXPECT(text.data == NULL || text.data[text.len] == '\0');
        EXPECT(text.data == NULL || strlen(text.data) == text.len);
        for (size_t i = 1; i < LINES && !complete; i++) {
            /* After the first refusal nothing is added, even if it would fit. */
            EXPECT(lens[i] != lens[i - 1] || lens[i] == lens[LINES - 1]);
        }
        arena_release(&arena);
    }
    EXPECT(bytes_max > whole);
}

static void test_text_marks_a_length_that_overflows(void)
{
    struct arena arena;
    struct text text;

    arena_init(&arena, 0);
    text_init(&text, &arena);
    text_add_str(&text, "kept");
    text_add(&text, "x", SIZE_MAX);
    EXPECT(text.failed);
    text_add_str(&text, "dropped");
    text_printf(&text, "%d", 1);
    EXPECT(strcmp(text.data, "kept") == 0);
    arena_release(&arena);
}

static void add_null(void)
{
    struct arena arena;
    struct text text;

    arena_init(&arena, 0);
    text_init(&text, &arena);
    text_add_str(&text, NULL);
}

static void test_text_misuse_aborts(void)
{
    EXPECT(aborts(add_null));
}

int main(void)
{
    TEST(test_text_holds_what_was_written);
    TEST(test_text_grows_at_every_size);
    TEST(test_text_printf_fits_exactly_or_grows);
    TEST(test_text_can_add_itself);
    TEST(test_text_in_every_arena_size_is_whole_or_marked);
    TEST(test_text_marks_a_length_that_overflows);
    TEST(test_text_misuse_aborts);
    return 0;
}
