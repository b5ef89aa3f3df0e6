/* Test files under every fault of the simulated kernel and of its peers: whatever goes wrong, the
 * run ends, its ledger closes at every reading, the cap on connections holds, no value of a
 * provider is sent twice, and what answers feed is what came in them. A failing seed is told; it
 * alone: test_run_seeds SEED. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/rng.h"
#include "core/base/text.h"
#include "tests/sim/sim_run.h"
#include "tests/test.h"

enum { SEEDS = 250, VALUES_MAX = 100000, TURNS_MAX = 50000000 };

static struct sim_run run;

static const char *pick(struct rng *rng, const char *const *words, size_t count)
{
    return words[rng_below(rng, count)];
}

static void write_config(struct text *text, struct rng *rng, uint32_t pipeline,
                         uint32_t *ret_connections)
{
    uint32_t workers = 1 + (uint32_t)rng_below(rng, 3);

    /* Two hosts; each worker has a connection for each at least. */
    *ret_connections = 2 * workers + (uint32_t)rng_below(rng, 20);
    text_printf(text,
                "config:\n"
                "  general: {workers: %u, max_pending: %u, seed: %u}\n"
                "  client:\n"
                "    request_timeout: %ums\n"
                "    max_connections: %u\n",
                workers, 1 + (unsigned)rng_below(rng, 1000), (unsigned)rng_below(rng, 1000),
                50 + (unsigned)rng_below(rng, 400), *ret_connections);
    if (pipeline > 1) text_printf(text, "    pipeline: %u\n", pipeline);
    if (rng_below(rng, 3) == 0) text_printf(text, "    max_connections_per_host: 2\n");
    if (rng_below(rng, 3) == 0) {
        text_printf(text, "    max_requests_per_connection: %u\n",
                    pipeline + (unsigned)rng_below(rng, 9));
    }
}

static void write_providers(struct text *text, struct rng *rng)
{
    static const char *const returns[] = {"", ", auto_return: block", ", auto_return: force",
                                          ", auto_return: if_not_full"};
    static const char *const buffers[] = {"auto", "1", "3", "100"};

    text_printf(text,
                "providers:\n"
                "  up: {range: {}}\n"
                "  down: {range: {start: %u, end: 0, step: -1}}\n"
                "  found: {response: {buffer: %s%s}}\n"
                "  token: {response: {buffer: %s%s, unique: %s}}\n",
                (unsigned)rng_below(rng, 300), pick(rng, buffers, COUNT(buffers)),
                pick(rng, returns, COUNT(returns)), pick(rng, buffers, COUNT(buffers)),
                pick(rng, returns, COUNT(returns)), rng_below(rng, 2) == 0 ? "true" : "false");
}

static void write_endpoints(struct text *text, struct rng *rng)
{
    static const char *const sends[] = {"block", "force", "if_not_full"};
    static const char *const more[] = {"", ", on_demand: true", ", max_parallel_requests: 2",
                                       ", no_auto_returns: true"};

    text_printf(
        text,
        "load_pattern: [{linear: {to: %u%%, over: 300ms}}, {linear: {over: 700ms, to: 50%%}}]\n"
        "endpoints:\n"
        "  - {url: 'http://a.test:8080/up', peak_load: %uhps,\n"
        "     headers: {X-Request-Id: 'u${up}'}%s}\n"
        "  - {url: 'http://b.test:8081/down', peak_load: %uhps, method: POST,\n"
        "     headers: {X-Request-Id: 'd${down}'}, body: '${down}, ${up}'%s}\n",
        (unsigned)rng_below(rng, 300), 1 + (unsigned)rng_below(rng, 2000),
        rng_below(rng, 2) == 0 ? ", max_parallel_requests: 3" : "",
        1 + (unsigned)rng_below(rng, 1000),
        rng_below(rng, 2) == 0 ? ", expect: {status: 404}" : "");
    text_printf(text,
                "  - {url: 'http://a.test:8080/list', peak_load: %uhps%s,\n"
                "     provides: {found: {for_each: [response.body.items],\n"
                "       select: 'for_each[0]', send: %s}}}\n"
                "  - {url: 'http://b.test:8081/item', headers: {X-Request-Id: 'f${found}'}%s%s}\n",
                1 + (unsigned)rng_below(rng, 300), pick(rng, more, COUNT(more)),
                pick(rng, sends, COUNT(sends)), rng_below(rng, 2) == 0 ? ", peak_load: 100hps" : "",
                pick(rng, more, COUNT(more)));
    text_printf(text,
                "  - {url: 'http://b.test:8081/login'%s,\n"
                "     provides: {token: {select: 'response.body.token', send: block}}}\n"
                "  - {url: 'http://a.test:8080/use', headers: {X-Request-Id: 't${token}'},\n"
                "     peak_load: %uhps%s}\n",
                pick(rng, more, 3), 1 + (unsigned)rng_below(rng, 300),
                pick(rng, more, COUNT(more)));
}

#define JSON(text) "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " text

