/* Who is guilty: every rule just below and just above its bound, by table, and what must never
 * decide. */
#include "core/verdict.h"

#include <string.h>

#include "tests/test.h"

static struct arena arena;

/* Marks the page of `value_ns` as one that holds something. */
static void hold(struct hist_view *view, uint64_t value_ns)
{
    uint32_t page = hist_bucket_of(value_ns) / HIST_PAGE_BUCKETS;

    view->page_mask[page / 64] |= UINT64_C(1) << (page % 64);
}

/* A view of `count` values of which the share `high` are `high_ns`, the others `low_ns`. */
static const struct hist_view *view_of(uint64_t count, double high, uint64_t low_ns,
                                       uint64_t high_ns)
{
    struct hist_view *view = arena_array(&arena, 1, sizeof(*view));
    uint64_t high_count = (uint64_t)((double)count * high + 0.5);

    EXPECT(view != NULL);
    hist_view_clear(view);
    hold(view, low_ns);
    hold(view, high_ns);
    view->count = count;
    view->min_ns = low_ns;
    view->max_ns = high_count > 0 ? high_ns : low_ns;
    view->buckets[hist_bucket_of(low_ns)] = count - high_count;
    view->buckets[hist_bucket_of(high_ns)] += high_count;
    return view;
}

static const struct verdict_worker well = {
    .used = 0.5, .waited = 0.01, .stalled = 0, .foreign = 0.03, .steal = 0.01};
static const struct verdict_worker unknown = {
    .used = -1, .waited = -1, .stalled = -1, .foreign = -1, .steal = -1};

static void judge(const struct verdict_facts *facts, const struct verdict_worker *workers,
                  uint32_t count, struct verdict *verdict)
{
    struct verdict_facts all = *facts;

    all.workers = workers;
    all.workers_count = count;
    verdict_judge(&all, verdict);
    EXPECT(verdict->client_limited == (verdict->reasons.count > 0));
    EXPECT(strcmp(verdict_state(verdict), verdict->client_limited ? "CLIENT-LIMITED" : "VALID") ==
           0);
    for (uint32_t i = 0; i < verdict->reasons.count; i++) {
        printf("  %s\n", verdict->reasons.text[i]);
        EXPECT(strlen(verdict->reasons.text[i]) < VERDICT_LINE_BYTES - 1);
    }
}

/* One worker's shares, without a schedule (closed) and with one (open). */
static const struct {
    const char *name;
    struct verdict_worker worker;
    const char *closed, *open; /* The reason; NULL: VALID. */
} workers[] = {
    {"well", {0.5, 0.01, 0, 0.03, 0.01}, NULL, NULL},
    {"nothing known", {-1, -1, -1, -1, -1}, NULL, NULL},
    {"at every bound", {0.95, 0.10, 0.01, 0.10, 0.10}, NULL, NULL},
    {"busy", {0.98, 0.01, 0, 0, 0}, "worker 0 used 98 % of its CPU: the server may do more", NULL},
    {"more than all", {1.2, 0, 0, 0, 0}, "worker 0 used 100 % of its CPU", NULL},
    {"waits",
     {0.5, 0.11, 0, 0, 0},
     "worker 0 waited 11.0 % of the time for a CPU",
     "worker 0 waited 11.0 %"},
    {"foreign",
     {0.5, 0, 0, 0.34, 0},
     "worker 0 shared 34 % of its CPU with other programs",
     "worker 0 shared 34 %"},
    {"steal",
     {0.5, 0, 0, 0, 0.101},
     "worker 0 lost 10.1 % of its CPU to the hypervisor",
     "worker 0 lost 10.1 %"},
    {"stalled",
     {0.5, 0, 0.02, 0, 0},
     "worker 0 spent 2.0 % of the run in turns over 5 ms",
     "worker 0 spent 2.0 %"},
};

static void test_verdict_judges_a_worker(void)
{
    for (size_t i = 0; i < COUNT(workers); i++) {
        for (int open = 0; open < 2; open++) {
            const char *reason = open ? workers[i].open : workers[i].closed;
            struct verdict verdict;

            printf("%s, %s\n", workers[i].name, open ? "open" : "closed");
            judge(&(struct verdict_facts){.has_schedule = open}, &workers[i].worker, 1, &verdict);
            EXPECT(verdict.reasons.count == (reason != NULL));
            if (reason == NULL) continue;
            EXPECT(strncmp(verdict.reasons.text[0], reason, strlen(reason)) == 0);
        }
    }
}

static void test_verdict_names_the_worst_worker(void)
{
    struct verdict_worker crew[4] = {well, well, well, unknown};
    struct verdict verdict;

    crew[0].foreign = 0.2;
    crew[2].foreign = 0.4;
    judge(&(struct verdict_facts){0}, crew, 4, &verdict);
    EXPECT(verdict.reasons.count == 1);
    EXPECT(strcmp(verdict.reasons.text[0], "worker 2 (and 1 more) shared 40 % of its CPU with "
                                           "other programs (10 % at most)") == 0);
}

