/* What flow promises: the closed loop never has more requests than slots, the open loop makes due
 * what the schedule says and nothing else, what it sheds is the newest when there is no place and
 * the oldest when it has waited too long, and each request waits in the lane of its target. */
#include "core/flow.h"

#include "tests/aborts.h"
#include "tests/test.h"

#define MS    NS_PER_MS
#define S     NS_PER_S
#define START (1000 * S)

static struct arena arena;

/* A flow of one request with the lane it feeds. */
struct one {
    struct lanes lanes;
    struct mod_interval mod;
    struct flow flow;
    uint32_t idle;
    const uint32_t *idle_at;
};

static struct flow_parts parts_of(struct one *one, uint32_t places, uint64_t issued_max)
{
    static const struct turn turn = {0, 0};

    EXPECT(lanes_init(&one->lanes, &arena, 1, places));
    return (struct flow_parts){.lanes = &one->lanes,
                               .turns = {.list = &turn, .count = 1},
                               .requests_count = 1,
                               .issued_max = issued_max};
}

static void closed(struct one *one, uint32_t slots, uint64_t issued_max)
{
    struct flow_parts parts = parts_of(one, slots, issued_max);

    EXPECT(flow_init(&one->flow, &arena, &parts, slots));
    EXPECT(!one->flow.open);
}

static bool take(struct one *one, uint64_t *ret_due_ns)
{
    struct lane_waiting waiting;

    if (!lanes_take(&one->lanes, 0, &waiting)) return false;
    EXPECT(waiting.request == 0);
    *ret_due_ns = waiting.due_ns;
    return true;
}

static void test_flow_closed_makes_every_slot_due_at_the_start(void)
{
    static const uint32_t slots[] = {1, 2, 3, 64, 100};

    for (size_t i = 0; i < COUNT(slots); i++) {
        struct one one;
        uint64_t due_ns = 0;

        closed(&one, slots[i], 0);
        EXPECT(!take(&one, &due_ns));
        EXPECT(flow_start(&one.flow, START, START + S) == slots[i]);
        EXPECT(one.lanes.pending == slots[i]);
        for (uint32_t n = 0; n < slots[i]; n++) {
            EXPECT(take(&one, &due_ns));
            EXPECT(due_ns == START);
        }
        EXPECT(!take(&one, &due_ns));
    }
}

static void test_flow_closed_makes_a_slot_due_when_its_request_ended(void)
{
    struct one one;
    uint64_t due_ns = 0;

    closed(&one, 2, 0);
    EXPECT(flow_start(&one.flow, START, START + S) == 2);
    for (uint64_t now_ns = START; now_ns < START + 100; now_ns++) {
        EXPECT(take(&one, &due_ns));
        EXPECT(flow_slot_free(&one.flow, now_ns));
    }
    EXPECT(take(&one, &due_ns));
    EXPECT(due_ns == START + 98);
    EXPECT(take(&one, &due_ns));
    EXPECT(due_ns == START + 99);
    EXPECT(!flow_slot_free(&one.flow, START + S));
    EXPECT(!flow_is_exhausted(&one.flow));
}

static void test_flow_closed_ends_at_its_count(void)
{
    struct one one;
    uint64_t due_ns = 0;

    closed(&one, 4, 6);
    EXPECT(flow_start(&one.flow, START, TIME_NEVER) == 4);
    EXPECT(take(&one, &due_ns) && take(&one, &due_ns));
    EXPECT(flow_slot_free(&one.flow, START + 1));
    EXPECT(flow_slot_free(&one.flow, START + 2));
    EXPECT(!flow_slot_free(&one.flow, START + 3));
    EXPECT(!flow_is_exhausted(&one.flow));
    for (int i = 0; i < 4; i++) {
        EXPECT(take(&one, &due_ns));
    }
    EXPECT(flow_is_exhausted(&one.flow));
}

static void test_flow_closed_holds_the_slots_of_failed_connects(void)
{
    struct one one;
    uint64_t due_ns = 0;

    closed(&one, 3, 0);
    EXPECT(flow_start(&one.flow, START, START + S) == 3);
    EXPECT(take(&one, &due_ns) && take(&one, &due_ns));
    flow_hold_slot(&one.flow, 0);
    flow_hold_slot(&one.flow, 0);
    EXPECT(one.lanes.pending == 1);
    EXPECT(flow_release_held(&one.flow, 0, START + 10) == 2);
    EXPECT(flow_release_held(&one.flow, 0, START + 11) == 0);
    EXPECT(take(&one, &due_ns));
    EXPECT(due_ns == START);
    EXPECT(take(&one, &due_ns));
    EXPECT(due_ns == START + 10);
}

