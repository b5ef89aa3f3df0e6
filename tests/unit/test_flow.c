/* What flow promises: the closed loop never has more requests than slots, the open loop makes due
 * what the schedule says and nothing else, and what it sheds is the newest when there is no place
 * and the oldest when it has waited too long. */
#include "core/flow.h"

#include "tests/aborts.h"
#include "tests/test.h"

#define MS    NS_PER_MS
#define S     NS_PER_S
#define START (1000 * S)

static struct arena arena;

static struct flow closed(uint32_t slots, uint64_t issued_max)
{
    struct flow flow;

    EXPECT(flow_init(&flow, &arena, slots, issued_max));
    EXPECT(!flow.open);
    return flow;
}

static void test_flow_closed_makes_every_slot_due_at_the_start(void)
{
    static const uint32_t slots[] = {1, 2, 3, 64, 100};

    for (size_t i = 0; i < COUNT(slots); i++) {
        struct flow flow = closed(slots[i], 0);
        uint64_t due_ns = 0;

        EXPECT(!flow_take(&flow, &due_ns));
        EXPECT(flow_start(&flow, START, START + S) == slots[i]);
        EXPECT(flow.pending == slots[i]);
        for (uint32_t n = 0; n < slots[i]; n++) {
            EXPECT(flow_take(&flow, &due_ns));
            EXPECT(due_ns == START);
        }
        EXPECT(!flow_take(&flow, &due_ns));
    }
}

static void test_flow_closed_makes_a_slot_due_when_its_request_ended(void)
{
    struct flow flow = closed(2, 0);
    uint64_t due_ns = 0;

    EXPECT(flow_start(&flow, START, START + S) == 2);
    for (uint64_t now_ns = START; now_ns < START + 100; now_ns++) {
        EXPECT(flow_take(&flow, &due_ns));
        EXPECT(flow_slot_free(&flow, now_ns));
    }
    EXPECT(flow_take(&flow, &due_ns));
    EXPECT(due_ns == START + 98);
    EXPECT(flow_take(&flow, &due_ns));
    EXPECT(due_ns == START + 99);
    EXPECT(!flow_slot_free(&flow, START + S));
    EXPECT(!flow_is_exhausted(&flow));
}

static void test_flow_closed_ends_at_its_count(void)
{
    struct flow flow = closed(4, 6);
    uint64_t due_ns = 0;

    EXPECT(flow_start(&flow, START, TIME_NEVER) == 4);
    EXPECT(flow_take(&flow, &due_ns) && flow_take(&flow, &due_ns));
    EXPECT(flow_slot_free(&flow, START + 1));
    EXPECT(flow_slot_free(&flow, START + 2));
    EXPECT(!flow_slot_free(&flow, START + 3));
    EXPECT(!flow_is_exhausted(&flow));
    for (int i = 0; i < 4; i++) {
        EXPECT(flow_take(&flow, &due_ns));
    }
    EXPECT(flow_is_exhausted(&flow));
}

static void test_flow_closed_holds_the_slots_of_failed_connects(void)
{
    struct flow flow = closed(3, 0);
    uint64_t due_ns = 0;

    EXPECT(flow_start(&flow, START, START + S) == 3);
    EXPECT(flow_take(&flow, &due_ns) && flow_take(&flow, &due_ns));
    flow_hold_slot(&flow);
    flow_hold_slot(&flow);
    EXPECT(flow.pending == 1);
    EXPECT(flow_release_held(&flow, START + 10) == 2);
    EXPECT(flow_release_held(&flow, START + 11) == 0);
    EXPECT(flow_take(&flow, &due_ns));
    EXPECT(due_ns == START);
    EXPECT(flow_take(&flow, &due_ns));
    EXPECT(due_ns == START + 10);
}

/* An open loop over `stages`, started. */
struct open {
    struct mod_interval mod;
    struct flow flow;
};

