#include "tests/sim/sim_run.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/load.h"
#include "core/runner.h"
#include "core/worker_impl.h"
#include "tests/test.h"

enum {
    MEMORY_BYTES = 64 << 20,
    DESCRIPTORS = 20000,
    DIAGS_BYTES_MAX = 1 << 20,
};

static const char *environment(void *context, const char *name)
{
    (void)context;
    return getenv(name);
}

static void load(struct sim_run *run, const char *yaml)
{
    const struct testfile_options options = {.environment = environment, .skip_files = true};
    struct source source = source_of_text("test.yaml", yaml, strlen(yaml));
    struct arena arena;
    struct diags diags;
    struct text text;

    arena_init(&arena, DIAGS_BYTES_MAX);
    diags_init(&diags, &arena);
    run->test = testfile_load_text(&source, &options, &diags);
    text_init(&text, &arena);
    diags_human(&diags, &text);
    if (run->test == NULL) (void)fprintf(stderr, "%s", text.data);
    EXPECT(run->test != NULL);
    arena_release(&arena);
}

static void make_plan(struct sim_run *run, uint64_t from_ns)
{
    const struct run_machine machine = {.cpus = 1, .descriptors = DESCRIPTORS};
    struct err_info why = {.message = ""};

    plan_init(&run->plan);
    run->plan.pattern_from_ns = from_ns;
    if (run_plan_make(&run->plan, run->test, &machine, &run->crews, &why) != ERR_OK) {
        (void)fprintf(stderr, "%s\n", why.message);
    }
    EXPECT(why.message[0] == '\0');
    EXPECT(run->plan.workers <= SIM_RUN_WORKERS_MAX);
    EXPECT(run->plan.targets_count <= SIM_RUN_TARGETS_MAX);
}

/* A peer for every target, at an address of its own. */
static void make_peers(struct sim_run *run, const struct sim_behaviour *behaviour)
{
    struct sim_behaviour own = {.routes_count = 0};

    if (behaviour != NULL) own = *behaviour;
    own.freeze_from_ns += run->start_ns;
    own.freeze_to_ns += run->start_ns;
    run->lists = arena_array(&run->arena, run->plan.targets_count, sizeof(*run->lists));
    EXPECT(run->lists != NULL);
    for (uint32_t i = 0; i < run->plan.targets_count; i++) {
        long port = strtol(run->plan.targets[i].service, NULL, 10);
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons((uint16_t)port),
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK + i)};

        run->peers[i] =
            sim_peer_new(run->sim, (const struct sockaddr *)&address, sizeof(address), &own);
        memcpy(&run->lists[i].list[0].storage, &address, sizeof(address));
        run->lists[i].list[0].len = sizeof(address);
        run->lists[i].count = 1;
        run->of_target[i] = &run->lists[i];
    }
}

static void wake(void *self, uint32_t worker)
{
    struct sim_run *run = self;

    if (run->workers[worker] != NULL) worker_wake(run->workers[worker]);
}

static void start_workers(struct sim_run *run)
{
    const struct runner_options test = {
        .test = run->test,
        .crews = run->crews.crews,
        .owners = run->crews.owners,
        .provider_crews = run->crews.provider_crews,
        .provider_owners = run->crews.provider_owners,
        .memory_bytes = MEMORY_BYTES,
        .barter = run->crews.split > 0 ? &run->barter : NULL,
    };
    struct coord_owner owner = {.self = run, .wake = wake};

    EXPECT(barter_init(&run->barter, &run->arena, run->plan.workers, run->test->endpoints_count,
                       run->test->providers_count));
    run->barter.wake = wake;
    run->barter.self = run;
    for (uint32_t i = 0; i < run->test->providers_count; i++) {
        EXPECT(run->test->providers[i].kind != PROVIDER_FILE); /* There is no reader. */
    }
    for (uint32_t i = 0; i < run->plan.workers; i++) {
        struct worker_shared *shared = arena_array(&run->arena, 1, sizeof(*shared));
        struct worker_options options = {.plan = &run->plan,
                                         .addresses = run->of_target,
                                         .shared = shared,
                                         .stats_arena = &run->arena,
                                         .index = i,
                                         .test = &test};
        struct err_info why;

        EXPECT(shared != NULL);
        mailbox_init(&shared->orders, shared->orders_slots, ORDERS_SLOTS);
        mailbox_init(&shared->news, shared->news_slots, NEWS_SLOTS);
        run->shared[i] = shared;
        EXPECT(worker_new(&run->workers[i], &options, &why) == ERR_OK);
        EXPECT(mailbox_post(&shared->news, (struct mail){.kind = NEWS_READY}));
    }
    coord_init(&run->coord, &run->plan, run->shared, &owner);
}

