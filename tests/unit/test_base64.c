/* The examples of RFC 4648 section 10, and every byte. */
#include "core/base/base64.h"

#include <string.h>

#include "tests/test.h"

static void test_base64_reads_as_the_rfc_says(void)
{
    static const struct {
        const char *plain, *text;
    } rows[] = {{"", ""},
                {"f", "Zg=="},
                {"fo", "Zm8="},
                {"foo", "Zm9v"},
                {"foob", "Zm9vYg=="},
                {"fooba", "Zm9vYmE="},
                {"foobar", "Zm9vYmFy"},
                {"\xfb\xff\xfe", "+//+"}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[16];
        size_t len = base64_encode(text, rows[i].plain, strlen(rows[i].plain));

        EXPECT(len == strlen(rows[i].text));
        EXPECT(len == base64_len(strlen(rows[i].plain)));
        EXPECT(memcmp(text, rows[i].text, len) == 0);
    }
}

int main(void)
{
    TEST(test_base64_reads_as_the_rfc_says);
    return 0;
}
