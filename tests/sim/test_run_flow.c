/* How values flow, in random test files on the simulated kernel: after every turn of the worker
 * each value that was ever made is found at one place, or has gone into a request that has begun,
 * or was refused and counted; limits hold; nobody waits for what is there. The reference is
 * arithmetic: so many values per request, as the file says.
 *
 * SEEDS=from-to runs others. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/rng.h"
#include "core/base/text.h"
#include "core/runner_impl.h"
#include "core/runner_sending.h"
#include "tests/sim/sim_run.h"
#include "tests/sim/sim_seeds.h"
#include "tests/test.h"

enum {
    PROVIDERS_MAX = 4,
    ENDPOINTS_MAX = 5,
    NUMBERS_MAX = 1 << 17, /* Of one provider. */
    SEEDS_DEFAULT = 1000,
};

/* A random file: what the reference knows of it. */
struct made_endpoint {
    uint32_t pops[PROVIDERS_MAX]; /* Values per request, */
    bool in_url[PROVIDERS_MAX];   /* … of which one stands in the URL as it is. */
    bool block[PROVIDERS_MAX];    /* Provided so. */
    bool keeps;                   /* no_auto_returns */
    uint32_t max;                 /* max_parallel_requests */
    bool has_rate;
};

struct made {
    struct made_endpoint endpoints[ENDPOINTS_MAX];
    uint32_t endpoints_count, providers_count;
    bool is_range[PROVIDERS_MAX];
    bool returns[PROVIDERS_MAX];
    bool forced[PROVIDERS_MAX];         /* Something goes past its limit. */
    uint32_t counter_of[PROVIDERS_MAX]; /* Numbers its values; UINT32_MAX: it is not fed. */
    uint32_t counters_count;
    uint64_t moved; /* Values that requests have used. */
};

static struct rng rng;

static bool one_in(uint64_t n)
{
    return rng_below(&rng, n) == 0;
}

static void make_provider(struct made *made, struct text *text, uint32_t index)
{
    static const char *const returns[] = {"block", "force", "if_not_full"};
    uint64_t how = rng_below(&rng, 3);

    made->is_range[index] = one_in(3);
    made->counter_of[index] = UINT32_MAX;
    made->returns[index] = !made->is_range[index] && one_in(3);
    made->forced[index] = made->returns[index] && how == 1;
    if (made->is_range[index]) {
        text_printf(text, "  p%u: {range: {end: %u}}\n", index,
                    one_in(2) ? (unsigned)rng_below(&rng, 60) : NUMBERS_MAX - 1);
        return;
    }
    text_printf(text, "  p%u: {response: {", index);
    if (one_in(2)) text_printf(text, "buffer: %u, ", 1 + (unsigned)rng_below(&rng, 5));
    if (made->returns[index]) text_printf(text, "auto_return: %s", returns[how]);
    text_printf(text, "}}\n");
}

/* The providers that one endpoint pops from: in its URL, and in a declare. */
static void make_url(struct made *made, struct text *text, uint32_t index)
{
    struct made_endpoint *endpoint = &made->endpoints[index];
    uint32_t declared = PROVIDERS_MAX, kind = (uint32_t)rng_below(&rng, 3);
    const char *const declares[] = {"collect(p%u, 3)", "if(1 == 1, p%u, 0)", "`${p%u}-${p%u}`"};
    static const uint32_t pops[] = {3, 1, 2};

    text_printf(text, "  - url: http://127.0.0.1:8080/%u", index);
    for (uint32_t p = 0; p < made->providers_count; p++) {
        if (!one_in(3)) continue;
        text_printf(text, "/${p%u}", p);
        endpoint->pops[p]++;
        endpoint->in_url[p] = true;
    }
    if (one_in(3)) {
        declared = (uint32_t)rng_below(&rng, made->providers_count);
        endpoint->pops[declared] += pops[kind];
        text_printf(text, "/${d}\n    declare: {d: \"");
        for (const char *at = declares[kind]; *at != '\0'; at++) {
            if (at[0] == '%') {
                text_printf(text, "%u", declared);
                at++;
            } else {
                text_add(text, at, 1);
            }
        }
        text_printf(text, "\"}");
    }
    text_printf(text, "\n");
}

