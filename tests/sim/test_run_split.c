/* Components that are split over workers, on the simulated kernel: random trees of endpoints whose
 * values must all reach somebody, whichever worker they are made on, so that every endpoint without
 * readers of its own sends exactly as many requests as arithmetic says; deadlocks, which are told
 * as on one worker; and what must not be taken for one.
 *
 * SEEDS=from-to runs others. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/rng.h"
#include "core/base/text.h"
#include "core/runner_impl.h"
#include "tests/sim/sim_run.h"
#include "tests/sim/sim_seeds.h"
#include "tests/test.h"

enum {
    NODES_MAX = 6,
    OPEN_MAX = 16,
    MINUTE_S = 60,
    SEEDS_DEFAULT = 400,
};

#define STARVES_NS_MAX (5 * NS_PER_MS)

/* How long workers have waited for values that others had too much of. */
struct starving {
    uint64_t there_ns[SIM_RUN_WORKERS_MAX][OPEN_MAX]; /* Since when a value has been there. */
    uint64_t longest_ns, count;
};

/* A tree: each provider is fed by one or two endpoints, or is a range, and one endpoint pops it. */
struct made {
    uint32_t endpoints_count, providers_count;
    uint64_t requests[NODES_MAX + 1]; /* What each endpoint sends, if nothing stops it. */
    bool is_sink[NODES_MAX + 1];
    /* Providers that nobody pops from yet, and how many values they will have had. */
    uint32_t open[OPEN_MAX], open_count;
    uint64_t values[OPEN_MAX]; /* By provider. */
    struct starving starving;
};

static struct rng rng;

static bool one_in(uint64_t n)
{
    return rng_below(&rng, n) == 0;
}

/* A new provider, written into `providers`: a range with `values`, or fed by endpoints. */
static uint32_t add_provider(struct made *made, struct text *providers, uint64_t values)
{
    uint32_t index = made->providers_count++;

    EXPECT(index < OPEN_MAX);
    made->values[index] = values;
    text_printf(providers, "  p%u: ", index);
    if (values > 0) {
        text_printf(providers, "{range: {start: 1, end: %llu}}\n", (unsigned long long)values);
    } else if (one_in(2)) {
        text_printf(providers, "{response: {buffer: %u}}\n", 1 + (unsigned)rng_below(&rng, 6));
    } else {
        text_printf(providers, "{response: {}}\n");
    }
    return index;
}

/* Names a provider in the URL, or several values of it in a declare; returns how many requests
 * its values are enough for. */
static uint64_t pop(const struct made *made, struct text *url, struct text *declares, uint32_t p,
                    bool may_collect)
{
    /* Of a range each worker has its share, of which one may be left. */
    if (may_collect && one_in(4)) {
        text_printf(url, "/${d%u[0]}", p);
        text_printf(declares, "%sd%u: 'collect(p%u, 2)'", declares->len > 0 ? ", " : "", p, p);
        return made->values[p] / 2;
    }
    text_printf(url, "/${p%u}", p);
    return made->values[p];
}

static uint32_t take_open(struct made *made, uint64_t at)
{
    uint32_t provider = made->open[at];

    made->open[at] = made->open[--made->open_count];
    return provider;
}

/* What an endpoint pops: all that is open if it is the last, some of it, or a range. */
static void make_inputs(struct made *made, struct text *providers, struct text *text, bool is_last)
{
    uint32_t index = made->endpoints_count;
    struct text url, declares;
    uint64_t requests = UINT64_MAX;

    text_init(&url, text->arena);
    text_init(&declares, text->arena);
    while (made->open_count > 0 && (is_last || one_in(2))) {
        uint32_t p = take_open(made, rng_below(&rng, made->open_count));

        requests = min_u64(requests, pop(made, &url, &declares, p, true));
    }
    if (requests == UINT64_MAX || one_in(3)) {
        uint32_t p = add_provider(made, providers, 1 + rng_below(&rng, 60));

        requests = min_u64(requests, pop(made, &url, &declares, p, false));
    }
    made->requests[index] = requests;
    text_printf(text, "  - url: 'http://127.0.0.1:8080/%u%s'\n", index, url.data);
    if (declares.len > 0) text_printf(text, "    declare: {%s}\n", declares.data);
    if (one_in(4)) text_printf(text, "    max_parallel_requests: %u\n", 1 + (unsigned)one_in(2));
}

