/* The open loop in virtual time, workers and all: every request reaches the server exactly one
 * way's latency after it was due, arrivals are a Poisson process where that was asked for, and
 * latencies are what servers of known behaviour must lead to, to the nanosecond. */
#include <math.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "config/request.h"
#include "core/coord.h"
#include "core/mod_interval.h"
#include "core/worker.h"
#include "tests/sim/ring_sim.h"
#include "tests/sim/sim_peer.h"
#include "tests/test.h"

enum { WORKERS_MAX = 3, STAGES_MAX = 8, PORT = 8080 };

#define S  NS_PER_S
#define MS NS_PER_MS
/* One way, the same for every segment; connecting takes a whole turn and is over by 1 ms. */
#define LATENCY_NS (50 * NS_PER_US)
#define QUIET    \
    {            \
        MS, 0, 0 \
    }

struct load {
    const char *name;
    struct plan_stage stages[STAGES_MAX];
    uint32_t stages_count;
    uint32_t workers;
    uint32_t connections;
    enum plan_arrivals arrivals;
    uint64_t max_pending; /* 0: the usual. */
    uint64_t warmup_ns;
    uint32_t pipeline; /* 0: none. */
};

/* A run and what it leaves. */
struct world {
    struct sim *sim;
    struct sim_peer *peer;
    struct plan plan;
    struct plan_target target;
    struct plan_request request;
    struct addresses addresses;
    const struct addresses *list;
    struct mod_interval mod;
    struct worker *workers[WORKERS_MAX];
    struct worker_shared *shared[WORKERS_MAX];
    struct arena arena;
    struct coord coord;
    uint64_t start_ns;
    struct hist_view from_due, from_sent, lateness, conn_wait;
};

static void wake(void *self, uint32_t worker)
{
    struct world *world = self;

    if (world->workers[worker] != NULL) worker_wake(world->workers[worker]);
}

static void make_plan(struct world *world, const struct load *load)
{
    struct plan *plan = &world->plan;
    struct plan_request_options options = {.method = "GET"};
    struct err_info why;

    plan_init(plan);
    EXPECT(plan_parse_url(&plan->arena, "http://127.0.0.1:8080/", &world->target, &why) == ERR_OK);
    plan->targets = &world->target;
    plan->targets_count = 1;
    EXPECT(plan_build_request(plan, 0, &options, &world->request, &why) == ERR_OK);
    plan->requests = &world->request;
    plan->requests_count = 1;
    plan->workers = load->workers;
    plan->connections = load->connections;
    plan->open_loop = true;
    plan->stages = arena_array(&plan->arena, load->stages_count, sizeof(*plan->stages));
    EXPECT(plan->stages != NULL);
    memcpy(plan->stages, load->stages, load->stages_count * sizeof(*plan->stages));
    plan->stages_count = load->stages_count;
    plan->arrivals = load->arrivals;
    plan->warmup_ns = load->warmup_ns;
    if (load->pipeline != 0) plan->pipeline = load->pipeline;
    if (load->max_pending != 0) plan->max_pending = load->max_pending;
    EXPECT(mod_interval_init(&world->mod, &plan->arena, plan->stages, plan->stages_count));
    plan->duration_ns = mod_interval_end_ns(&world->mod);
}

static void start_workers(struct world *world, const struct sockaddr_in *address)
{
    struct coord_owner owner = {.self = world, .wake = wake};
    struct err_info why;

    memcpy(&world->addresses.list[0].storage, address, sizeof(*address));
    world->addresses.list[0].len = sizeof(*address);
    world->addresses.count = 1;
    world->list = &world->addresses;
    for (uint32_t i = 0; i < world->plan.workers; i++) {
        struct worker_shared *shared = arena_array(&world->arena, 1, sizeof(*shared));
        struct worker_options options = {.plan = &world->plan,
                                         .addresses = &world->list,
                                         .shared = shared,
                                         .stats_arena = &world->arena,
                                         .index = i};

        EXPECT(shared != NULL);
        mailbox_init(&shared->orders, shared->orders_slots, ORDERS_SLOTS);
        mailbox_init(&shared->news, shared->news_slots, NEWS_SLOTS);
        world->shared[i] = shared;
        EXPECT(worker_new(&world->workers[i], &options, &why) == ERR_OK);
        EXPECT(mailbox_post(&shared->news, (struct mail){.kind = NEWS_READY}));
    }
    coord_init(&world->coord, &world->plan, world->shared, &owner);
}

static void step_workers(struct world *world)
{
    for (uint32_t i = 0; i < world->plan.workers; i++) {
        if (world->workers[i] == NULL || worker_step(world->workers[i])) continue;
        worker_free(world->workers[i]);
        world->workers[i] = NULL;
        EXPECT(mailbox_post(&world->shared[i]->news, (struct mail){.kind = NEWS_ENDED}));
    }
}

