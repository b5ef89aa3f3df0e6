/* What a pace promises: never more attempts than the rate, evenly, none saved up in a pause. */
#include "io/pace.h"

#include "tests/test.h"

enum { START_NS = 1000000 };

static void test_pace_without_a_bound_refuses_nothing(void)
{
    struct pace pace = {0};

    for (uint32_t i = 0; i < 100; i++) {
        EXPECT(pace_take(&pace, i, START_NS));
    }
    EXPECT(pace_next_ns(&pace) == TIME_NEVER);
    EXPECT(pace.after == 0);
}

/* Takes all that there is at each moment; returns how many there were up to `end_ns`. */
static uint32_t take_all(struct pace *pace, uint64_t from_ns, uint64_t end_ns, uint64_t step_ns)
{
    uint32_t count = 0;

    for (uint64_t now_ns = from_ns; now_ns <= end_ns; now_ns += step_ns) {
        pace_turn(pace);
        while (pace_take(pace, 0, now_ns)) {
            count++;
        }
        EXPECT(pace_next_ns(pace) > now_ns);
    }
    return count;
}

static void test_pace_keeps_the_rate_of_all_together(void)
{
    static const struct {
        double per_s;
        uint32_t count;
    } rows[] = {{1, 1}, {3, 1}, {7.5, 2}, {1000, 3}, {100000, 7}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t sum = 0;

        for (uint32_t index = 0; index < rows[i].count; index++) {
            struct pace pace;

            pace_start(&pace, rows[i].per_s, rows[i].count, index, START_NS);
            sum += take_all(&pace, START_NS, START_NS + 2 * NS_PER_S, 10000);
        }
        printf("%f over %u: %u\n", rows[i].per_s, rows[i].count, sum);
        /* One at the very start, one at the very end. */
        EXPECT(sum <= 2 * rows[i].per_s + rows[i].count);
        EXPECT(sum + rows[i].count >= 2 * rows[i].per_s);
    }
}

static void test_pace_staggers_its_owners(void)
{
    struct pace paces[4];

    for (uint32_t i = 0; i < COUNT(paces); i++) {
        pace_start(&paces[i], 1000, COUNT(paces), i, START_NS);
        EXPECT(paces[i].next_ns == START_NS + i * NS_PER_MS);
        EXPECT(paces[i].interval_ns == 4 * NS_PER_MS);
    }
}

static void test_pace_makes_up_for_a_late_turn_and_not_for_a_pause(void)
{
    struct pace pace;

    pace_start(&pace, 10000, 1, 0, START_NS);
    EXPECT(take_all(&pace, START_NS, START_NS, 1) == 1);
    /* Somebody waited, and we slept 2 ms: 20 attempts. */
    EXPECT(take_all(&pace, START_NS + 2 * NS_PER_MS, START_NS + 2 * NS_PER_MS, 1) == 20);
    /* We slept far too long. */
    EXPECT(take_all(&pace, START_NS + NS_PER_S, START_NS + NS_PER_S, 1) == 1);
    /* Nobody waits in a turn; then somebody comes. */
    pace_turn(&pace);
    EXPECT(pace_next_ns(&pace) == TIME_NEVER);
    EXPECT(take_all(&pace, START_NS + NS_PER_S + NS_PER_MS, START_NS + NS_PER_S + NS_PER_MS, 1) ==
           1);
}

static void test_pace_counts_reserved_attempts(void)
{
    struct pace pace;

    pace_start(&pace, 1000, 1, 0, START_NS);
    EXPECT(pace_take(&pace, 3, START_NS));
    EXPECT(pace.after == 4);
    EXPECT(pace_reserve(&pace, START_NS) == START_NS + NS_PER_MS);
    EXPECT(pace_reserve(&pace, START_NS) == START_NS + 2 * NS_PER_MS);
    EXPECT(!pace_take(&pace, 0, START_NS + 2 * NS_PER_MS));
    EXPECT(pace_next_ns(&pace) == START_NS + 3 * NS_PER_MS);
    EXPECT(pace_reserve(&pace, START_NS + NS_PER_S) == START_NS + NS_PER_S);
}

int main(void)
{
    TEST(test_pace_without_a_bound_refuses_nothing);
    TEST(test_pace_keeps_the_rate_of_all_together);
    TEST(test_pace_staggers_its_owners);
    TEST(test_pace_makes_up_for_a_late_turn_and_not_for_a_pause);
    TEST(test_pace_counts_reserved_attempts);
    return 0;
}