static void note_end(struct sim_run *run, const struct worker *worker)
{
    const char *deadlock = worker_deadlock(worker);

    run->end_ns = sim_now_ns(run->sim);
    if (deadlock == NULL || run->deadlock[0] != '\0') return;
    (void)snprintf(run->deadlock, sizeof(run->deadlock), "%s", deadlock);
}

static void step_workers(struct sim_run *run)
{
    for (uint32_t i = 0; i < run->plan.workers; i++) {
        if (run->workers[i] == NULL) continue;
        run->steps++;
        if (worker_step(run->workers[i])) continue;
        note_end(run, run->workers[i]);
        sim_ring_park(run->workers[i]->ring);
        run->ended[i] = run->workers[i]; /* Others may still have values of it. */
        run->workers[i] = NULL;
        EXPECT(mailbox_post(&run->shared[i]->news, (struct mail){.kind = NEWS_ENDED}));
    }
}

static void start_buckets(struct sim_run *run)
{
    struct buckets_options options = {.test = run->test, .plan = &run->plan, .shared = run->shared};

    run->buckets = buckets_new(&run->arena, &options);
    EXPECT(run->buckets != NULL);
    buckets_start(run->buckets, run->start_ns, 1700000000 * NS_PER_S);
}

static void step_buckets(struct sim_run *run)
{
    uint64_t next_ns = buckets_step(run->buckets, sim_now_ns(run->sim));

    if (next_ns != run->bucket_ns) sim_at(run->sim, next_ns, NULL, NULL);
    run->bucket_ns = next_ns;
}

/* What was counted by tags is what was counted of all. */
static void check_groups(struct sim_run *run)
{
    const struct bucket *last;
    uint64_t all = 0, by_group = 0;

    buckets_end(run->buckets, sim_now_ns(run->sim));
    EXPECT(buckets_close(run->buckets));
    last = buckets_last(run->buckets);
    for (uint32_t i = 0; i < last->groups_count; i++) {
        const struct bucket_figures *total = &bucket_load_group(last, i)->total;

        by_group += total->from_due->count;
        EXPECT(total->from_sent->count == total->from_due->count);
    }
    for (uint32_t i = 0; i < run->plan.workers; i++) {
        all += load_relaxed(&run->shared[i]->stats.from_due.count);
    }
    EXPECT(by_group == all);
}

void sim_run(struct sim_run *run, const struct sim_run_options *options)
{
    struct sim_options plain;

    *run = (struct sim_run){.steps = 0};
    arena_init(&run->arena, 0);
    load(run, options->text);
    make_plan(run, options->from_ns);
    sim_options_plain(&plain, 1);
    run->sim = sim_new(options->kernel == NULL ? &plain : options->kernel);
    run->start_ns = sim_now_ns(run->sim);
    make_peers(run, options->behaviour);
    start_workers(run);
    start_buckets(run);
    while (run->coord.phase != COORD_ENDED) {
        step_workers(run);
        if (options->turn != NULL) options->turn(run, options->context);
        sim_at(run->sim, coord_step(&run->coord, sim_now_ns(run->sim), 0), NULL, NULL);
        if (run->coord.phase == COORD_ENDED) break;
        step_buckets(run);
        EXPECT(sim_advance(run->sim));
    }
    for (uint32_t i = 0; i < run->plan.workers; i++) {
        worker_free(run->ended[i]);
    }
    EXPECT(run->coord.start_ns >= run->start_ns);
    run->start_ns = run->coord.start_ns;
    EXPECT(run->coord.readings_open == 0);
    EXPECT(ledger_closes(&run->coord.ledger));
    check_groups(run);
}

void sim_run_end(struct sim_run *run)
{
    sim_free(run->sim);
    testfile_free(run->test);
    plan_release(&run->plan);
    arena_release(&run->arena);
}

void sim_run_view(const struct sim_run *run, size_t offset, struct hist_view *ret_view)
{
    hist_view_clear(ret_view);
    for (uint32_t i = 0; i < run->plan.workers; i++) {
        const char *stats = (const char *)&run->shared[i]->stats;

        hist_view_add(ret_view, (const struct hist *)(const void *)(stats + offset));
    }
}
