/* What an error report promises: its code, its text cut to fit, nothing left from before. */
#include "core/base/err.h"

#include <errno.h>
#include <string.h>

#include "tests/test.h"

static void test_err_set_fills_everything_and_returns_the_code(void)
{
    struct err_info why;

    memset(&why, 'x', sizeof(why));
    EXPECT(err_set(&why, ERR_FILE, ENOENT, "cannot open \"%s\": %d", "a.yaml", 7) == ERR_FILE);
    EXPECT(why.code == ERR_FILE);
    EXPECT(why.errno_value == ENOENT);
    EXPECT(why.file[0] == '\0');
    EXPECT(why.line == 0);
    EXPECT(why.column == 0);
    EXPECT(strcmp(why.message, "cannot open \"a.yaml\": 7") == 0);
}

static void test_err_set_without_a_report_returns_the_code(void)
{
    EXPECT(err_set(NULL, ERR_KERNEL, EPERM, "%s", "nobody reads this") == ERR_KERNEL);
}

static void test_err_set_cuts_long_messages(void)
{
    char longest[1000];

    memset(longest, 'm', sizeof(longest));
    for (size_t len = 230; len < 250; len++) {
        struct err_info why;
        size_t expected = len < sizeof(why.message) ? len : sizeof(why.message) - 1;

        EXPECT(err_set(&why, ERR_USAGE, 0, "%.*s", (int)len, longest) == ERR_USAGE);
        EXPECT(strlen(why.message) == expected);
        EXPECT(strspn(why.message, "m") == expected);
    }
}

static void test_err_errno_name_is_the_name_in_the_man_pages(void)
{
    static const struct {
        int errno_value;
        const char *name;
    } rows[] = {
        {ECONNREFUSED, "ECONNREFUSED"},   {ECONNRESET, "ECONNRESET"},
        {ETIMEDOUT, "ETIMEDOUT"},         {EMFILE, "EMFILE"},
        {EADDRNOTAVAIL, "EADDRNOTAVAIL"}, {EAGAIN, "EAGAIN"},
        {100000, "unknown error"},        {-1, "unknown error"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        EXPECT(strcmp(err_errno_name(rows[i].errno_value), rows[i].name) == 0);
    }
}

int main(void)
{
    TEST(test_err_set_fills_everything_and_returns_the_code);
    TEST(test_err_set_without_a_report_returns_the_code);
    TEST(test_err_set_cuts_long_messages);
    TEST(test_err_errno_name_is_the_name_in_the_man_pages);
    return 0;
}
