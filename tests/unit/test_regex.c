/* What regular expressions promise: what RE2 has and nothing more, bounds on time and memory,
 * safety on any bytes. */
#include "config/regex.h"

#include <string.h>

#include "tests/guard.h"
#include "tests/test.h"

static _Alignas(16) char memory[512 * 1024];

static const struct {
    const char *pattern;
    const char *message; /* NULL: fine. */
} guarded[] = {
    {"", NULL},
    {"abc.*+?", "possessive quantifiers are not supported"},
    {"a*b+c?d{2}e{2,}f{2,3}g*?h+?i??j{2}?", NULL},
    {"a++", "possessive quantifiers are not supported"},
    {"a?+", "possessive quantifiers are not supported"},
    {"a{2}+", "possessive quantifiers are not supported"},
    {"a}+", NULL},
    {"\\x{41}+\\p{L}+\\pN+", NULL},
    {"(a)(?:b)(?P<n>c)(?<m>d)(?i)(?i:e)(?-s)(?ms-i:f)(?U)", NULL},
    {"(?=a)", "look-around is not supported"},
    {"(?!a)", "look-around is not supported"},
    {"(?<=a)", "look-around is not supported"},
    {"(?<!a)", "look-around is not supported"},
    {"(?>a)", "this kind of group is not supported"},
    {"(?|a)", "this kind of group is not supported"},
    {"(?#a)", "this kind of group is not supported"},
    {"(?R)", "this kind of group is not supported"},
    {"(?1)", "this kind of group is not supported"},
    {"(?&n)", "this kind of group is not supported"},
    {"(?P=n)", "this kind of group is not supported"},
    {"(?P>n)", "this kind of group is not supported"},
    {"(?(1)a)", "this kind of group is not supported"},
    {"(?x)a # (?=", "this kind of group is not supported"},
    {"(?'n'a)", "this kind of group is not supported"},
    {"(?", "this kind of group is not supported"},
    {"(*UCP)a", "verbs are not supported"},
    {"(*ACCEPT)", "verbs are not supported"},
    {"(a)\\1", "back references are not supported"},
    {"(a)\\k<n>", "this escape is not supported"},
    {"\\g1", "this escape is not supported"},
    {"\\K", "this escape is not supported"},
    {"\\G", "this escape is not supported"},
    {"\\C", "this escape is not supported"},
    {"\\R", "this escape is not supported"},
    {"\\X", "this escape is not supported"},
    {"\\Z", "this escape is not supported"},
    {"a\\", "the pattern ends with a backslash"},
    {"[a", "a ']' is missing"},
    {"[]a]", NULL},
    {"[^]a(?=]", NULL},
    {"[(?=]", NULL},
    {"[[:alpha:](?=]", NULL},
    {"[[:alpha(?=]", NULL},
    {"[\\]\\d(?=]", NULL},
    {"[\\1]", "back references are not supported"},
    {"\\Q(?=\\1\\E(a)", NULL},
    {"\\Q(?=", NULL},
    {"\\((?=a)", "look-around is not supported"},
    {"\\.\\*\\-\\/\\_", NULL},
    {"\\d\\D\\w\\W\\s\\S\\b\\B\\A\\z\\n\\r\\t\\f\\v\\a\\x41\\0", NULL},
    {"{1}", NULL},
    {"a{,3}", NULL},
};

static void test_regex_guard(void)
{
    for (size_t i = 0; i < COUNT(guarded); i++) {
        struct regex_error error = {.message = ""};
        bool good = regex_guard(guarded[i].pattern, strlen(guarded[i].pattern), &error);

        if (good != (guarded[i].message == NULL)) (void)fprintf(stderr, "%s\n", guarded[i].pattern);
        EXPECT(good == (guarded[i].message == NULL));
        if (!good) EXPECT(strcmp(error.message, guarded[i].message) == 0);
        EXPECT(error.offset <= strlen(guarded[i].pattern));
    }
    {
        struct regex_error error;

        EXPECT(!regex_guard("a\0b", 3, &error));
    }
}

static void test_regex_guard_reads_no_further(void)
{
    static const char pattern[] = "(?P<n>[[:alpha:]\\]]+)\\Qa\\E\\x{41}{2,3}?(?i:b)";
    struct guard guard = guard_open(4096);

    for (size_t len = 0; len < sizeof(pattern); len++) {
        struct regex_error error;
        const char *at = guard_place(&guard, GUARD_ABOVE, pattern, len);

        (void)!regex_guard(at, len, &error);
        at = guard_place(&guard, GUARD_BELOW, pattern, len);
        (void)!regex_guard(at, len, &error);
    }
    guard_close(&guard);
}