/* How an open flow is made; places for `idle_max` free connections. */
struct open_options {
    struct flow_open open;
    uint64_t issued_max;
    uint32_t idle_max;
};

/* An open loop over `stages`, started. */
static void open_start(struct one *one, const struct plan_stage *stages, uint32_t count,
                       const struct open_options *options)
{
    struct flow_open all = options->open;
    struct flow_parts parts =
        parts_of(one, all.pending_max + options->idle_max, options->issued_max);

    EXPECT(mod_interval_init(&one->mod, &arena, stages, count));
    one->idle = 0;
    one->idle_at = &one->idle;
    all.mod = &one->mod;
    all.idle = &one->idle_at;
    if (all.arrivals.workers == 0) all.arrivals.workers = 1;
    EXPECT(flow_init_open(&one->flow, &arena, &parts, &all));
    EXPECT(flow_next_due_ns(&one->flow) == TIME_NEVER);
    EXPECT(flow_start(&one->flow, START, START + mod_interval_end_ns(&one->mod)) == 0);
    EXPECT(flow_next_shed_ns(&one->flow) == TIME_NEVER);
}

#define ROOMY .open.pending_max = 1000000, .open.wait_max_ns = 1000 * S

static void test_flow_open_makes_due_what_the_schedule_says(void)
{
    static const struct plan_stage stages[] = {{S, 0, 999}, {S, 999, 999}, {S, 0, 0}, {S, 99, 0}};
    static const uint64_t steps[] = {1, 1000, 33333, MS, 20 * MS, 700 * MS, 5 * S};

    for (size_t i = 0; i < COUNT(steps); i++) {
        struct one open;
        uint64_t hit = 0, total = 0, due_ns = 0, now_ns = START;

        open_start(&open, stages, COUNT(stages), &(struct open_options){ROOMY});
        while (flow_next_due_ns(&open.flow) != TIME_NEVER) {
            /* The smallest step would take a day: from one moment to the next instead. */
            now_ns = steps[i] == 1 ? flow_next_due_ns(&open.flow) : now_ns + steps[i];
            if (steps[i] == 1) EXPECT(flow_due(&open.flow, now_ns - 1) == 0);
            total += flow_due(&open.flow, now_ns);
            EXPECT(flow_due(&open.flow, now_ns) == 0);
            EXPECT(total == open.flow.issued);
            EXPECT(total == mod_interval_amount_at(&open.mod, now_ns - START) / MOD_HIT);
            while (take(&open, &due_ns)) {
                hit++;
                EXPECT(due_ns <= now_ns);
                EXPECT(due_ns - START ==
                       mod_interval_time_of(&open.mod, (mod_amount)hit * MOD_HIT));
            }
        }
        EXPECT(hit == mod_interval_hits(&open.mod));
        EXPECT(total == hit);
        EXPECT(flow_due(&open.flow, START + 100 * S) == 0);
        EXPECT(!flow_is_exhausted(&open.flow));
    }
}

static void test_flow_open_includes_the_hit_at_the_end_and_none_behind_a_stop(void)
{
    static const struct plan_stage stage = {10 * S, 1, 1};
    struct one open;

    open_start(&open, &stage, 1, &(struct open_options){ROOMY});
    EXPECT(flow_due(&open.flow, START + 10 * S - 1) == 9);
    EXPECT(flow_due(&open.flow, START + 20 * S) == 1);

    open_start(&open, &stage, 1, &(struct open_options){ROOMY});
    EXPECT(flow_due(&open.flow, START + 3 * S) == 3);
    open.flow.end_ns = START + 5 * S;
    EXPECT(flow_next_due_ns(&open.flow) == START + 4 * S);
    EXPECT(flow_due(&open.flow, START + 20 * S) == 2);
    EXPECT(flow_next_due_ns(&open.flow) == TIME_NEVER);
}