static void make_provides(struct made *made, struct text *text, uint32_t index, bool must_block)
{
    static const char *const sends[] = {"block", "force", "if_not_full"};
    bool begun = false;

    for (uint32_t p = 0; p < made->providers_count; p++) {
        uint64_t how = rng_below(&rng, 3);

        if (made->is_range[p] || !(one_in(2) || (must_block && !begun))) continue;
        if (must_block && !begun) how = 0;
        if (!begun) text_printf(text, "    provides:\n");
        begun = true;
        made->forced[p] |= how == 1;
        made->endpoints[index].block[p] = how == 0;
        if (made->counter_of[p] == UINT32_MAX) made->counter_of[p] = made->counters_count++;
        text_printf(text, "      p%u: {select: \"counter('p%u')\", send: %s", p, p, sends[how]);
        if (one_in(3))
            text_printf(text, ", for_each: ['repeat(%u)']", (unsigned)rng_below(&rng, 6));
        if (one_in(4)) text_printf(text, ", where: 'random(0, 2) == 1'");
        text_printf(text, "}\n");
    }
    if (!begun && must_block) text_printf(text, "    peak_load: 3hps\n");
    if (begun && one_in(3)) text_printf(text, "    on_demand: true\n");
    if (begun && one_in(3)) text_printf(text, "    send_all: true\n");
}

static void make_endpoint(struct made *made, struct text *text, uint32_t index)
{
    struct made_endpoint *endpoint = &made->endpoints[index];
    bool any = false;

    for (uint32_t p = 0; p < made->providers_count; p++) {
        any |= !made->is_range[p];
    }
    make_url(made, text, index);
    endpoint->has_rate = !any || one_in(2);
    if (endpoint->has_rate) {
        text_printf(text, "    peak_load: %uhps\n", 1 + (unsigned)rng_below(&rng, 150));
    }
    if (one_in(4)) {
        endpoint->max = 1 + (uint32_t)rng_below(&rng, 3);
        text_printf(text, "    max_parallel_requests: %u\n", endpoint->max);
    }
    if (one_in(4)) {
        endpoint->keeps = true;
        text_printf(text, "    no_auto_returns: true\n");
    }
    make_provides(made, text, index, !endpoint->has_rate);
}

static const char *make_file(struct made *made, struct arena *arena)
{
    struct text text;

    text_init(&text, arena);
    *made = (struct made){.endpoints_count = 1 + (uint32_t)rng_below(&rng, ENDPOINTS_MAX),
                          .providers_count = 1 + (uint32_t)rng_below(&rng, PROVIDERS_MAX)};
    text_printf(&text,
                "config: {general: {workers: 1, auto_buffer_start_size: %u}, "
                "client: {request_timeout: 300ms, max_connections: %u}}\n",
                1 + (unsigned)rng_below(&rng, 5), 1 + (unsigned)rng_below(&rng, 60));
    text_printf(&text, "load_pattern: [{linear: {from: 100%%, to: 100%%, over: %ums}}]\n",
                200 + (unsigned)rng_below(&rng, 1500));
    text_printf(&text, "providers:\n");
    for (uint32_t i = 0; i < made->providers_count; i++) {
        make_provider(made, &text, i);
    }
    text_printf(&text, "endpoints:\n");
    for (uint32_t i = 0; i < made->endpoints_count; i++) {
        make_endpoint(made, &text, i);
    }
    EXPECT(!text.failed);
    return text.data;
}

/* Where values are. */

static uint64_t seen[PROVIDERS_MAX][NUMBERS_MAX]; /* The look at which it was seen last. */
static uint64_t look;
static uint64_t found[PROVIDERS_MAX];

static void see(uint32_t provider, const struct provider_item *item)
{
    int64_t number;

    EXPECT(item->value.kind == VALUE_INT);
    number = item->value.integer;
    EXPECT(number >= 0 && number < NUMBERS_MAX);
    EXPECT(seen[provider][number] != look);
    seen[provider][number] = look;
    found[provider]++;
}

static void see_list(uint32_t provider, const struct item_list *list)
{
    uint32_t count = 0;

    for (const struct provider_item *item = list->first; item != NULL; item = item->next) {
        see(provider, item);
        count++;
    }
    EXPECT(count == list->count);
}

