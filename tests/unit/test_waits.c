/* What counts of waits promise: each wait once, how long it was, and who has waited longest. */
#include "core/waits.h"

#include "tests/test.h"

static void test_waits_are_counted_and_timed(void)
{
    struct waits waits = {0};
    struct waits_sum sum = {0};

    waits_add(&sum, &waits);
    EXPECT(sum.count == 0 && sum.since_ns == 0);
    waits_begin(&waits, 3, 100);
    waits_begin(&waits, 5, 200);
    waits_add(&sum, &waits);
    EXPECT(sum.count == 2 && sum.since_ns == 100 && sum.endpoint == 3 && sum.total_ns == 0);
    waits_end(&waits, 3, 400, 5, 200); /* The younger one is the oldest now. */
    sum = (struct waits_sum){0};
    waits_add(&sum, &waits);
    EXPECT(sum.count == 2 && sum.since_ns == 200 && sum.endpoint == 5 && sum.total_ns == 400);
    waits_end(&waits, 5, 50, 0, 0);
    sum = (struct waits_sum){0};
    waits_add(&sum, &waits);
    EXPECT(sum.count == 2 && sum.since_ns == 0 && sum.endpoint == 5);
    EXPECT(sum.total_ns == 450 && sum.longest_ns == 400 && sum.last_ns == 50);
}

static void test_waits_of_workers_add_up(void)
{
    struct waits a = {0}, b = {0};
    struct waits_sum sum = {0};

    waits_begin(&a, 1, 300);
    waits_begin(&b, 2, 100);
    waits_add(&sum, &a);
    waits_add(&sum, &b);
    EXPECT(sum.count == 2 && sum.since_ns == 100 && sum.endpoint == 2);
}

int main(void)
{
    TEST(test_waits_are_counted_and_timed);
    TEST(test_waits_of_workers_add_up);
    return 0;
}
