/* What diagnostics promise: order, the line and the mark below it, JSON, bounds. */
#include <string.h>

#include "config/diag.h"
#include "tests/test.h"

static void begin(struct arena *arena, struct diags *diags, const char *text)
{
    struct source source = source_of_text("dir/t.yaml", text, strlen(text));

    arena_init(arena, 0);
    diags_init(diags, arena);
    EXPECT(diags_add_source(diags, &source) == 0);
}

static struct place place(uint32_t line, uint32_t column, uint16_t width)
{
    return (struct place){.line = line, .column = column, .width = width};
}

static void expect_human(struct arena *arena, struct diags *diags, const char *wanted)
{
    struct text out;

    text_init(&out, arena);
    diags_human(diags, &out);
    if (strcmp(out.data, wanted) != 0) (void)fprintf(stderr, "%s", out.data);
    EXPECT(strcmp(out.data, wanted) == 0);
}

static void test_diag_shows_line_and_mark_in_the_order_of_the_file(void)
{
    struct arena arena;
    struct diags diags;

    begin(&arena, &diags, "first: 1\n\tsecond: '\xC3\xA4' x\nthird\n");
    diag_error(&diags, place(3, 1, 5), "late");
    diag_warn(&diags, place(2, 2, 6), "unknown key '%s'", "second");
    diag_did_you_mean(&diags, "seconds");
    diag_error(&diags, place(2, 14, 9), "wide");
    diag_error(&diags, place(0, 0, 0), "of the whole");
    diag_did_you_mean(&diags, NULL);
    diags_sort(&diags);
    expect_human(&arena, &diags,
                 "dir/t.yaml: error: of the whole\n"
                 "dir/t.yaml:2:2: warning: unknown key 'second'; did you mean 'seconds'?\n"
                 "    2 | \tsecond: '\xC3\xA4' x\n"
                 "      | \t^~~~~~\n"
                 "dir/t.yaml:2:14: error: wide\n"
                 "    2 | \tsecond: '\xC3\xA4' x\n"
                 "      | \t            ^\n"
                 "dir/t.yaml:3:1: error: late\n"
                 "    3 | third\n"
                 "      | ^~~~~\n");
    EXPECT(diags.errors == 3 && diags.warnings == 1);
    arena_release(&arena);
}

static void test_diag_cuts_long_lines_around_the_place(void)
{
    char line[400], wanted[600];
    struct arena arena;
    struct diags diags;

    memset(line, 'x', sizeof(line));
    line[399] = '\0';
    line[200] = '!';
    begin(&arena, &diags, line);
    diag_error(&diags, place(1, 201, 1), "here");
    (void)snprintf(wanted, sizeof(wanted),
                   "dir/t.yaml:1:201: error: here\n    1 | ...%.100s...\n      |    %*s^\n",
                   line + 170, 30, "");
    expect_human(&arena, &diags, wanted);
    arena_release(&arena);
}

static void test_diag_lets_no_control_character_through(void)
{
    struct arena arena;
    struct diags diags;

    begin(&arena, &diags, "a\x1b[31m\x7f\n");
    diag_error(&diags, place(1, 3, 1), "a\nb\x1b%s", "\x7f");
    expect_human(&arena, &diags, "dir/t.yaml:1:3: error: a?b??\n    1 | a?[31m?\n      |   ^\n");
    arena_release(&arena);
}

static void test_diag_keeps_once_what_is_said_twice(void)
{
    struct arena arena;
    struct diags diags;

    begin(&arena, &diags, "a\n");
    for (int i = 0; i < 3; i++) {
        diag_error(&diags, place(1, 1, 1), "same");
        diag_warn(&diags, place(1, 1, 1), "same");
    }
    diag_error(&diags, place(1, 1, 1), "other");
    diags_sort(&diags);
    EXPECT(diags.count == 3 && diags.errors == 2 && diags.warnings == 1);
    arena_release(&arena);
}

static void test_diag_counts_what_it_does_not_show(void)
{
    struct arena arena;
    struct diags diags;
    struct text out;

    begin(&arena, &diags, "a\n");
    for (int i = 0; i < DIAGS_MAX + 50; i++) {
        diag_error(&diags, place(1, 1, 1), "number %d", i);
    }
    diag_did_you_mean(&diags, "never added");
    diags_sort(&diags);
    EXPECT(diags.count == DIAGS_MAX && diags.errors == DIAGS_MAX + 50);
    text_init(&out, &arena);
    diags_human(&diags, &out);
    EXPECT(strstr(out.data, "\n... and 1850 more\n") != NULL);
    EXPECT(strstr(out.data, "never added") == NULL);
    arena_release(&arena);
}

static void test_diag_writes_json_lines(void)
{
    struct arena arena;
    struct diags diags;
    struct text out;

    begin(&arena, &diags, "a\n");
    diag_error(&diags, place(1, 2, 1), "a \"quoted\" word");
    diag_warn(&diags, place(0, 0, 0), "whole");
    text_init(&out, &arena);
    diags_json(&diags, &out);
    EXPECT(strcmp(out.data,
                  "{\"level\":\"error\",\"file\":\"dir/t.yaml\",\"line\":1,\"column\":2,"
                  "\"message\":\"a \\\"quoted\\\" word\"}\n"
                  "{\"level\":\"warning\",\"file\":\"dir/t.yaml\",\"message\":\"whole\"}\n") == 0);
    arena_release(&arena);
}

static void test_diag_marks_refused_memory(void)
{
    struct arena arena;
    struct diags diags;
    struct source source = source_of_text("t", "a", 1);

    arena_init(&arena, 1);
    diags_init(&diags, &arena);
    EXPECT(diags_add_source(&diags, &source) == 0 && diags.failed);
    diags_init(&diags, &arena);
    diag_error(&diags, place(0, 0, 0), "lost");
    EXPECT(diags.failed && diags.errors == 1 && diags.count == 0);
    diags_sort(&diags);
    arena_release(&arena);
}

/* Long messages end with dots, never in the middle of a character. */
static void test_diag_cuts_long_messages(void)
{
    char word[1000];
    struct arena arena;
    struct diags diags;
    size_t len;

    for (size_t i = 0; i + 1 < sizeof(word); i += 2) {
        memcpy(word + i, "\xC3\xA4", 2);
    }
    word[999] = '\0';
    word[998] = '\0';
    begin(&arena, &diags, "a\n");
    for (int i = 0; i < 2; i++) {
        diag_error(&diags, place(1, 1, 1), "%s%s", i == 0 ? "" : "x", word);
        len = strlen(diags.list[i].message);
        EXPECT(strcmp(diags.list[i].message + len - 3, "...") == 0);
        EXPECT(((len - 3) % 2 == 0) == (i == 0));
    }
    arena_release(&arena);
}

int main(void)
{
    TEST(test_diag_shows_line_and_mark_in_the_order_of_the_file);
    TEST(test_diag_cuts_long_lines_around_the_place);
    TEST(test_diag_lets_no_control_character_through);
    TEST(test_diag_keeps_once_what_is_said_twice);
    TEST(test_diag_counts_what_it_does_not_show);
    TEST(test_diag_writes_json_lines);
    TEST(test_diag_marks_refused_memory);
    TEST(test_diag_cuts_long_messages);
    return 0;
}
