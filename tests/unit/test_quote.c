/* What a quote promises: one printable line, never too long, never half a character. */
#include "core/base/quote.h"

#include <string.h>

#include "tests/test.h"

static void test_quote_keeps_what_is_printable_and_short(void)
{
    EXPECT(strcmp(quote("").text, "") == 0);
    EXPECT(strcmp(quote("a b\xc3\xa4").text, "a b\xc3\xa4") == 0);
    EXPECT(strcmp(quote("a\r\n\tb\x7f\x1b[0m").text, "a???b??[0m") == 0);
    EXPECT(strcmp(quote_len("abcdef", 3).text, "abc") == 0);
}

static void test_quote_cuts_between_characters(void)
{
    char text[200] = "";

    for (size_t len = 0; len < sizeof(text); len++) {
        struct quote quoted;
        size_t got;

        /* Pairs of bytes, so that every other cut would fall into a character. */
        for (size_t i = 0; i < len; i++) {
            text[i] = i % 2 == 0 ? '\xc3' : '\xa4';
        }
        quoted = quote_len(text, len);
        got = strlen(quoted.text);
        if (len < QUOTE_BYTES) {
            EXPECT(got == len);
            EXPECT(memcmp(quoted.text, text, len) == 0);
        } else {
            EXPECT(got <= QUOTE_BYTES - 1);
            EXPECT(got >= QUOTE_BYTES - 2);
            EXPECT(strcmp(quoted.text + got - 3, "...") == 0);
            EXPECT((got - 3) % 2 == 0);
        }
    }
}

int main(void)
{
    TEST(test_quote_keeps_what_is_printable_and_short);
    TEST(test_quote_cuts_between_characters);
    return 0;
}