/* Runs `load` on a server of this behaviour, freeze relative to the start of the run. */
static void run(struct world *world, const struct load *load, const struct sim_behaviour *behaviour)
{
    struct sim_behaviour own = *behaviour;
    struct sim_options options;
    struct sockaddr_in address;

    *world = (struct world){.start_ns = 0};
    printf("%s\n", load->name);
    make_plan(world, load);
    sim_options_plain(&options, 1);
    options.latency_ns_min = LATENCY_NS;
    options.latency_ns_max = LATENCY_NS;
    world->sim = sim_new(&options);
    world->start_ns = sim_now_ns(world->sim);
    own.freeze_from_ns += world->start_ns;
    own.freeze_to_ns += world->start_ns;
    world->peer = sim_peer_new_local(world->sim, PORT, &own, &address);
    arena_init(&world->arena, 0);
    start_workers(world, &address);
    while (world->coord.phase != COORD_ENDED) {
        step_workers(world);
        sim_at(world->sim, coord_step(&world->coord, sim_now_ns(world->sim), 0), NULL, NULL);
        if (world->coord.phase == COORD_ENDED) break;
        EXPECT(sim_advance(world->sim));
    }
    EXPECT(world->coord.start_ns == world->start_ns);
    EXPECT(world->coord.readings_open == 0);
    EXPECT(ledger_closes(&world->coord.ledger));
    hist_view_clear(&world->from_due);
    hist_view_clear(&world->from_sent);
    hist_view_clear(&world->lateness);
    hist_view_clear(&world->conn_wait);
    for (uint32_t i = 0; i < world->plan.workers; i++) {
        hist_view_add(&world->from_due, &world->shared[i]->stats.from_due);
        stats_add_from_sent(&world->shared[i]->stats, &world->from_sent);
        hist_view_add(&world->lateness, &world->shared[i]->stats.lateness);
        hist_view_add(&world->conn_wait, &world->shared[i]->stats.conn_wait);
    }
}

static void end(struct world *world)
{
    sim_free(world->sim);
    arena_release(&world->arena);
    plan_release(&world->plan);
}

/* All was sent and answered, never late, and nothing waited for a connection. */
static void expect_punctual(const struct world *world)
{
    const struct ledger *ledger = &world->coord.ledger;
    uint64_t measured = ledger->due - ledger->warmup;

    EXPECT(ledger->started == ledger->due);
    EXPECT(ledger->ok == ledger->due);
    EXPECT(world->lateness.count == measured);
    EXPECT(world->lateness.max_ns == 0);
    EXPECT(world->conn_wait.count == measured);
    EXPECT(world->conn_wait.max_ns == 0);
    EXPECT(world->from_due.count == measured);
}

static struct world world;