/* What it provides: values for a new provider, or for one that is fed already. */
static void make_output(struct made *made, struct text *providers, struct text *text)
{
    uint32_t index = made->endpoints_count, times = 1 + (uint32_t)rng_below(&rng, 3);
    uint32_t p = made->open_count > 0 && one_in(4) ? made->open[0] : UINT32_MAX;

    if (p == UINT32_MAX) {
        p = add_provider(made, providers, 0);
        made->open[made->open_count++] = p;
    }
    made->values[p] += made->requests[index] * times;
    text_printf(text,
                "    provides: {p%u: {select: \"counter('c%u')\", send: block, "
                "for_each: ['repeat(%u)']}}\n",
                p, p, times);
    if (one_in(5)) text_printf(text, "    on_demand: true\n");
}

static const char *make_file(struct made *made, uint32_t workers, struct arena *arena)
{
    struct text text, providers, endpoints;
    uint32_t nodes = 1 + (uint32_t)rng_below(&rng, NODES_MAX);

    text_init(&text, arena);
    text_init(&providers, arena);
    text_init(&endpoints, arena);
    *made = (struct made){.endpoints_count = 0};
    for (; made->endpoints_count < nodes; made->endpoints_count++) {
        make_inputs(made, &providers, &endpoints, false);
        make_output(made, &providers, &endpoints);
    }
    make_inputs(made, &providers, &endpoints, true);
    made->is_sink[made->endpoints_count++] = true;
    text_printf(&text,
                "config: {general: {workers: %u}, client: {max_connections: %u}}\n"
                "load_pattern: [{linear: {from: 100%%, to: 100%%, over: %us}}]\nproviders:\n",
                workers, workers + (unsigned)rng_below(&rng, 60), MINUTE_S);
    text_printf(&text, "%sendpoints:\n%s", providers.data, endpoints.data);
    EXPECT(!text.failed);
    return text.data;
}

/* Notes for how long a worker has waited for what another one has, and nobody waits for there. */
static void look_at_provider(const struct sim_run *run, struct starving *starving, uint32_t p)
{
    uint64_t now_ns = sim_now_ns(run->sim), there_ns = UINT64_MAX;
    uint64_t(*since_ns)[OPEN_MAX] = starving->there_ns;

    for (uint32_t w = 0; w < run->plan.workers; w++) {
        bool is_there = run->workers[w] != NULL && run->workers[w]->phase == PHASE_RUNNING &&
                        run->workers[w]->runner->providers[p].len > 0;

        if (!is_there) {
            since_ns[w][p] = UINT64_MAX;
        } else if (since_ns[w][p] == UINT64_MAX || since_ns[w][p] == 0) {
            since_ns[w][p] = now_ns;
        }
        there_ns = min_u64(there_ns, since_ns[w][p]);
    }
    for (uint32_t w = 0; w < run->plan.workers && there_ns != UINT64_MAX; w++) {
        const struct provider_wait *wait;
        uint64_t since;

        if (run->workers[w] == NULL) continue;
        wait = run->workers[w]->runner->providers[p].receivers.first;
        if (wait == NULL) continue;
        since = now_ns - max_u64(wait->since_ns, there_ns);
        starving->longest_ns = max_u64(starving->longest_ns, since);
        starving->count++;
        EXPECT(since <= STARVES_NS_MAX);
    }
}

static void on_turn(struct sim_run *run, void *context)
{
    struct made *made = context;

    for (uint32_t p = 0; p < run->test->providers_count; p++) {
        /* Those of a source have their workers by number. */
        if (run->test->providers[p].is_fed) look_at_provider(run, &made->starving, p);
    }
}

static void count_requests(const struct sim_run *run, uint64_t *counts)
{
    size_t count;
    const struct sim_request *requests = sim_peer_requests(run->peers[0], &count);

    memset(counts, 0, (NODES_MAX + 1) * sizeof(*counts));
    for (size_t i = 0; i < count; i++) {
        unsigned long index = strtoul(requests[i].path + 1, NULL, 10);

        EXPECT(index <= NODES_MAX);
        counts[index]++;
    }
}

static void run_text(struct sim_run *run, const char *text, uint64_t seed, uint64_t delay_ns,
                     struct made *made)
{
    struct sim_behaviour behaviour = {.delay = {.kind = SIM_DELAY_UNIFORM, .b_ns = 1 + delay_ns}};
    struct sim_options kernel;

    sim_options_plain(&kernel, seed);
    sim_run(run, &(struct sim_run_options){.text = text,
                                           .kernel = &kernel,
                                           .behaviour = &behaviour,
                                           .turn = made == NULL ? NULL : on_turn,
                                           .context = made});
    EXPECT(run->crews.split == 1);
}

