/* What the coordinator promises of its clock: a reading every 100 ms, a sample at every second and
 * where the span ends, an order and a word for each stop. Its workers are a ledger each. */
#include "core/coord.h"

#include <string.h>

#include "tests/test.h"

enum { WORKERS = 2 };

struct rig {
    struct worker_shared shared[WORKERS]; /* Aligned the most. */
    struct arena arena;
    struct plan plan;
    struct worker_shared *list[WORKERS];
    struct ledger ledgers[WORKERS];
    struct series series;
    struct coord coord;
    uint64_t now_ns;
    unsigned wakes, lines;
    char line[256]; /* The last that was said. */
};

static const uint64_t start_ns = 1000 * NS_PER_S + 123;

static void wake(void *self, uint32_t worker)
{
    struct rig *rig = self;

    EXPECT(worker < WORKERS);
    rig->wakes++;
}

static void say(void *self, const char *line)
{
    struct rig *rig = self;

    rig->lines++;
    (void)snprintf(rig->line, sizeof(rig->line), "%s", line);
}

static void rig_open(struct rig *rig)
{
    struct coord_owner owner = {.self = rig, .wake = wake, .say = say};
    struct series_options options = {.drain_ns = 10 * NS_PER_S};

    memset(rig, 0, sizeof(*rig));
    arena_init(&rig->arena, 0);
    plan_init(&rig->plan);
    rig->plan.workers = WORKERS;
    rig->plan.duration_ns = options.duration_ns = 2500 * NS_PER_MS;
    for (int i = 0; i < WORKERS; i++) {
        mailbox_init(&rig->shared[i].orders, rig->shared[i].orders_slots, ORDERS_SLOTS);
        mailbox_init(&rig->shared[i].news, rig->shared[i].news_slots, NEWS_SLOTS);
        EXPECT(stats_init(&rig->shared[i].stats, &rig->arena));
        rig->list[i] = &rig->shared[i];
    }
    EXPECT(series_init(&rig->series, &options, &rig->arena));
    coord_init(&rig->coord, &rig->plan, rig->list, &owner);
    rig->coord.series = &rig->series;
    rig->now_ns = start_ns;
}

static void rig_news(struct rig *rig, enum news_kind kind)
{
    for (int i = 0; i < WORKERS; i++) {
        EXPECT(mailbox_post(&rig->shared[i].news, (struct mail){.kind = kind}));
    }
}

/* Every worker gets `count` answers. */
static void rig_answer(struct rig *rig, uint64_t count)
{
    for (int i = 0; i < WORKERS; i++) {
        struct ledger *ledger = &rig->ledgers[i];

        ledger->due += count;
        ledger->started += count;
        ledger->ok += count;
        ledger->ok_in_span += count;
        ledger_publish(&rig->shared[i].ledger, ledger);
        for (uint64_t n = 0; n < count; n++) {
            struct stats_moments at = {.first_ns = NS_PER_MS, .done_ns = NS_PER_MS};

            stats_answered(&rig->shared[i].stats, 200, &at, 1);
        }
    }
}

/* Lets time pass until `until_ns` since the start, stepping when the coordinator wants to. */
static void rig_run(struct rig *rig, uint64_t until_ns, uint32_t stop_level)
{
    uint64_t next_ns;

    for (;;) {
        next_ns = coord_step(&rig->coord, rig->now_ns, stop_level);
        EXPECT(next_ns > rig->now_ns);
        if (next_ns > start_ns + until_ns) break;
        rig->now_ns = next_ns;
        rig_answer(rig, 1);
    }
    rig->now_ns = start_ns + until_ns;
}

static void rig_close(struct rig *rig)
{
    arena_release(&rig->arena);
    plan_release(&rig->plan);
}

static bool takes_order(struct rig *rig, enum order_kind kind)
{
    struct mail mail;

    for (int i = 0; i < WORKERS; i++) {
        if (!mailbox_take(&rig->shared[i].orders, &mail)) return false;
        EXPECT((enum order_kind)mail.kind == kind);
    }
    return true;
}

static void expect_sums(const struct rig *rig)
{
    uint64_t answered = 0;

    for (uint32_t i = 0; i < rig->series.count; i++) {
        answered += rig->series.samples[i].answered;
    }
    EXPECT(answered == rig->coord.ledger.ok);
    EXPECT(answered == rig->ledgers[0].ok + rig->ledgers[1].ok);
}