static void test_open_loop_sends_when_the_integral_says(void)
{
    static const struct load loads[] = {
        {"constant", {QUIET, {5 * S, 40009, 40009}}, 2, 1, 64, 0, 0, 0, 0},
        {"up", {QUIET, {8 * S, 0, 50003}}, 2, 2, 64, 0, 0, 0, 0},
        {"down", {QUIET, {8 * S, 50003, 0}}, 2, 3, 64, 0, 0, 0, 0},
        {"constant over three", {QUIET, {3 * S, 67001, 67001}}, 2, 3, 64, 0, 0, 0, 0},
        {"windows", {QUIET, {5 * S, 40009, 40009}}, 2, 2, 4, .pipeline = 8},
        {"all of them",
         {QUIET,
          {3 * S, 0, 30011},
          {2 * S, 30011, 30011},
          {S, 0, 0},
          {0, 0, 99},
          {S, 77777, 1},
          {5 * S / 3, 1, 1},
          {3 * S, 31, 47117}},
         8,
         3,
         64,
         .max_pending = 0},
    };
    struct sim_behaviour prompt = {.routes_count = 0};
    uint64_t sent = 0;

    for (size_t i = 0; i < COUNT(loads); i++) {
        const struct sim_request *requests;
        size_t count;

        run(&world, &loads[i], &prompt);
        requests = sim_peer_requests(world.peer, &count);
        EXPECT(count == mod_interval_hits(&world.mod));
        for (size_t n = 0; n < count; n++) {
            EXPECT(requests[n].arrived_ns - LATENCY_NS - world.start_ns ==
                   mod_interval_time_of(&world.mod, (mod_amount)(n + 1) * MOD_HIT));
        }
        expect_punctual(&world);
        EXPECT(world.from_due.min_ns == 2 * LATENCY_NS);
        EXPECT(world.from_due.max_ns == 2 * LATENCY_NS);
        sent += count;
        end(&world);
    }
    printf("%llu requests, each to the nanosecond\n", (unsigned long long)sent);
    EXPECT(sent >= 1000000);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* What the server sees of three workers is one Poisson process: its gaps, measured in the
 * integral of the rate, are unit exponential (Kolmogorov and Smirnov; 1.63 is passed by chance
 * once in a hundred). */
static void test_open_loop_sends_as_a_poisson_process(void)
{
    static const struct load loads[] = {
        {"Poisson", {QUIET, {10 * S, 5000, 5000}}, 2, 3, 64, PLAN_ARRIVALS_POISSON, 0, 0, 0},
        {"Poisson, up", {QUIET, {10 * S, 0, 10000}}, 2, 2, 64, PLAN_ARRIVALS_POISSON, 0, 0, 0},
    };
    static double gaps[60000];
    struct sim_behaviour prompt = {.routes_count = 0};

    for (size_t i = 0; i < COUNT(loads); i++) {
        const struct sim_request *requests;
        mod_amount before = 0;
        double most = 0;
        size_t count;

        run(&world, &loads[i], &prompt);
        requests = sim_peer_requests(world.peer, &count);
        EXPECT(fabs((double)count - 50000) < 5 * sqrt(50000));
        EXPECT(count <= COUNT(gaps));
        for (size_t n = 0; n < count; n++) {
            mod_amount amount = mod_interval_amount_at(&world.mod, requests[n].arrived_ns -
                                                                       LATENCY_NS - world.start_ns);

            gaps[n] = (double)(amount - before) / (double)MOD_HIT;
            before = amount;
        }
        qsort(gaps, count, sizeof(*gaps), by_size);
        for (size_t n = 0; n < count; n++) {
            double share = 1 - exp(-gaps[n]);

            most = fmax(most, fmax((double)(n + 1) / (double)count - share,
                                   share - (double)n / (double)count));
        }
        printf("%zu gaps, %.3f\n", count, most * sqrt((double)count));
        EXPECT(most * sqrt((double)count) < 1.63);
        expect_punctual(&world);
        end(&world);
    }
}

static void test_open_loop_measures_a_constant_delay(void)
{
    static const struct load load = {"constant delay", {QUIET, {2 * S, 5000, 5000}}, 2, 2, 64,
                                     .max_pending = 0};
    struct sim_behaviour late = {.delay = {.kind = SIM_DELAY_CONSTANT, .a_ns = 2 * MS}};

    run(&world, &load, &late);
    expect_punctual(&world);
    EXPECT(world.from_due.count == 10000);
    EXPECT(world.from_due.min_ns == 2 * LATENCY_NS + 2 * MS);
    EXPECT(world.from_due.max_ns == 2 * LATENCY_NS + 2 * MS);
    EXPECT(world.from_sent.max_ns == 2 * LATENCY_NS + 2 * MS);
    end(&world);
}

/* Every answer takes one of two times; as many of each are counted as the server made. */
static void test_open_loop_measures_two_delays(void)
{
    static const struct load load = {"two delays",    {QUIET, {5 * S, 1000, 1000}}, 2, 2, 1000,
                                     .max_pending = 0};
    struct sim_behaviour late = {
        .delay = {.kind = SIM_DELAY_TWO_POINT, .a_ns = MS, .b_ns = S, .b_share = 0.1}};
    const struct sim_request *requests;
    uint64_t fast = 0, slow = 0;
    size_t count;

    run(&world, &load, &late);
    expect_punctual(&world);
    requests = sim_peer_requests(world.peer, &count);
    EXPECT(count == 5000);
    for (size_t i = 0; i < count; i++) {
        uint64_t took_ns = requests[i].answered_ns - requests[i].arrived_ns;

        fast += took_ns == MS;
        slow += took_ns == S;
    }
    EXPECT(fast + slow == count);
    EXPECT(slow > 400 && slow < 600);
    EXPECT(world.from_due.buckets[hist_bucket_of(MS + 2 * LATENCY_NS)] == fast);
    EXPECT(world.from_due.buckets[hist_bucket_of(S + 2 * LATENCY_NS)] == slow);
    EXPECT(world.from_due.min_ns == MS + 2 * LATENCY_NS);
    EXPECT(world.from_due.max_ns == S + 2 * LATENCY_NS);
    EXPECT(world.from_due.sum_ns == fast * MS + slow * S + count * 2 * LATENCY_NS);
    end(&world);
}

/* A server that answers nothing for a second: whoever was due in it waited for its end, and the
 * figures say so although most of them found no free connection and were sent only then. */
static void test_open_loop_measures_a_freeze_from_due(void)
{
    static const struct load loads[] = {
        {"freeze, a connection for each", {QUIET, {4 * S, 1000, 1000}}, 2, 2, 2200, 0, 0, 0, 0},
        {"freeze, few connections", {QUIET, {4 * S, 1000, 1000}}, 2, 2, 32, 0, 0, 0, 0},
    };
    struct sim_behaviour frozen = {.freeze_from_ns = S, .freeze_to_ns = 2 * S};

    for (size_t i = 0; i < COUNT(loads); i++) {
        bool few = loads[i].connections < 1000;
        uint64_t p90_ns, p99_ns;

        run(&world, &loads[i], &frozen);
        EXPECT(world.from_due.count == 4000);
        EXPECT(world.coord.ledger.ok == 4000);
        EXPECT(world.lateness.max_ns == 0);
        EXPECT((world.conn_wait.max_ns > 0) == few);
        EXPECT(world.from_due.min_ns == 2 * LATENCY_NS);
        /* A quarter of the requests waits between nothing and a second, evenly: of all, the share
         * 3/4 + x/4 waits up to x seconds. With few connections those that waited go out one
         * after the other, 32 per turn of 100 us: 3 ms more for the last. */
        p90_ns = hist_view_percentile_ns(&world.from_due, 0.9);
        p99_ns = hist_view_percentile_ns(&world.from_due, 0.99);
        EXPECT(p90_ns > 598 * MS && p90_ns < (few ? 605 : 602) * MS);
        EXPECT(p99_ns > 957 * MS && p99_ns < (few ? 965 : 962) * MS);
        EXPECT(world.from_due.max_ns > 999 * MS && world.from_due.max_ns < 1002 * MS);
        end(&world);
    }
}

/* With windows for all that comes while a server freezes, nobody waits for a connection; without,
 * the wait is that for room in a window. */
static void test_open_loop_waits_for_room_in_a_window(void)
{
    static const struct load loads[] = {
        {"freeze, room for each", {QUIET, {4 * S, 1000, 1000}}, 2, 2, 4, .pipeline = 600},
        {"freeze, small windows", {QUIET, {4 * S, 1000, 1000}}, 2, 2, 4, .pipeline = 100},
    };
    struct sim_behaviour frozen = {.freeze_from_ns = S, .freeze_to_ns = 2 * S};

    for (size_t i = 0; i < COUNT(loads); i++) {
        run(&world, &loads[i], &frozen);
        EXPECT(world.from_due.count == 4000);
        EXPECT(world.coord.ledger.ok == 4000);
        EXPECT(world.lateness.max_ns == 0);
        EXPECT((world.conn_wait.max_ns > 0) == (i == 1));
        EXPECT(world.from_due.min_ns == 2 * LATENCY_NS);
        EXPECT(world.from_due.max_ns > 999 * MS && world.from_due.max_ns < 1002 * MS);
        end(&world);
    }
}

static void test_open_loop_leaves_the_warm_up_out(void)
{
    static const struct load load = {
        "warm-up", {{2 * S, 0, 2000}, {2 * S, 2000, 2000}}, 2, 3, 64, 0, 0, 2 * S, 0};
    struct sim_behaviour prompt = {.routes_count = 0};

    run(&world, &load, &prompt);
    expect_punctual(&world);
    EXPECT(world.coord.ledger.due == 6000);
    EXPECT(world.coord.ledger.warmup == 2000);
    EXPECT(world.from_due.count == 4000);
    /* Due within 100 us before the end of the warm-up, answered after it: one; and as many at the
     * end of the run are answered after that. */
    EXPECT(world.coord.ledger.ok_in_span == 4000);
    end(&world);
}

static void test_open_loop_sheds_what_finds_no_place(void)
{
    static const struct load load = {"shedding", {QUIET, {2 * S, 1000, 1000}}, 2, 1, 4, 0, 100, 0,
                                     0};
    struct sim_behaviour frozen = {.freeze_from_ns = S / 2, .freeze_to_ns = 3 * S};
    const struct ledger *ledger = &world.coord.ledger;

    run(&world, &load, &frozen);
    /* 499 or so were answered before, 4 are underway, 100 wait, the others found no place. */
    EXPECT(ledger->due == 2000);
    EXPECT(ledger->shed[SHED_WAITED] == 0);
    EXPECT(ledger->started == ledger->ok);
    EXPECT(ledger->ok >= 498 + 4 + 100 && ledger->ok <= 500 + 4 + 100);
    EXPECT(ledger->shed[SHED_FULL] == 2000 - ledger->ok);
    end(&world);
}

int main(void)
{
    TEST(test_open_loop_sends_when_the_integral_says);
    TEST(test_open_loop_sends_as_a_poisson_process);
    TEST(test_open_loop_measures_a_constant_delay);
    TEST(test_open_loop_measures_two_delays);
    TEST(test_open_loop_measures_a_freeze_from_due);
    TEST(test_open_loop_waits_for_room_in_a_window);
    TEST(test_open_loop_leaves_the_warm_up_out);
    TEST(test_open_loop_sheds_what_finds_no_place);
    return 0;
}