static bool ended_early(const struct sim_run *run)
{
    return run->end_ns - run->start_ns < MINUTE_S * NS_PER_S / 2;
}

static void run_seed(uint64_t seed, struct starving *sum)
{
    static struct made made;
    uint64_t counts[NODES_MAX + 1];
    struct sim_run run;
    struct arena arena;
    const char *text;

    rng_init(&rng, seed);
    arena_init(&arena, 0);
    text = make_file(&made, 2 + (uint32_t)rng_below(&rng, 3), &arena);
    if (getenv("SEEDS") != NULL) (void)fprintf(stderr, "%s", text);
    run_text(&run, text, seed, rng_below(&rng, 30 * NS_PER_MS), &made);
    if (run.deadlock[0] != '\0') (void)fprintf(stderr, "%s\n", run.deadlock);
    EXPECT(run.deadlock[0] == '\0');
    EXPECT(ended_early(&run));
    count_requests(&run, counts);
    for (uint32_t i = 0; i < made.endpoints_count; i++) {
        EXPECT(counts[i] <= made.requests[i]);
        if (!made.is_sink[i] || counts[i] == made.requests[i]) continue;
        (void)fprintf(stderr, "endpoint %u: %llu requests of %llu\n", i,
                      (unsigned long long)counts[i], (unsigned long long)made.requests[i]);
        EXPECT(counts[i] == made.requests[i]);
    }
    sum->count += made.starving.count;
    sum->longest_ns = max_u64(sum->longest_ns, made.starving.longest_ns);
    sim_run_end(&run);
    arena_release(&arena);
}

static void test_run_split_uses_every_value_that_somebody_wants(void)
{
    struct sim_seeds seeds = sim_seeds(SEEDS_DEFAULT);
    struct starving sum = {.count = 0};

    for (unsigned long long seed = seeds.from; seed <= seeds.to; seed++) {
        (void)fprintf(stderr, "seed %llu\n", seed); /* The last one told is the one that fails. */
        run_seed(seed, &sum);
    }
    (void)printf("values that another worker had were waited for %.3f ms at most\n",
                 (double)sum.longest_ns / (double)NS_PER_MS);
    EXPECT(sum.count > seeds.to - seeds.from);
}

/* What both workers hold together is enough for so many requests of /use. */
struct split_row {
    const char *name;
    const char *providers, *endpoints;
    uint64_t uses;
    const char *deadlock; /* NULL: none. */
};

#define TWO "config: {general: {workers: 2}}\n"
#define URL "http://127.0.0.1:8080"