static void test_coord_reads_every_100_ms_and_samples_every_second(void)
{
    static const uint64_t until_ms[] = {1000, 2000, 2500, 2730};
    struct rig rig;

    rig_open(&rig);
    EXPECT(coord_step(&rig.coord, rig.now_ns - NS_PER_S, 0) != TIME_NEVER);
    EXPECT(rig.coord.phase == COORD_SETUP);
    rig_news(&rig, NEWS_READY);
    rig_run(&rig, 2700 * NS_PER_MS, 0);
    EXPECT(takes_order(&rig, ORDER_START));
    EXPECT(rig.coord.readings >= UINT64_C(26) * WORKERS);
    EXPECT(rig.coord.readings <= UINT64_C(28) * WORKERS);
    EXPECT(rig.coord.readings_open == 0);
    EXPECT(series_part(&rig.series) == SERIES_DRAIN);

    rig_answer(&rig, 5);
    rig_news(&rig, NEWS_ENDED);
    EXPECT(coord_step(&rig.coord, rig.now_ns, 0) == TIME_NEVER);
    EXPECT(rig.coord.phase == COORD_ENDED);
    coord_end_series(&rig.coord, start_ns + 2730 * NS_PER_MS);
    EXPECT(rig.series.count == COUNT(until_ms));
    for (size_t i = 0; i < COUNT(until_ms); i++) {
        EXPECT(rig.series.samples[i].until_ns == until_ms[i] * NS_PER_MS);
        EXPECT(rig.series.samples[i].latency[SERIES_FROM_DUE].is_known);
        EXPECT((rig.series.samples[i].part == SERIES_DRAIN) == (until_ms[i] > 2500));
    }
    expect_sums(&rig);
    EXPECT(rig.lines == 0);
    rig_close(&rig);
}

static void test_coord_ends_the_span_at_a_stop_and_says_so(void)
{
    struct rig rig;

    rig_open(&rig);
    rig_news(&rig, NEWS_READY);
    rig_run(&rig, 1300 * NS_PER_MS, 0);
    EXPECT(takes_order(&rig, ORDER_START));
    rig_run(&rig, 1350 * NS_PER_MS, 1);
    EXPECT(takes_order(&rig, ORDER_STOP));
    EXPECT(rig.lines == 1);
    EXPECT(strstr(rig.line, "stopping") != NULL);
    EXPECT(series_last(&rig.series)->until_ns == 1300 * NS_PER_MS);
    EXPECT(series_last(&rig.series)->part == SERIES_SPAN);
    rig_run(&rig, 1400 * NS_PER_MS, 2);
    EXPECT(takes_order(&rig, ORDER_ABORT));
    EXPECT(rig.lines == 2);
    EXPECT(strstr(rig.line, "ending now") != NULL);
    rig_news(&rig, NEWS_ENDED);
    EXPECT(coord_step(&rig.coord, rig.now_ns, 2) == TIME_NEVER);
    coord_end_series(&rig.coord, rig.now_ns);
    EXPECT(series_last(&rig.series)->part == SERIES_DRAIN);
    expect_sums(&rig);
    EXPECT(rig.wakes == 3 * WORKERS);
    rig_close(&rig);
}

static void test_coord_does_not_speak_of_answers_that_nobody_awaits(void)
{
    struct rig rig;

    rig_open(&rig);
    rig.plan.drain_ns = 0;
    rig_news(&rig, NEWS_READY);
    rig_run(&rig, 300 * NS_PER_MS, 0);
    EXPECT(takes_order(&rig, ORDER_START));
    rig_run(&rig, 350 * NS_PER_MS, 1);
    EXPECT(takes_order(&rig, ORDER_STOP));
    EXPECT(rig.lines == 0);
    rig_close(&rig);
}