static void see_inputs(const struct endpoint *endpoint, const struct inputs *inputs)
{
    const struct testfile_endpoint *def = endpoint->def;

    for (uint32_t slot = 0; slot < def->slots_count; slot++) {
        if (inputs->items[slot] != NULL) see(def->slots[slot], inputs->items[slot]);
    }
    for (const struct provider_item *item = inputs->popped.first; item != NULL; item = item->next) {
        see(def->slots[item->slot], item);
    }
}

static void see_endpoint(const struct endpoint *endpoint)
{
    const struct testfile_endpoint *def = endpoint->def;

    see_inputs(endpoint, &endpoint->inputs);
    for (uint32_t i = 0; i < def->declares_count; i++) {
        const struct expr_needs *needs = &def->declares[i].needs;

        for (uint32_t m = 0; m < needs->mentions_count; m++) {
            see_list(def->slots[needs->mentions[m].provider],
                     &endpoint->declaring[i].holds[m].items);
        }
    }
}

static void see_returns(const struct sending *sending)
{
    const struct testfile_endpoint *def = sending->endpoint->def;

    for (const struct provider_item *i = sending->returns.first; i != NULL; i = i->next) {
        see(def->slots[i->slot], i);
    }
}

/* Values that wait for room, and those that go back once they have found it. */
static void see_senders(const struct runner *runner, uint32_t index)
{
    struct provider_wait *wait = runner->providers[index].senders.first;

    for (; wait != NULL; wait = wait->next) {
        const struct sending_list *list = wait->owner;

        if (list == NULL) {
            see(index, container_of(wait, struct delivery, wait)->item);
            continue;
        }
        EXPECT(list->items.first != NULL);
        see_list(index, &list->items);
        for (uint32_t i = 0; i < list->sending->lists_count; i++) {
            if (list->sending->lists[i].wait.provider == NULL) continue;
            if (&list->sending->lists[i] == list) see_returns(list->sending);
            break;
        }
    }
}

static void see_all(const struct runner *runner, const struct made *made)
{
    memset(found, 0, sizeof(found));
    look++;
    for (uint32_t p = 0; p < made->providers_count; p++) {
        struct item_list queue = {.first = runner->providers[p].first,
                                  .count = runner->providers[p].len};

        see_list(p, &queue);
        see_senders(runner, p);
    }
    for (uint32_t i = 0; i < made->endpoints_count; i++) {
        see_endpoint(&runner->endpoints[i]);
    }
    for (uint32_t i = 0; i < runner->exchanges_count; i++) {
        const struct exchange *exchange = &runner->exchanges[i];

        if (exchange->endpoint != NULL) see_inputs(exchange->endpoint, &exchange->inputs);
    }
}

/* Values that requests have used up. */
static uint64_t used_of(const struct runner *runner, const struct made *made, uint32_t provider)
{
    uint64_t used = 0;

    for (uint32_t i = 0; i < made->endpoints_count; i++) {
        const struct made_endpoint *endpoint = &made->endpoints[i];
        uint64_t ended = runner->endpoints[i].figures->started;

        if (made->returns[provider] && !endpoint->keeps) continue;
        for (uint32_t x = 0; x < runner->exchanges_count; x++) {
            ended -= runner->exchanges[x].endpoint == &runner->endpoints[i];
        }
        used += endpoint->pops[provider] * ended;
    }
    return used;
}

static void check_provider(const struct runner *runner, const struct made *made, uint32_t index)
{
    const struct provider *provider = &runner->providers[index];
    uint32_t counter = made->counter_of[index];
    uint64_t pushed = made->is_range[index] ? runner->sources[index].next : 0;

    if (counter != UINT32_MAX) pushed = (uint64_t)runner->counters[counter];
    EXPECT(pushed ==
           found[index] + provider->refused + provider->unread + used_of(runner, made, index));
    EXPECT(provider->dropped == 0 && provider->no_memory == 0);
    if (runner->stopped_count == 0 && !made->forced[index]) {
        EXPECT(provider->len <= provider->limit);
    }
    EXPECT(provider_next_receiver(provider) == NULL);
    EXPECT(provider_next_sender(provider) == NULL);
}