static const struct split_row rows[] = {
    {.name = "two that wait for each other",
     .providers = "a: {response: {}}, b: {response: {}}",
     .endpoints = "- {name: first, url: '" URL "/first/${a}', peak_load: 50000hps,"
                  " provides: {b: {select: '1'}}}\n"
                  "- {name: second, url: '" URL "/second/${b}', peak_load: 50000hps,"
                  " provides: {a: {select: '1'}}}\n",
     .deadlock = "'first' waits for 'a', fed by 'second', which waits for 'b', fed by 'first'"},
    {.name = "values that come to an end in a circle",
     .providers = "a: {list: {values: [1, 2, 3], repeat: false}}, b: {response: {}}",
     .endpoints = "- {name: use, url: '" URL "/use/${a}',"
                  " provides: {b: {select: a, where: a < 3, send: block}}}\n"
                  "- {name: back, url: '" URL "/back/${b}',"
                  " provides: {a: {select: b + 1, where: b > 5, send: block}}}\n",
     .uses = 3,
     .deadlock = "'use' waits for 'a', fed by 'back', which waits for 'b', fed by 'use'"},
    {.name = "one that waits for room",
     .providers = "x: {response: {buffer: 2}}, y: {response: {}}, z: {response: {}}",
     .endpoints =
         "- {name: reader, url: '" URL "/reader/${x}/${y}',"
         " provides: {x: {select: '1', where: 'false', send: block}}}\n"
         "- {name: gate, url: '" URL "/gate/${z}', provides: {y: {select: '1', send: block}}}\n"
         "- {name: make, url: '" URL "/make', provides:"
         " {x: {select: '1', send: block}, z: {select: '1', where: 'false', send: block}}}\n",
     .deadlock = "'reader' waits for 'y', fed by 'gate', which waits for 'z', fed by 'make', which "
                 "waits for room in what it feeds"},
    {.name = "each worker holds what the other one waits for",
     .providers =
         "s: {range: {end: 1}}, t: {range: {end: 1}}, p: {response: {}}, q: {response: {}}",
     .endpoints = "- {url: '" URL
                  "/p/${s}', provides: {p: {select: s, where: worker() == 0, send: block}}}\n"
                  "- {url: '" URL
                  "/q/${t}', provides: {q: {select: t, where: worker() == 1, send: block}}}\n"
                  "- {url: '" URL
                  "/use/${p}/${q}', provides: {q: {select: '1', where: 'false', send: block}}}\n",
     .uses = 1},
    {.name = "what is held waits for its like",
     .providers = "s: {range: {end: 6}}, p: {response: {}}",
     .endpoints = "- {url: '" URL "/p/${s}', provides: {p: {select: s, send: block}}}\n"
                  "- {url: '" URL "/use/${d[0]}', declare: {d: 'collect(p, 2)'}}\n",
     .uses = 3},
    {.name = "only the other worker can make some, if it is asked",
     .providers = "s: {range: {end: 7}}, p: {response: {}}, few: {range: {end: 0}}",
     .endpoints = "- {url: '" URL "/p/${s}', on_demand: true,"
                  " provides: {p: {select: s, where: worker() == 1, send: block}}}\n"
                  "- {url: '" URL "/use/${p}/${few}'}\n",
     .uses = 1},
    {.name = "values for which one worker has no reader any more",
     .providers = "s: {range: {end: 7}}, p: {response: {buffer: 2}}, few: {range: {end: 0}}",
     .endpoints = "- {url: '" URL
                  "/p/${s}', provides: {p: {select: s, where: worker() == 1, send: block}}}\n"
                  "- {url: '" URL "/use/${p}/${few}'}\n",
     .uses = 1},
};

static uint64_t count_uses(const struct sim_run *run)
{
    uint64_t uses = 0;
    size_t count;
    const struct sim_request *requests = sim_peer_requests(run->peers[0], &count);

    for (size_t i = 0; i < count; i++) {
        uses += strncmp(requests[i].path, "/use", 4) == 0;
    }
    return uses;
}

static void test_run_split_tells_deadlocks_and_nothing_else(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct split_row *row = &rows[i];

        for (uint64_t seed = 0; seed < 8; seed++) {
            struct sim_run run;
            char text[2000];

            (void)snprintf(text, sizeof(text),
                           TWO "load_pattern: [{linear: {from: 100%%, to: 100%%, over: %us}}]\n"
                               "providers: {%s}\nendpoints:\n%s",
                           MINUTE_S, row->providers, row->endpoints);
            (void)fprintf(stderr, "%s, seed %llu\n", row->name, (unsigned long long)seed);
            run_text(&run, text, seed, seed * NS_PER_MS, NULL);
            (void)fprintf(stderr, "%s\n", run.deadlock);
            EXPECT(strcmp(run.deadlock, row->deadlock == NULL ? "" : row->deadlock) == 0);
            EXPECT(ended_early(&run));
            EXPECT(count_uses(&run) == row->uses);
            sim_run_end(&run);
        }
    }
}

/* A value that goes round is never taken for none, wherever it is. */
static void test_run_split_goes_on_while_a_value_goes_round(void)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct sim_run run;
        size_t count;

        run_text(&run,
                 "config: {general: {workers: 3}}\n"
                 "load_pattern: [{linear: {from: 100%, to: 100%, over: 5s}}]\n"
                 "providers: {a: {list: {values: [0], repeat: false}}, b: {response: {}}}\n"
                 "endpoints:\n"
                 "- {url: '" URL "/a/${a}', provides: {b: {select: a, send: block}}}\n"
                 "- {url: '" URL "/b/${b}', provides: {a: {select: b + 1, send: block}}}\n",
                 seed, 10 * NS_PER_MS, NULL);
        EXPECT(run.deadlock[0] == '\0');
        EXPECT(run.end_ns - run.start_ns >= 5 * NS_PER_S);
        (void)sim_peer_requests(run.peers[0], &count);
        EXPECT(count > 500);
        sim_run_end(&run);
    }
}

int main(void)
{
    TEST(test_run_split_tells_deadlocks_and_nothing_else);
    TEST(test_run_split_goes_on_while_a_value_goes_round);
    TEST(test_run_split_uses_every_value_that_somebody_wants);
    return 0;
}