static void test_coord_takes_the_rates_of_each_worker_until_a_stop(void)
{
    struct rates rates;
    struct rig rig;

    rig_open(&rig);
    EXPECT(rates_init(&rates, WORKERS, &rig.arena));
    rig.coord.rates = &rates;
    rig_news(&rig, NEWS_READY);
    rig_run(&rig, 500 * NS_PER_MS, 0);
    EXPECT(rates.until_ns == start_ns + rig.plan.duration_ns);
    EXPECT(load_relaxed(&rates.per_s.count) == (uint64_t)5 * WORKERS);
    EXPECT(load_relaxed(&rates.per_s.min_ns) == 10 && load_relaxed(&rates.per_s.max_ns) == 10);
    rig_run(&rig, 900 * NS_PER_MS, 1);
    EXPECT(rates.until_ns == start_ns + 500 * NS_PER_MS);
    EXPECT(load_relaxed(&rates.per_s.count) == (uint64_t)5 * WORKERS);
    rig_close(&rig);
}

static void test_coord_told_to_stop_before_the_start_has_an_empty_series(void)
{
    struct rig rig;

    rig_open(&rig);
    rig_news(&rig, NEWS_READY);
    (void)coord_step(&rig.coord, rig.now_ns, 1);
    EXPECT(takes_order(&rig, ORDER_ABORT));
    rig_news(&rig, NEWS_ENDED);
    EXPECT(coord_step(&rig.coord, rig.now_ns, 1) == TIME_NEVER);
    coord_end_series(&rig.coord, 0);
    EXPECT(rig.series.count == 0);
    rig_close(&rig);
}

static void test_coord_can_do_without_a_series(void)
{
    struct rig rig;

    rig_open(&rig);
    rig.coord.series = NULL;
    rig_news(&rig, NEWS_READY);
    rig_run(&rig, 2700 * NS_PER_MS, 0);
    rig_run(&rig, 2800 * NS_PER_MS, 1);
    rig_news(&rig, NEWS_ENDED);
    EXPECT(coord_step(&rig.coord, rig.now_ns, 1) == TIME_NEVER);
    coord_end_series(&rig.coord, rig.now_ns);
    EXPECT(rig.coord.ledger.ok == rig.ledgers[0].ok + rig.ledgers[1].ok);
    rig_close(&rig);
}

/* Posts that worker's news. */
static void rig_news_of(struct rig *rig, int worker, enum news_kind kind)
{
    EXPECT(mailbox_post(&rig->shared[worker].news, (struct mail){.kind = kind}));
    (void)coord_step(&rig->coord, ++rig->now_ns, 0);
}

static void test_coord_lends_addresses_until_every_worker_gives_them_back(void)
{
    struct rig rig;
    struct order_addresses order = {.old = NULL};

    rig_open(&rig);
    rig_news(&rig, NEWS_READY);
    (void)coord_step(&rig.coord, rig.now_ns, 0);
    EXPECT(takes_order(&rig, ORDER_START));
    EXPECT(!coord_is_readdressing(&rig.coord));
    coord_readdress(&rig.coord, &order);
    EXPECT(takes_order(&rig, ORDER_ADDRESSES));
    EXPECT(coord_is_readdressing(&rig.coord));
    rig_news_of(&rig, 0, NEWS_ADDRESSES);
    EXPECT(coord_is_readdressing(&rig.coord));
    /* One that has ended needs them no more, whether it has said so or not. */
    rig_news_of(&rig, 1, NEWS_ENDED);
    EXPECT(!coord_is_readdressing(&rig.coord));
    coord_readdress(&rig.coord, &order);
    EXPECT(coord_is_readdressing(&rig.coord));
    rig_news_of(&rig, 0, NEWS_ADDRESSES);
    EXPECT(!coord_is_readdressing(&rig.coord));
    rig_news_of(&rig, 0, NEWS_ENDED);
    EXPECT(rig.coord.phase == COORD_ENDED);
    rig_close(&rig);
}

int main(void)
{
    TEST(test_coord_reads_every_100_ms_and_samples_every_second);
    TEST(test_coord_ends_the_span_at_a_stop_and_says_so);
    TEST(test_coord_does_not_speak_of_answers_that_nobody_awaits);
    TEST(test_coord_takes_the_rates_of_each_worker_until_a_stop);
    TEST(test_coord_told_to_stop_before_the_start_has_an_empty_series);
    TEST(test_coord_can_do_without_a_series);
    TEST(test_coord_lends_addresses_until_every_worker_gives_them_back);
    return 0;
}
