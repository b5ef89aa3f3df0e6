/* What an assertion promises: it looks once, stops what is wrong and lets pass what is right. */
#include "core/base/check.h"

#include "tests/aborts.h"
#include "tests/test.h"

static void check_what_is_false(void)
{
    int zero = 0;

    CHECK(zero == 1);
}

static void test_check_aborts_on_false_only_and_looks_once(void)
{
    int looks = 0;

    CHECK(++looks > 0);
    EXPECT(looks == 1);
    EXPECT(aborts(check_what_is_false));
}

static void dcheck_what_is_false(void)
{
    int zero = 0;

    DCHECK(zero == 1);
}

static void test_dcheck_looks_in_debug_builds_only(void)
{
#ifdef PELT_DEBUG
    EXPECT(aborts(dcheck_what_is_false));
#else
    EXPECT(!aborts(dcheck_what_is_false));
#endif
}

int main(void)
{
    TEST(test_check_aborts_on_false_only_and_looks_once);
    TEST(test_dcheck_looks_in_debug_builds_only);
    return 0;
}