static void open_start(struct open *open, const struct plan_stage *stages, uint32_t count,
                       const struct flow_open *options)
{
    struct flow_open all = *options;

    EXPECT(mod_interval_init(&open->mod, &arena, stages, count));
    all.mod = &open->mod;
    if (all.arrivals.workers == 0) all.arrivals.workers = 1;
    EXPECT(flow_init_open(&open->flow, &arena, &all));
    EXPECT(flow_next_due_ns(&open->flow) == TIME_NEVER);
    EXPECT(flow_start(&open->flow, START, START + mod_interval_end_ns(&open->mod)) == 0);
    EXPECT(flow_next_shed_ns(&open->flow) == TIME_NEVER);
}

#define ROOMY .pending_max = 1000000, .wait_max_ns = 1000 * S

static void test_flow_open_makes_due_what_the_schedule_says(void)
{
    static const struct plan_stage stages[] = {{S, 0, 999}, {S, 999, 999}, {S, 0, 0}, {S, 99, 0}};
    static const uint64_t steps[] = {1, 1000, 33333, MS, 20 * MS, 700 * MS, 5 * S};

    for (size_t i = 0; i < COUNT(steps); i++) {
        struct open open;
        uint64_t hit = 0, total = 0, due_ns = 0, now_ns = START;

        open_start(&open, stages, COUNT(stages), &(struct flow_open){ROOMY});
        while (flow_next_due_ns(&open.flow) != TIME_NEVER) {
            /* The smallest step would take a day: from one moment to the next instead. */
            now_ns = steps[i] == 1 ? flow_next_due_ns(&open.flow) : now_ns + steps[i];
            if (steps[i] == 1) EXPECT(flow_due(&open.flow, now_ns - 1, 0) == 0);
            total += flow_due(&open.flow, now_ns, 0);
            EXPECT(flow_due(&open.flow, now_ns, 0) == 0);
            EXPECT(total == open.flow.issued);
            EXPECT(total == mod_interval_amount_at(&open.mod, now_ns - START) / MOD_HIT);
            while (flow_take(&open.flow, &due_ns)) {
                hit++;
                EXPECT(due_ns <= now_ns);
                EXPECT(due_ns - START ==
                       mod_interval_time_of(&open.mod, (mod_amount)hit * MOD_HIT));
            }
        }
        EXPECT(hit == mod_interval_hits(&open.mod));
        EXPECT(total == hit);
        EXPECT(flow_due(&open.flow, START + 100 * S, 0) == 0);
        EXPECT(!flow_is_exhausted(&open.flow));
    }
}

static void test_flow_open_includes_the_hit_at_the_end_and_none_behind_a_stop(void)
{
    static const struct plan_stage stage = {10 * S, 1, 1};
    struct open open;

    open_start(&open, &stage, 1, &(struct flow_open){ROOMY});
    EXPECT(flow_due(&open.flow, START + 10 * S - 1, 0) == 9);
    EXPECT(flow_due(&open.flow, START + 20 * S, 0) == 1);

    open_start(&open, &stage, 1, &(struct flow_open){ROOMY});
    EXPECT(flow_due(&open.flow, START + 3 * S, 0) == 3);
    open.flow.end_ns = START + 5 * S;
    EXPECT(flow_next_due_ns(&open.flow) == START + 4 * S);
    EXPECT(flow_due(&open.flow, START + 20 * S, 0) == 2);
    EXPECT(flow_next_due_ns(&open.flow) == TIME_NEVER);
}

static void test_flow_open_ends_at_its_count(void)
{
    static const struct plan_stage stage = {10 * S, 100, 100};
    struct open open;
    uint64_t due_ns = 0;

    open_start(&open, &stage, 1, &(struct flow_open){ROOMY, .issued_max = 7});
    EXPECT(flow_due(&open.flow, START + 5 * S, 0) == 7);
    EXPECT(flow_next_due_ns(&open.flow) == TIME_NEVER);
    EXPECT(!flow_is_exhausted(&open.flow));
    while (flow_take(&open.flow, &due_ns)) {
    }
    EXPECT(due_ns == START + 70 * MS);
    EXPECT(flow_is_exhausted(&open.flow));
}

