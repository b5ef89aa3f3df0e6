/* What a worker's statistics promise: every answer is counted once in each view that it belongs to,
 * phases fit together, and statuses beyond the first ones share a place. */
#include "core/stats.h"

#include "core/result_stats.h"
#include "tests/test.h"

struct rig {
    struct arena arena;
    struct stats stats;
};

static struct rig *rig_open(void)
{
    static struct rig rig;

    rig = (struct rig){.arena = {0}};
    arena_init(&rig.arena, 0);
    EXPECT(stats_init(&rig.stats, &rig.arena));
    return &rig;
}

/* An answer that was due at 0, sent after 1 us, and whose first and last byte came then. */
static void rig_answer(struct rig *rig, uint32_t status, uint64_t first_us, uint64_t done_us)
{
    struct stats_moments at = {
        .sent_ns = NS_PER_US, .first_ns = first_us * NS_PER_US, .done_ns = done_us * NS_PER_US};

    stats_answered(&rig->stats, status, &at, 1);
}

static struct hist_view *new_view(struct rig *rig)
{
    struct hist_view *view = arena_array(&rig->arena, 1, sizeof(*view));

    EXPECT(view != NULL);
    hist_view_clear(view);
    return view;
}

static void expect_view(const struct hist_view *view, uint64_t count, uint64_t min_us,
                        uint64_t max_us)
{
    EXPECT(view->count == count);
    EXPECT(view->unplaced == 0);
    EXPECT(view->min_ns == min_us * NS_PER_US);
    EXPECT(view->max_ns == max_us * NS_PER_US);
}

static void test_stats_views_hold_each_answer_once(void)
{
    struct rig *rig = rig_open();
    struct hist_view *from_sent = new_view(rig), *first = new_view(rig), *body = new_view(rig);

    rig_answer(rig, 200, 11, 11); /* Whole. */
    rig_answer(rig, 200, 21, 51); /* In pieces. */
    rig_answer(rig, 503, 101, 101);
    stats_timed_out(&rig->stats, 0, NS_PER_US, 500 * NS_PER_US);
    stats_add_from_sent(&rig->stats, from_sent);
    stats_add_first_byte(&rig->stats, first);
    stats_add_body(&rig->stats, body);
    expect_view(from_sent, 4, 10, 500);
    expect_view(first, 3, 10, 100);
    expect_view(body, 3, 0, 30);
    EXPECT(from_sent->sum_ns - 500 * NS_PER_US == first->sum_ns + body->sum_ns);
    EXPECT(hist_view_percentile_ns(body, 0.5) == 0);
    EXPECT(load_relaxed(&rig->stats.from_due.count) == 4);
    EXPECT(load_relaxed(&rig->stats.from_due.max_ns) == 501 * NS_PER_US);
    arena_release(&rig->arena);
}

static void test_stats_give_later_statuses_one_place(void)
{
    struct rig *rig = rig_open();
    struct result result = {0};

    for (uint32_t lap = 0; lap < 2; lap++) {
        for (uint32_t status = 999; status > 999 - STATS_STATUSES_MAX - 5; status--) {
            rig_answer(rig, status, status, status);
        }
    }
    EXPECT(result_stats_init(&result, false, &rig->arena));
    EXPECT(result_stats_add(&result, &rig->stats, &rig->arena));
    EXPECT(result_stats_add(&result, &rig->stats, &rig->arena));
    result_stats_end(&result);
    EXPECT(result.by_status_count == STATS_STATUSES_MAX);
    for (uint32_t i = 0; i < STATS_STATUSES_MAX; i++) {
        uint16_t status = (uint16_t)(1000 - STATS_STATUSES_MAX + i);

        EXPECT(result.by_status[i].status == status);
        expect_view(result.by_status[i].from_sent, 4, status - 1, status - 1);
    }
    expect_view(result.other_statuses, 20, 999 - STATS_STATUSES_MAX - 5,
                999 - STATS_STATUSES_MAX - 1);
    EXPECT(result.from_sent->count == 4 * (STATS_STATUSES_MAX + 5));
    arena_release(&rig->arena);
}

/* Two workers that saw other statuses than each other. */
static void test_stats_of_workers_share_rows_and_what_has_no_room_is_among_others(void)
{
    struct rig *rig = rig_open();
    struct result result = {0};
    struct stats *second = arena_array(&rig->arena, 1, sizeof(*second));

    EXPECT(second != NULL);
    EXPECT(stats_init(second, &rig->arena));
    for (uint32_t i = 0; i < STATS_STATUSES_MAX; i++) {
        struct stats_moments at = {.first_ns = NS_PER_MS, .done_ns = NS_PER_MS};

        rig_answer(rig, 200 + i, 2, 2);
        stats_answered(second, 201 + i, &at, 1);
    }
    EXPECT(result_stats_init(&result, true, &rig->arena));
    EXPECT(result_stats_add(&result, &rig->stats, &rig->arena));
    EXPECT(result_stats_add(&result, second, &rig->arena));
    result_stats_end(&result);
    EXPECT(result.by_status_count == STATS_STATUSES_MAX);
    expect_view(result.by_status[0].from_sent, 1, 1, 1);
    expect_view(result.by_status[1].from_sent, 2, 1, 1000);
    expect_view(result.other_statuses, 1, 1000, 1000);
    EXPECT(result.connect == NULL);
    EXPECT(result.lateness->count == 0);
    arena_release(&rig->arena);
}

static void test_stats_refuse_an_arena_that_is_too_small(void)
{
    static struct stats stats;
    struct result result = {0};
    struct arena arena;

    arena_init(&arena, 64 * 1024);
    EXPECT(!stats_init(&stats, &arena));
    EXPECT(!result_stats_init(&result, true, &arena));
    arena_release(&arena);
}

int main(void)
{
    TEST(test_stats_views_hold_each_answer_once);
    TEST(test_stats_give_later_statuses_one_place);
    TEST(test_stats_of_workers_share_rows_and_what_has_no_room_is_among_others);
    TEST(test_stats_refuse_an_arena_that_is_too_small);
    return 0;
}