static void test_regex_compile_tells_what_is_wrong(void)
{
    static char many[REGEX_BYTES_MAX + 2];
    struct regex_error error;
    struct arena arena;

    arena_init(&arena, 0);
    EXPECT(regex_compile(&arena, "(a", 2, false, &error) == NULL);
    EXPECT(error.offset == 2);
    EXPECT(strcmp(error.message, "missing closing parenthesis") == 0);
    EXPECT(regex_compile(&arena, "a{65536}", 8, false, &error) == NULL);
    memset(many, 'a', sizeof(many));
    EXPECT(regex_compile(&arena, many, REGEX_BYTES_MAX, false, &error) != NULL);
    EXPECT(regex_compile(&arena, many, REGEX_BYTES_MAX + 1, false, &error) == NULL);
    for (size_t i = 0; i <= REGEX_GROUPS_MAX; i++) {
        memcpy(many + 3 * i, "(a)", 3);
    }
    EXPECT(regex_compile(&arena, many, (size_t)3 * REGEX_GROUPS_MAX, false, &error) != NULL);
    EXPECT(regex_compile(&arena, many, (size_t)3 * (REGEX_GROUPS_MAX + 1), false, &error) == NULL);
    EXPECT(strcmp(error.message, "a pattern has at most 100 groups") == 0);
    arena_release(&arena);
}

static enum regex_result test(const char *pattern, const char *text, size_t len, bool whole,
                              size_t scratch_bytes)
{
    const struct regex *regex;
    struct regex_error error;
    struct scratch scratch;
    enum regex_result result;
    struct arena arena;

    arena_init(&arena, 0);
    regex = regex_compile(&arena, pattern, strlen(pattern), whole, &error);
    EXPECT(regex != NULL);
    scratch_init(&scratch, memory, scratch_bytes);
    result = regex_test(regex, text, len, &scratch);
    EXPECT(scratch.at == scratch.begin);
    EXPECT(scratch.top == scratch.end);
    arena_release(&arena);
    return result;
}

static void test_regex_finds(void)
{
    static const struct {
        const char *pattern, *text;
        bool whole;
        enum regex_result result;
    } rows[] = {
        {"b", "abc", false, REGEX_FOUND},
        {"b", "abc", true, REGEX_NONE},
        {"a.c", "abc", true, REGEX_FOUND},
        {"a|ab", "ab", true, REGEX_FOUND},
        {"\xc3\xb6", "J\xc3\xb6rg", false, REGEX_FOUND},
        {"^.$", "\xc3\xb6", false, REGEX_FOUND},
        {"^.$", "\xff", false, REGEX_NONE},
        {"a",
         "\xff\xfe"
         "a",
         false, REGEX_FOUND},
        {"\\d", "\xd9\xa3", false, REGEX_NONE},
        {"^a$", "a\n", false, REGEX_NONE},
        {"(?m)^b$", "a\nb\nc", false, REGEX_FOUND},
        {"", "", true, REGEX_FOUND},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        EXPECT(test(rows[i].pattern, rows[i].text, strlen(rows[i].text), rows[i].whole,
                    sizeof(memory)) == rows[i].result);
    }
}

static void test_regex_is_bounded(void)
{
    static char text[100 * 1024];
    enum regex_result result;

    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = 'y';
    result = test("(a+)+x?z|(a|a)*b", text, 40, false, sizeof(memory));
    EXPECT(result == REGEX_LIMIT || result == REGEX_NONE);
    result = test("((a|b|[a-z])*)*[0-9]?x", text, sizeof(text), false, sizeof(memory));
    EXPECT(result == REGEX_LIMIT || result == REGEX_FULL || result == REGEX_NONE);
    EXPECT(test("(a?){40}a{40}[xy]", text, 60, false, sizeof(memory)) != REGEX_FOUND);
    EXPECT(test("a", text, sizeof(text), false, 0) == REGEX_FULL);
    EXPECT(test("a", text, sizeof(text), false, 128) == REGEX_FULL);
}

static void test_regex_survives_any_arena(void)
{
    static const char pattern[] = "(?P<name>a+)(b)|[c-e]{2,9}";
    bool done = false;

    for (size_t bytes = 1; bytes < 64 * 1024 && !done; bytes += 16) {
        struct regex_error error;
        struct arena arena;

        arena_init(&arena, bytes);
        done = regex_compile(&arena, pattern, strlen(pattern), false, &error) != NULL;
        arena_release(&arena);
    }
    EXPECT(done);
}

int main(void)
{
    TEST(test_regex_guard);
    TEST(test_regex_guard_reads_no_further);
    TEST(test_regex_compile_tells_what_is_wrong);
    TEST(test_regex_finds);
    TEST(test_regex_is_bounded);
    TEST(test_regex_survives_any_arena);
    return 0;
}