static void test_flow_open_ends_at_its_count(void)
{
    static const struct plan_stage stage = {10 * S, 100, 100};
    struct one open;
    uint64_t due_ns = 0;

    open_start(&open, &stage, 1, &(struct open_options){ROOMY, .issued_max = 7});
    EXPECT(flow_due(&open.flow, START + 5 * S) == 7);
    EXPECT(flow_next_due_ns(&open.flow) == TIME_NEVER);
    EXPECT(!flow_is_exhausted(&open.flow));
    while (take(&open, &due_ns)) {
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
        struct one open;
        uint64_t due_ns = 0, kept = 0;

        open_start(&open, &stage, 1,
                   &(struct open_options){.open.pending_max = rows[i].pending_max,
                                          .idle_max = 64,
                                          .open.wait_max_ns = 100 * S});
        open.idle = rows[i].idle;
        EXPECT(flow_due(&open.flow, START + S) == 100);
        EXPECT(open.lanes.pending == rows[i].kept);
        EXPECT(open.flow.shed[SHED_FULL] == 100 - rows[i].kept);
        EXPECT(open.flow.shed[SHED_WAITED] == 0);
        while (take(&open, &due_ns)) {
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
    struct one open;
    uint64_t due_ns = 0, last_ns = 0, taken = 0;

    open_start(&open, &stage, 1,
               &(struct open_options){.open.pending_max = 3, .open.wait_max_ns = 100 * S});
    for (uint64_t ms = 1; ms <= 1000; ms++) {
        EXPECT(flow_due(&open.flow, START + ms * MS) == 1);
        EXPECT(open.lanes.pending <= 3);
        if (ms % 10 != 0) continue;
        EXPECT(take(&open, &due_ns));
        EXPECT(due_ns > last_ns);
        last_ns = due_ns;
        taken++;
    }
    EXPECT(taken == 100);
    EXPECT(last_ns == START + 971 * MS);
    EXPECT(open.flow.shed[SHED_FULL] == 1000 - 100 - open.lanes.pending);
}

static void test_flow_open_sheds_the_oldest_when_it_has_waited_too_long(void)
{
    static const struct plan_stage stage = {S, 100, 100};
    struct one open;
    uint64_t due_ns = 0;

    open_start(&open, &stage, 1,
               &(struct open_options){.open.pending_max = 1000, .open.wait_max_ns = 55 * MS});
    EXPECT(flow_due(&open.flow, START + 50 * MS) == 5);
    EXPECT(flow_next_shed_ns(&open.flow) == START + 65 * MS);
    EXPECT(flow_due(&open.flow, START + 65 * MS - 1) == 1);
    EXPECT(open.flow.shed[SHED_WAITED] == 0);
    EXPECT(flow_due(&open.flow, START + 65 * MS) == 0);
    EXPECT(open.flow.shed[SHED_WAITED] == 1);
    EXPECT(take(&open, &due_ns));
    EXPECT(due_ns == START + 20 * MS);
    EXPECT(flow_due(&open.flow, START + 2 * S) == 94);
    EXPECT(open.lanes.pending == 0);
    EXPECT(open.flow.shed[SHED_WAITED] == 99);
}

/* However often we look, the same is shed, as long as nothing is taken. */
static void test_flow_open_sheds_the_same_however_often_it_looks(void)
{
    static const struct plan_stage stages[] = {{S, 0, 1000}, {S, 0, 0}, {S, 700, 50}};
    static const uint64_t steps[] = {MS / 10, MS, 7 * MS, 150 * MS, 4 * S};
    uint64_t full = 0, waited = 0;

    for (size_t i = 0; i < COUNT(steps); i++) {
        struct one open;

        open_start(&open, stages, COUNT(stages),
                   &(struct open_options){.open.pending_max = 40, .open.wait_max_ns = 100 * MS});
        for (uint64_t now_ns = START; now_ns <= START + 4 * S; now_ns += steps[i]) {
            (void)flow_due(&open.flow, now_ns);
        }
        (void)flow_due(&open.flow, START + 4 * S);
        EXPECT(open.flow.issued == 875);
        EXPECT(open.lanes.pending == 0);
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
    struct one open;
    struct arrivals same;
    uint64_t due_ns = 0;

    open_start(
        &open, &stage, 1,
        &(struct open_options){ROOMY, .open.arrivals = {.kind = PLAN_ARRIVALS_POISSON, .seed = 9}});
    arrivals_init(
        &same, &open.mod,
        &(struct arrivals_options){.kind = PLAN_ARRIVALS_POISSON, .workers = 1, .seed = 9});
    EXPECT(flow_due(&open.flow, START + 10 * S) > 9000);
    while (take(&open, &due_ns)) {
        EXPECT(due_ns == START + arrivals_next(&same));
    }
    EXPECT(arrivals_next(&same) == TIME_NEVER);
}

/* Three requests at two targets, in turn; the connections of one are all busy. */
struct several {
    struct lanes lanes;
    struct mod_interval mod;
    struct flow flow;
    uint32_t idle[2];
    const uint32_t *idle_at[2];
};

static struct flow_parts parts_of_several(struct several *several, uint32_t places)
{
    static const struct turn lap[] = {{0, 0}, {1, 1}, {2, 0}};

    EXPECT(lanes_init(&several->lanes, &arena, 2, places));
    return (struct flow_parts){
        .lanes = &several->lanes, .turns = {.list = lap, .count = COUNT(lap)}, .requests_count = 3};
}

static void several_start(struct several *several, uint32_t pending_max, uint64_t wait_max_ns)
{
    static const struct plan_stage stage = {S, 900, 900};
    struct flow_parts parts = parts_of_several(several, pending_max + 100);
    struct flow_open options = {.mod = &several->mod,
                                .arrivals = {.workers = 1},
                                .pending_max = pending_max,
                                .wait_max_ns = wait_max_ns,
                                .idle = several->idle_at};

    EXPECT(mod_interval_init(&several->mod, &arena, &stage, 1));
    for (int i = 0; i < 2; i++) {
        several->idle[i] = 0;
        several->idle_at[i] = &several->idle[i];
    }
    EXPECT(flow_init_open(&several->flow, &arena, &parts, &options));
    several->flow.measured_from_ns = START + S / 3 + MS / 2;
    EXPECT(flow_start(&several->flow, START, START + S) == 0);
}

static void test_flow_puts_requests_into_their_lanes_in_turn(void)
{
    struct several several;
    struct lane_waiting waiting;
    uint64_t n[2] = {0, 0};

    several_start(&several, 1000, 10 * S);
    EXPECT(flow_due(&several.flow, START + S) == 900);
    EXPECT(lanes_pending_of(&several.lanes, 0) == 600);
    EXPECT(lanes_pending_of(&several.lanes, 1) == 300);
    for (uint16_t lane = 0; lane < 2; lane++) {
        uint64_t last_ns = 0;

        while (lanes_take(&several.lanes, lane, &waiting)) {
            EXPECT(waiting.request == (lane == 1 ? 1 : n[0] % 2 * 2));
            EXPECT(waiting.due_ns > last_ns);
            last_ns = waiting.due_ns;
            n[lane]++;
        }
    }
    EXPECT(n[0] == 600 && n[1] == 300);
    for (int i = 0; i < 3; i++) {
        EXPECT(several.flow.tally[i].due == 300);
        EXPECT(several.flow.tally[i].warmup == 100);
        EXPECT(several.flow.tally[i].shed == 0);
    }
}

/* What waits for a free connection takes no place from those whose connections are all busy, and
 * the other way round. */
static void test_flow_counts_places_by_lane(void)
{
    static const struct {
        uint32_t pending_max, idle[2];
        uint32_t kept[2]; /* Of the 900. */
    } rows[] = {{0, {0, 0}, {0, 0}},     {0, {5, 2}, {5, 2}},  {0, {0, 9}, {0, 9}},
                {10, {0, 0}, {7, 3}},    {10, {3, 0}, {9, 4}}, {10, {50, 0}, {50, 10}},
                {30, {50, 50}, {80, 50}}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct several several;
        uint64_t shed = 0;

        printf("row %zu\n", i);
        several_start(&several, rows[i].pending_max, 10 * S);
        several.idle[0] = rows[i].idle[0];
        several.idle[1] = rows[i].idle[1];
        EXPECT(flow_due(&several.flow, START + S) == 900);
        EXPECT(lanes_pending_of(&several.lanes, 0) == rows[i].kept[0]);
        EXPECT(lanes_pending_of(&several.lanes, 1) == rows[i].kept[1]);
        for (int j = 0; j < 3; j++) {
            shed += several.flow.tally[j].shed;
        }
        EXPECT(shed == 900 - several.lanes.pending);
        EXPECT(shed == several.flow.shed[SHED_FULL]);
    }
}

/* The oldest of all goes first, from whichever lane. */
static void test_flow_sheds_what_waited_too_long_in_any_lane(void)
{
    struct several several;
    struct lane_waiting waiting;

    several_start(&several, 1000, 100 * MS);
    EXPECT(flow_due(&several.flow, START + 100 * MS) == 90);
    for (int i = 0; i < 30; i++) { /* The other lane is stuck. */
        EXPECT(lanes_take(&several.lanes, 1, &waiting));
    }
    EXPECT(flow_due(&several.flow, START + 150 * MS) == 45);
    EXPECT(lanes_pending_of(&several.lanes, 1) == 15);
    EXPECT(several.flow.shed[SHED_WAITED] == 30);
    EXPECT(several.flow.tally[0].shed == 15);
    EXPECT(several.flow.tally[1].shed == 0);
    EXPECT(several.flow.tally[2].shed == 15);
    EXPECT(lanes_oldest(&several.lanes)->due_ns > START + 50 * MS);
}

static void test_flow_holds_slots_by_lane(void)
{
    struct several several;
    struct lane_waiting waiting;
    struct flow_parts parts = parts_of_several(&several, 4);

    EXPECT(flow_init(&several.flow, &arena, &parts, 4));
    EXPECT(flow_start(&several.flow, START, START + S) == 4);
    EXPECT(lanes_take(&several.lanes, 0, &waiting) && lanes_take(&several.lanes, 1, &waiting));
    flow_hold_slot(&several.flow, 0);
    flow_hold_slot(&several.flow, 1);
    EXPECT(flow_release_held(&several.flow, 0, START + 1) == 1);
    EXPECT(flow_release_held(&several.flow, 0, START + 1) == 0);
    EXPECT(lanes_pending_of(&several.lanes, 1) == 1); /* It was the second's turn again. */
    EXPECT(flow_release_held(&several.flow, 1, START + 2) == 1);
    EXPECT(several.lanes.pending == 4);
}

static void test_flow_says_when_there_is_no_memory(void)
{
    static const struct plan_stage stage = {S, 1, 1};
    struct flow_parts parts;
    struct several several;
    struct arena small;

    EXPECT(mod_interval_init(&several.mod, &arena, &stage, 1));
    parts = parts_of_several(&several, 100);
    for (size_t bytes = 1; bytes < 100; bytes++) {
        arena_init(&small, bytes);
        EXPECT(!flow_init(&several.flow, &small, &parts, 100));
        EXPECT(!flow_init_open(&several.flow, &small, &parts,
                               &(struct flow_open){.mod = &several.mod,
                                                   .pending_max = 100,
                                                   .arrivals = {.workers = 1}}));
        arena_release(&small);
    }
}

static void more_ends_than_slots(void)
{
    struct one one;

    closed(&one, 1, 0);
    (void)flow_start(&one.flow, START, START + S);
    (void)flow_slot_free(&one.flow, START + 1);
}

static void more_idle_than_said(void)
{
    static const struct plan_stage stage = {S, 1000, 1000};
    struct one open;

    open_start(
        &open, &stage, 1,
        &(struct open_options){.open = {.pending_max = 4, .wait_max_ns = 10 * S}, .idle_max = 4});
    open.idle = 5;
    (void)flow_due(&open.flow, START + S);
}

static void more_slots_than_places(void)
{
    struct several several;
    struct flow_parts parts = parts_of_several(&several, 4);

    (void)!flow_init(&several.flow, &arena, &parts, 5);
}

static void test_flow_refuses_what_cannot_be(void)
{
    EXPECT(aborts(more_ends_than_slots));
    EXPECT(aborts(more_idle_than_said));
    EXPECT(aborts(more_slots_than_places));
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
    TEST(test_flow_puts_requests_into_their_lanes_in_turn);
    TEST(test_flow_counts_places_by_lane);
    TEST(test_flow_sheds_what_waited_too_long_in_any_lane);
    TEST(test_flow_holds_slots_by_lane);
    TEST(test_flow_says_when_there_is_no_memory);
    TEST(test_flow_refuses_what_cannot_be);
    arena_release(&arena);
    return 0;
}