static const struct sim_route routes[] = {
    {.path = "/list",
     .body = SIM_BODY_RAW,
     .raw = JSON("20\r\n\r\n{\"items\": [5, 6, 7]}"),
     .raw_bytes = sizeof(JSON("20\r\n\r\n{\"items\": [5, 6, 7]}")) - 1,
     .status = 200},
    {.path = "/login",
     .body = SIM_BODY_RAW,
     .raw = JSON("14\r\n\r\n{\"token\": \"x\"}"),
     .raw_bytes = sizeof(JSON("14\r\n\r\n{\"token\": \"x\"}")) - 1,
     .status = 200},
    {.body = SIM_BODY_CHUNKED, .body_bytes = 3000},
};

static void draw_behaviour(struct rng *rng, uint32_t pipeline, struct sim_behaviour *ret_behaviour)
{
    *ret_behaviour = (struct sim_behaviour){
        .routes = routes,
        .routes_count = COUNT(routes),
        .delay = {.kind = SIM_DELAY_UNIFORM, .b_ns = 1 + rng_below(rng, 20 * NS_PER_MS)},
        .close_unannounced = rng_below(rng, 2) == 0,
    };
    if (rng_below(rng, 2) == 0) {
        ret_behaviour->mis_share = 0.1;
        ret_behaviour->mis_mask =
            (uint32_t)rng_below(rng, UINT32_C(1) << SIM_MIS_COUNT) & ~SIM_MIS_BIT(SIM_MIS_NONE);
        /* A pipelining client cannot tell a whole unasked-for response from the next answer. */
        if (pipeline > 1) {
            ret_behaviour->mis_mask &=
                ~(SIM_MIS_BIT(SIM_MIS_EXTRA_AFTER) | SIM_MIS_BIT(SIM_MIS_EXTRA_IDLE));
        }
        if (ret_behaviour->mis_mask == 0) ret_behaviour->mis_share = 0;
    }
    if (rng_below(rng, 3) == 0) ret_behaviour->keepalive_max = 1 + (uint32_t)rng_below(rng, 20);
    if (rng_below(rng, 4) == 0) ret_behaviour->idle_close_ns = 1 + rng_below(rng, 50 * NS_PER_MS);
    if (rng_below(rng, 12) == 0) ret_behaviour->connect = SIM_CONNECT_REFUSE;
    if (rng_below(rng, 12) == 0) ret_behaviour->connect = SIM_CONNECT_BLACK_HOLE;
}

/* A run that does not end is one too. */
static void count_turns(struct sim_run *of, void *context)
{
    (void)context;
    if (of->steps > TURNS_MAX) sim_fail(of->sim, "the run does not come to its end");
}

/* Requests that carry values which are given once each. */
static uint64_t expect_values(void)
{
    static unsigned char seen[2][VALUES_MAX];
    uint64_t requests_all = 0;

    memset(seen, 0, sizeof(seen));
    for (uint32_t peer = 0; peer < run.plan.targets_count; peer++) {
        size_t count;
        const struct sim_request *requests = sim_peer_requests(run.peers[peer], &count);

        requests_all += count;
        for (size_t i = 0; i < count; i++) {
            const char *id = requests[i].id;
            long number = strtol(id[0] == '\0' ? id : id + 1, NULL, 10);

            if (id[0] == 'f') EXPECT(number >= 5 && number <= 7);
            if (id[0] == 't') EXPECT(strcmp(id, "tx") == 0);
            if (id[0] != 'u' && id[0] != 'd') continue;
            EXPECT(number >= 0 && number < VALUES_MAX);
            EXPECT(seen[id[0] == 'd'][number] == 0);
            seen[id[0] == 'd'][number] = 1;
        }
    }
    return requests_all;
}

static uint64_t run_seed(uint64_t seed)
{
    struct sim_run_options options = {.turn = count_turns};
    struct sim_behaviour behaviour;
    struct sim_options kernel;
    uint32_t connections, pipeline;
    uint64_t requests;
    struct arena arena;
    struct text text;
    struct rng rng;

    rng_init(&rng, seed);
    arena_init(&arena, 0);
    text_init(&text, &arena);
    pipeline = rng_below(&rng, 4) == 0 ? 1 + (uint32_t)rng_below(&rng, 5) : 1;
    write_config(&text, &rng, pipeline, &connections);
    write_providers(&text, &rng);
    write_endpoints(&text, &rng);
    EXPECT(!text.failed);
    (void)fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
    draw_behaviour(&rng, pipeline, &behaviour);
    sim_options_draw(&kernel, seed);
    kernel.connections_max = connections;
    options.text = text.data;
    options.kernel = &kernel;
    options.behaviour = &behaviour;
    sim_run(&run, &options);
    requests = expect_values();
    EXPECT(requests <= run.coord.ledger.started);
    EXPECT(run.coord.ledger.ok <= requests);
    sim_run_end(&run);
    arena_release(&arena);
    return requests;
}

static uint64_t first_seed = 1, last_seed = SEEDS;

static void test_run_survives_every_fault(void)
{
    uint64_t requests = 0;

    for (uint64_t seed = first_seed; seed <= last_seed; seed++) {
        requests += run_seed(seed);
    }
    printf("%llu requests\n", (unsigned long long)requests);
}

int main(int argc, char **argv)
{
    if (argc == 2) first_seed = last_seed = strtoull(argv[1], NULL, 10);
    TEST(test_run_survives_every_fault);
    return 0;
}