static const struct {
    const char *name;
    uint64_t count;
    double high; /* Share of the samples that are `high_ns`. */
    uint64_t low_ns, high_ns;
    bool late_is_guilty, lag_is_guilty;
} times[] = {
    {"none", 0, 0, 1, 1, false, false},
    {"too few", 99, 1, 1, NS_PER_S, false, false},
    {"all of few", 100, 1, 1, NS_PER_S, true, true},
    {"all below", 1000, 0, 990 * NS_PER_US, 1, false, false},
    {"all above 1 ms", 1000, 0, 1010 * NS_PER_US, 1, true, false},
    {"all below 5 ms", 1000, 0, 4950 * NS_PER_US, 1, true, false},
    {"all above 5 ms", 1000, 0, 5050 * NS_PER_US, 1, true, true},
    {"1 % above", 100000, 0.0099, 100, 10 * NS_PER_S, false, false},
    {"more than 1 % above", 100000, 0.0101, 100, 10 * NS_PER_S, true, true},
    {"the max alone", 1000000, 0.000001, 100, 3600 * NS_PER_S, false, false},
    {"p99.9 alone", 1000000, 0.002, 100, 3600 * NS_PER_S, false, false},
};

static void test_verdict_judges_p99_and_nothing_above(void)
{
    for (size_t i = 0; i < COUNT(times); i++) {
        const struct hist_view *view =
            view_of(times[i].count, times[i].high, times[i].low_ns, times[i].high_ns);
        struct verdict verdict;

        printf("%s\n", times[i].name);
        judge(&(struct verdict_facts){.has_schedule = true, .lateness = view}, &well, 1, &verdict);
        EXPECT(verdict.client_limited == times[i].late_is_guilty);
        judge(&(struct verdict_facts){.lateness = view}, &well, 1, &verdict);
        EXPECT(!verdict.client_limited); /* There was nothing to be late for. */
        judge(&(struct verdict_facts){.loop_lag = view}, &well, 1, &verdict);
        EXPECT(verdict.client_limited == times[i].lag_is_guilty);
        judge(&(struct verdict_facts){.has_schedule = true, .loop_lag = view}, &well, 1, &verdict);
        EXPECT(verdict.client_limited == times[i].lag_is_guilty);
        /* A wait for a connection is a note. */
        judge(&(struct verdict_facts){.has_schedule = true, .conn_wait = view, .connections = 64},
              &well, 1, &verdict);
        EXPECT(!verdict.client_limited);
        EXPECT(verdict.notes.count == times[i].late_is_guilty);
        arena_release(&arena);
    }
}

static void test_verdict_judges_what_was_used_up(void)
{
    static const struct {
        struct verdict_facts facts;
        const char *reason;
    } rows[] = {
        {{.ledger_open = true}, "the ledger does not close: a bug of pelt"},
        {{.no_ports = 1200}, "local ports were used up: 1,200 requests had none"},
        {{.no_descriptors = 3}, "descriptors or socket memory were used up: 3 requests had none"},
        {{.cq_overflow = 7}, "the ring was too small: it overflowed 7 times"},
        {{.log_held = 1200},
         "logs were written too slowly: 1,200 requests were held back and not sent"},
        {{.stood_still = 0.5}, "the program stood still for 50 % of the run (1 % at most)"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct verdict verdict;

        judge(&rows[i].facts, &well, 1, &verdict);
        EXPECT(verdict.reasons.count == 1);
        EXPECT(strcmp(verdict.reasons.text[0], rows[i].reason) == 0);
    }
}

static void test_verdict_notes_a_pool_that_is_too_small(void)
{
    struct verdict verdict;

    judge(&(struct verdict_facts){.connections = 80, .slots = 100}, &well, 1, &verdict);
    EXPECT(!verdict.client_limited);
    EXPECT(verdict.notes.count == 1);
    EXPECT(strcmp(verdict.notes.text[0], "pool of 80 saturated: 100 requests at a time share it") ==
           0);
    judge(&(struct verdict_facts){.connections = 100, .slots = 100}, &well, 1, &verdict);
    EXPECT(verdict.notes.count == 0);
}

static void test_verdict_has_room_for_every_reason_at_once(void)
{
    struct verdict_worker crew[300];
    struct verdict_facts facts = {.ledger_open = true,
                                  .stood_still = 1,
                                  .no_ports = UINT64_MAX,
                                  .no_descriptors = UINT64_MAX,
                                  .cq_overflow = UINT64_MAX,
                                  .log_held = UINT64_MAX,
                                  .loop_lag = view_of(1000, 0, 3600 * NS_PER_S, 1)};
    struct verdict verdict;

    for (size_t i = 0; i < COUNT(crew); i++) {
        crew[i] = (struct verdict_worker){1, 1, 1, 1, 1};
    }
    judge(&facts, crew, COUNT(crew), &verdict);
    EXPECT(verdict.reasons.count == 12);
    arena_release(&arena);
}

int main(void)
{
    TEST(test_verdict_judges_a_worker);
    TEST(test_verdict_names_the_worst_worker);
    TEST(test_verdict_judges_p99_and_nothing_above);
    TEST(test_verdict_judges_what_was_used_up);
    TEST(test_verdict_notes_a_pool_that_is_too_small);
    TEST(test_verdict_has_room_for_every_reason_at_once);
    return 0;
}