static void check_endpoint(const struct runner *runner, const struct made *made, uint32_t index)
{
    const struct made_endpoint *def = &made->endpoints[index];
    const struct endpoint *endpoint = &runner->endpoints[index];
    uint32_t max = 0;

    EXPECT(def->max == 0 || endpoint->drive.running <= def->max);
    EXPECT(endpoint->drive.running >= endpoint->in_flight);
    for (uint32_t p = 0; p < made->providers_count; p++) {
        if (!def->block[p]) continue;
        if (runner->providers[p].limit > max) max = runner->providers[p].limit;
    }
    EXPECT(def->has_rate || max == 0 || endpoint->drive.running <= 10 * max);
    EXPECT(!endpoint->is_stopped || !endpoint->is_gathering);
}

static void on_turn(struct sim_run *run, void *context)
{
    struct made *made = context;
    const struct runner *runner;

    if (run->workers[0] == NULL || run->workers[0]->phase == PHASE_WAITING) return;
    runner = run->workers[0]->runner;
    see_all(runner, made);
    made->moved = 0;
    for (uint32_t p = 0; p < made->providers_count; p++) {
        check_provider(runner, made, p);
        made->moved += used_of(runner, made, p);
    }
    for (uint32_t i = 0; i < made->endpoints_count; i++) {
        check_endpoint(runner, made, i);
    }
}

/* What the server saw: no value in two URLs, unless it was given back. */
static void check_urls(const struct sim_run *run, const struct made *made)
{
    size_t count;
    const struct sim_request *requests = sim_peer_requests(run->peers[0], &count);

    look++;
    for (size_t i = 0; i < count; i++) {
        char *at = NULL;
        unsigned long index = strtoul(requests[i].path + 1, &at, 10);

        EXPECT(index < made->endpoints_count);
        for (uint32_t p = 0; p < made->providers_count; p++) {
            unsigned long number;

            if (!made->endpoints[index].in_url[p]) continue;
            EXPECT(*at == '/');
            number = strtoul(at + 1, &at, 10);
            EXPECT(number < NUMBERS_MAX);
            EXPECT(made->returns[p] || seen[p][number] != look);
            seen[p][number] = look;
        }
    }
}

static uint64_t run_seed(uint64_t seed, uint64_t *ret_requests)
{
    static struct made made;
    struct sim_behaviour behaviour = {.delay = {.kind = SIM_DELAY_UNIFORM}};
    struct sim_options kernel;
    struct arena arena;
    struct sim_run run;
    const char *text;

    rng_init(&rng, seed);
    arena_init(&arena, 0);
    text = make_file(&made, &arena);
    if (getenv("SEEDS") != NULL) (void)fprintf(stderr, "%s", text);
    behaviour.delay.b_ns = 1 + rng_below(&rng, 30 * NS_PER_MS);
    if (one_in(3)) {
        behaviour.mis_share = 0.1;
        behaviour.mis_mask = SIM_MIS_BIT(SIM_MIS_RESET_BEFORE) | SIM_MIS_BIT(SIM_MIS_SILENT);
    }
    sim_options_plain(&kernel, seed);
    sim_run(&run, &(struct sim_run_options){.text = text,
                                            .kernel = &kernel,
                                            .behaviour = &behaviour,
                                            .turn = on_turn,
                                            .context = &made});
    check_urls(&run, &made);
    *ret_requests += run.coord.ledger.started;
    sim_run_end(&run);
    arena_release(&arena);
    return made.moved;
}

static void test_run_flow_loses_no_value_and_gives_none_twice(void)
{
    struct sim_seeds seeds = sim_seeds(SEEDS_DEFAULT);
    uint64_t moved = 0, requests = 0;

    for (unsigned long long seed = seeds.from; seed <= seeds.to; seed++) {
        (void)fprintf(stderr, "seed %llu\n", seed); /* The last one told is the one that fails. */
        moved += run_seed(seed, &requests);
    }
    (void)printf("%llu requests, %llu values used\n", (unsigned long long)requests,
                 (unsigned long long)moved);
    EXPECT(moved > 10 * (seeds.to - seeds.from));
}

int main(void)
{
    TEST(test_run_flow_loses_no_value_and_gives_none_twice);
    return 0;
}