static void test_flow_open_sheds_the_newest_when_it_is_full(void)
{
    static const struct {
        uint32_t pending_max, idle;
        uint64_t kept;
    } rows[] = {{0, 0, 0},   {0, 3, 3},    {1, 0, 1},     {5, 0, 5},      {5, 2, 7},
                {99, 0, 99}, {99, 1, 100}, {100, 0, 100}, {1000, 64, 100}};
    static const struct plan_stage stage = {S, 100, 100};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct open open;
        uint64_t due_ns = 0, kept = 0;

        open_start(&open, &stage, 1,
                   &(struct flow_open){
                       .pending_max = rows[i].pending_max, .idle_max = 64, .wait_max_ns = 100 * S});
        EXPECT(flow_due(&open.flow, START + S, rows[i].idle) == 100);
        EXPECT(open.flow.pending == rows[i].kept);
        EXPECT(open.flow.shed[SHED_FULL] == 100 - rows[i].kept);
        EXPECT(open.flow.shed[SHED_WAITED] == 0);
        while (flow_take(&open.flow, &due_ns)) {
            kept++;
            EXPECT(due_ns == START + kept * 10 * MS);
        }
        EXPECT(kept == rows[i].kept);
    }
}

/* A place that becomes free is the next one's: the queue has gaps, in the order of time. */
static void test_flow_open_fills_places_again(void)
{
    static const struct plan_stage stage = {S, 1000, 1000};
    struct open open;
    uint64_t due_ns = 0, last_ns = 0, taken = 0;

    open_start(&open, &stage, 1, &(struct flow_open){.pending_max = 3, .wait_max_ns = 100 * S});
    for (uint64_t ms = 1; ms <= 1000; ms++) {
        EXPECT(flow_due(&open.flow, START + ms * MS, 0) == 1);
        EXPECT(open.flow.pending <= 3);
        if (ms % 10 != 0) continue;
        EXPECT(flow_take(&open.flow, &due_ns));
        EXPECT(due_ns > last_ns);
        last_ns = due_ns;
        taken++;
    }
    EXPECT(taken == 100);
    EXPECT(last_ns == START + 971 * MS);
    EXPECT(open.flow.shed[SHED_FULL] == 1000 - 100 - open.flow.pending);
}

static void test_flow_open_sheds_the_oldest_when_it_has_waited_too_long(void)
{
    static const struct plan_stage stage = {S, 100, 100};
    struct open open;
    uint64_t due_ns = 0;

    open_start(&open, &stage, 1, &(struct flow_open){.pending_max = 1000, .wait_max_ns = 55 * MS});
    EXPECT(flow_due(&open.flow, START + 50 * MS, 0) == 5);
    EXPECT(flow_next_shed_ns(&open.flow) == START + 65 * MS);
    EXPECT(flow_due(&open.flow, START + 65 * MS - 1, 0) == 1);
    EXPECT(open.flow.shed[SHED_WAITED] == 0);
    EXPECT(flow_due(&open.flow, START + 65 * MS, 0) == 0);
    EXPECT(open.flow.shed[SHED_WAITED] == 1);
    EXPECT(flow_take(&open.flow, &due_ns));
    EXPECT(due_ns == START + 20 * MS);
    EXPECT(flow_due(&open.flow, START + 2 * S, 0) == 94);
    EXPECT(open.flow.pending == 0);
    EXPECT(open.flow.shed[SHED_WAITED] == 99);
}

