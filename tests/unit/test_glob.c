/* What patterns with stars match. */
#include "core/base/glob.h"

#include <string.h>

#include "tests/test.h"

static void test_glob_stars_stand_for_anything(void)
{
    static const struct {
        const char *pattern, *text;
        bool matches;
    } rows[] = {
        {"", "", true},          {"", "a", false},         {"a", "", false},
        {"*", "", true},         {"*", "anything", true},  {"a*", "abc", true},
        {"*c", "abc", true},     {"a*c", "abbbc", true},   {"a*c", "ac", true},
        {"a*c", "acb", false},   {"*b*", "abc", true},     {"*b*", "ac", false},
        {"**", "x", true},       {"a*b*c", "aXbYc", true}, {"a*b*c", "aXcYb", false},
        {"*aab", "aaaab", true}, {"*ab*ab", "abab", true}, {"*ab*ab", "ab", false},
        {"abc", "abcd", false},  {"abc", "abc", true},     {"a.c", "abc", false},
        {"?", "x", false},       {"*.*", "a.b", true},     {"A", "a", false},
        {"**", "abc", true},     {"abc", "ab", false},     {"*/items/*", "http://h/items/7", true},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *text = rows[i].text;

        if (glob_matches(rows[i].pattern, text, strlen(text)) != rows[i].matches) {
            (void)fprintf(stderr, "'%s' and '%s'\n", rows[i].pattern, text);
        }
        EXPECT(glob_matches(rows[i].pattern, text, strlen(text)) == rows[i].matches);
    }
}

static void test_glob_reads_no_more_than_it_is_given(void)
{
    EXPECT(glob_matches("a*c", "abcd", 3));
    EXPECT(!glob_matches("abcd", "abcd", 3));
    EXPECT(glob_matches("*", "", 0));
}

int main(void)
{
    TEST(test_glob_stars_stand_for_anything);
    TEST(test_glob_reads_no_more_than_it_is_given);
    return 0;
}