/* However often we look, the same is shed, as long as nothing is taken. */
static void test_flow_open_sheds_the_same_however_often_it_looks(void)
{
    static const struct plan_stage stages[] = {{S, 0, 1000}, {S, 0, 0}, {S, 700, 50}};
    static const uint64_t steps[] = {MS / 10, MS, 7 * MS, 150 * MS, 4 * S};
    uint64_t full = 0, waited = 0;

    for (size_t i = 0; i < COUNT(steps); i++) {
        struct open open;

        open_start(&open, stages, COUNT(stages),
                   &(struct flow_open){.pending_max = 40, .wait_max_ns = 100 * MS});
        for (uint64_t now_ns = START; now_ns <= START + 4 * S; now_ns += steps[i]) {
            (void)flow_due(&open.flow, now_ns, 0);
        }
        (void)flow_due(&open.flow, START + 4 * S, 0);
        EXPECT(open.flow.issued == 875);
        EXPECT(open.flow.pending == 0);
        if (i == 0) {
            full = open.flow.shed[SHED_FULL];
            waited = open.flow.shed[SHED_WAITED];
            EXPECT(full > 0 && waited > 0);
        }
        EXPECT(open.flow.shed[SHED_FULL] == full);
        EXPECT(open.flow.shed[SHED_WAITED] == waited);
    }
}

static void test_flow_open_takes_poisson_arrivals_too(void)
{
    static const struct plan_stage stage = {10 * S, 1000, 1000};
    struct open open;
    struct arrivals same;
    uint64_t due_ns = 0;

    open_start(&open, &stage, 1,
               &(struct flow_open){ROOMY, .arrivals = {.kind = PLAN_ARRIVALS_POISSON, .seed = 9}});
    arrivals_init(
        &same, &open.mod,
        &(struct arrivals_options){.kind = PLAN_ARRIVALS_POISSON, .workers = 1, .seed = 9});
    EXPECT(flow_due(&open.flow, START + 10 * S, 0) > 9000);
    while (flow_take(&open.flow, &due_ns)) {
        EXPECT(due_ns == START + arrivals_next(&same));
    }
    EXPECT(arrivals_next(&same) == TIME_NEVER);
}

static void test_flow_says_when_there_is_no_memory(void)
{
    static const struct plan_stage stage = {S, 1, 1};
    struct mod_interval mod;
    struct arena small;
    struct flow flow;

    EXPECT(mod_interval_init(&mod, &arena, &stage, 1));
    arena_init(&small, 64);
    EXPECT(!flow_init(&flow, &small, 100, 0));
    EXPECT(!flow_init_open(
        &flow, &small,
        &(struct flow_open){.mod = &mod, .pending_max = 100, .arrivals = {.workers = 1}}));
    arena_release(&small);
}

static void more_ends_than_slots(void)
{
    struct flow flow = closed(1, 0);

    (void)flow_start(&flow, START, START + S);
    (void)flow_slot_free(&flow, START + 1);
}

static void more_idle_than_said(void)
{
    static const struct plan_stage stage = {S, 1, 1};
    struct open open;

    open_start(&open, &stage, 1, &(struct flow_open){.pending_max = 4, .idle_max = 4});
    (void)flow_due(&open.flow, START, 5);
}

static void test_flow_refuses_what_cannot_be(void)
{
    EXPECT(aborts(more_ends_than_slots));
    EXPECT(aborts(more_idle_than_said));
}

int main(void)
{
    arena_init(&arena, 0);
    TEST(test_flow_closed_makes_every_slot_due_at_the_start);
    TEST(test_flow_closed_makes_a_slot_due_when_its_request_ended);
    TEST(test_flow_closed_ends_at_its_count);
    TEST(test_flow_closed_holds_the_slots_of_failed_connects);
    TEST(test_flow_open_makes_due_what_the_schedule_says);
    TEST(test_flow_open_includes_the_hit_at_the_end_and_none_behind_a_stop);
    TEST(test_flow_open_ends_at_its_count);
    TEST(test_flow_open_sheds_the_newest_when_it_is_full);
    TEST(test_flow_open_fills_places_again);
    TEST(test_flow_open_sheds_the_oldest_when_it_has_waited_too_long);
    TEST(test_flow_open_sheds_the_same_however_often_it_looks);
    TEST(test_flow_open_takes_poisson_arrivals_too);
    TEST(test_flow_says_when_there_is_no_memory);
    TEST(test_flow_refuses_what_cannot_be);
    arena_release(&arena);
    return 0;
}
