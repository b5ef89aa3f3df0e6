#include "core/try_graph.h"

#include <string.h>

#include "core/base/quote.h"

bool try_reads(const struct testfile_endpoint *endpoint, uint32_t provider)
{
    for (uint32_t slot = 0; slot < endpoint->slots_count; slot++) {
        if (endpoint->slots[slot] == provider && endpoint->is_input[slot]) return true;
    }
    for (uint32_t i = 0; i < endpoint->declares_used; i++) {
        const struct testfile_declare *declare = &endpoint->declares[endpoint->declares_order[i]];

        for (uint32_t m = 0; m < declare->needs.mentions_count; m++) {
            if (endpoint->slots[declare->needs.mentions[m].provider] == provider) return true;
        }
    }
    return false;
}

bool try_provides(const struct testfile_endpoint *endpoint, uint32_t provider)
{
    for (uint32_t i = 0; i < endpoint->provides_count; i++) {
        if (endpoint->provides[i].target == provider) return true;
    }
    return false;
}

/* True if slot `slot` of the endpoint is a response provider that it pops from. */
static bool is_needed(const struct testfile *test, const struct testfile_endpoint *endpoint,
                      uint32_t slot)
{
    uint32_t provider = endpoint->slots[slot];

    return test->providers[provider].kind == PROVIDER_RESPONSE && try_reads(endpoint, provider);
}

static uint64_t *closure_of(const struct try_graph *graph, uint32_t endpoint)
{
    return graph->closures + (size_t)endpoint * graph->words;
}

/* Settling. */

/* What is known of endpoints while they are settled. */
struct settling {
    struct try_graph *graph;
    uint32_t *costs; /* By endpoint that could be settled now: its score; else TRY_NONE. */
};

/* The first response provider that the endpoint pops from and that has no feeder; TRY_NONE: it can
 * be called. Providers with one are those in `fed`; NULL: those that have a settled one. */
static uint32_t first_missing(const struct try_graph *graph, uint32_t index, const bool *fed)
{
    const struct testfile_endpoint *endpoint = &graph->test->endpoints[index];

    for (uint32_t slot = 0; slot < endpoint->slots_count; slot++) {
        uint32_t provider = endpoint->slots[slot];

        if (fed != NULL ? fed[provider] : graph->feeders[provider] != TRY_NONE) continue;
        if (is_needed(graph->test, endpoint, slot)) return provider;
    }
    return TRY_NONE;
}

/* Joins the closures of an endpoint's feeders to its own, and counts them. */
static uint32_t cost_of(const struct try_graph *graph, uint32_t index)
{
    const struct testfile_endpoint *endpoint = &graph->test->endpoints[index];
    uint64_t *own = closure_of(graph, index);
    uint32_t cost = 0;

    for (uint32_t slot = 0; slot < endpoint->slots_count; slot++) {
        const uint64_t *theirs;

        if (!is_needed(graph->test, endpoint, slot)) continue;
        theirs = closure_of(graph, graph->feeders[endpoint->slots[slot]]);
        for (uint32_t i = 0; i < graph->words; i++) {
            own[i] |= theirs[i];
        }
    }
    for (uint32_t i = 0; i < graph->words; i++) {
        cost += (uint32_t)__builtin_popcountll(own[i]);
    }
    return cost;
}

/* What became possible now that `provider` has a feeder. The first feeder to be settled is the one
 * of the lowest score, for scores only rise. */
static void open_readers(struct settling *settling, uint32_t provider)
{
    struct try_graph *graph = settling->graph;

    for (uint32_t i = 0; i < graph->test->endpoints_count; i++) {
        if (graph->scores[i] != TRY_NONE || settling->costs[i] != TRY_NONE) continue;
        if (provider != TRY_NONE && !try_reads(&graph->test->endpoints[i], provider)) continue;
        if (first_missing(graph, i, NULL) != TRY_NONE) continue;
        settling->costs[i] = cost_of(graph, i);
    }
}

static uint32_t cheapest(const struct settling *settling)
{
    uint32_t best = TRY_NONE;

    for (uint32_t i = 0; i < settling->graph->test->endpoints_count; i++) {
        if (settling->costs[i] == TRY_NONE) continue;
        if (best == TRY_NONE || settling->costs[i] < settling->costs[best]) best = i;
    }
    return best;
}

static void settle_all(struct settling *settling)
{
    struct try_graph *graph = settling->graph;
    const struct testfile *test = graph->test;
    uint32_t index;

    open_readers(settling, TRY_NONE);
    while ((index = cheapest(settling)) != TRY_NONE) {
        const struct testfile_endpoint *endpoint = &test->endpoints[index];

        graph->scores[index] = settling->costs[index];
        settling->costs[index] = TRY_NONE;
        closure_of(graph, index)[index / 64] |= UINT64_C(1) << index % 64;
        for (uint32_t i = 0; i < endpoint->provides_count; i++) {
            uint32_t provider = endpoint->provides[i].target;

            if (test->providers[provider].kind != PROVIDER_RESPONSE) continue;
            if (graph->feeders[provider] != TRY_NONE) continue;
            graph->feeders[provider] = index;
            open_readers(settling, provider);
        }
    }
}

bool try_graph_make(struct try_graph *graph, const struct testfile *test, struct arena *arena)
{
    uint32_t endpoints = test->endpoints_count, providers = test->providers_count;
    struct settling settling = {.graph = graph};

    *graph = (struct try_graph){.test = test, .words = (endpoints + 63) / 64};
    graph->scores = arena_array(arena, endpoints, sizeof(*graph->scores));
    graph->feeders = arena_array(arena, providers, sizeof(*graph->feeders));
    graph->closures = arena_array(arena, (size_t)endpoints * graph->words, sizeof(uint64_t));
    settling.costs = arena_array(arena, endpoints, sizeof(*settling.costs));
    if (graph->scores == NULL || graph->feeders == NULL || graph->closures == NULL ||
        settling.costs == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < endpoints; i++) {
        graph->scores[i] = TRY_NONE;
        settling.costs[i] = TRY_NONE;
    }
    for (uint32_t i = 0; i < providers; i++) {
        graph->feeders[i] = TRY_NONE;
    }
    settle_all(&settling);
    return true;
}

/* Chains. */

static uint32_t first_feeder(const struct testfile *test, uint32_t provider)
{
    for (uint32_t i = 0; i < test->endpoints_count; i++) {
        if (try_provides(&test->endpoints[i], provider)) return i;
    }
    return TRY_NONE;
}

/* Who is asked for what endpoint `index` lacks; TRY_NONE: nobody provides it. */
static uint32_t asked_by(const struct try_graph *graph, uint32_t index)
{
    return first_feeder(graph->test, first_missing(graph, index, NULL));
}

/* True if `index` is among the first `steps` of the chain that begins with `start`. */
static bool is_in_chain(const struct try_graph *graph, uint32_t start, uint32_t steps,
                        uint32_t index)
{
    for (uint32_t at = start; steps > 0; steps--) {
        if (at == index) return true;
        at = asked_by(graph, at);
    }
    return false;
}

void try_graph_chain(const struct try_graph *graph, uint32_t index, struct text *out)
{
    const struct testfile *test = graph->test;
    uint32_t at = index;

    text_printf(out, "`%s`", quote(test->endpoints[index].name).text);
    for (uint32_t steps = 1;; steps++) {
        uint32_t feeder = asked_by(graph, at);

        text_printf(out, "%s needs `%s`", steps == 1 ? "" : ", which",
                    quote(test->providers[first_missing(graph, at, NULL)].name).text);
        if (feeder == TRY_NONE) {
            text_add_str(out, ", which nobody provides");
            return;
        }
        text_printf(out, " of `%s`", quote(test->endpoints[feeder].name).text);
        if (is_in_chain(graph, index, steps, feeder)) {
            text_add_str(out, feeder == at ? " itself" : ": a circle");
            return;
        }
        at = feeder;
    }
}

/* Choosing. */

struct choice {
    const struct try_graph *graph;
    enum try_role *roles;
    uint32_t *todo; /* Those whose feeders are to be looked for. */
    uint32_t todo_count;
    bool all;
};

static void add(struct choice *choice, uint32_t index)
{
    if (choice->roles[index] != TRY_LEFT_OUT) return;
    choice->roles[index] = TRY_ADDED;
    choice->todo[choice->todo_count++] = index;
}

/* True if a chosen endpoint other than `asking` provides it. */
static bool is_provided(const struct choice *choice, uint32_t provider, uint32_t asking)
{
    const struct testfile *test = choice->graph->test;

    for (uint32_t i = 0; i < test->endpoints_count; i++) {
        if (i == asking || choice->roles[i] != TRY_CHOSEN) continue;
        if (try_provides(&test->endpoints[i], provider)) return true;
    }
    return false;
}

static void add_every_feeder(struct choice *choice, uint32_t provider)
{
    const struct try_graph *graph = choice->graph;

    for (uint32_t i = 0; i < graph->test->endpoints_count; i++) {
        if (graph->scores[i] == TRY_NONE) continue;
        if (try_provides(&graph->test->endpoints[i], provider)) add(choice, i);
    }
}

static void add_feeders(struct choice *choice)
{
    const struct try_graph *graph = choice->graph;

    while (choice->todo_count > 0) {
        uint32_t asking = choice->todo[--choice->todo_count];
        const struct testfile_endpoint *endpoint = &graph->test->endpoints[asking];

        for (uint32_t slot = 0; slot < endpoint->slots_count; slot++) {
            uint32_t provider = endpoint->slots[slot];

            if (!is_needed(graph->test, endpoint, slot)) continue;
            if (choice->all) {
                add_every_feeder(choice, provider);
            } else if (!is_provided(choice, provider, asking)) {
                add(choice, graph->feeders[provider]);
            }
        }
    }
}

/* One round over those of the run that could not be called yet; true if some can. */
static bool call_more(const struct choice *choice, bool *called, bool *fed)
{
    const struct testfile *test = choice->graph->test;
    bool more = false;

    for (uint32_t i = 0; i < test->endpoints_count; i++) {
        if (choice->roles[i] == TRY_LEFT_OUT || called[i]) continue;
        if (first_missing(choice->graph, i, fed) != TRY_NONE) continue;
        called[i] = more = true;
        for (uint32_t p = 0; p < test->endpoints[i].provides_count; p++) {
            fed[test->endpoints[i].provides[p].target] = true;
        }
    }
    return more;
}

/* Where chosen endpoints wait for each other in a circle, somebody has to begin: adds the feeder
 * that the cheapest of them lacks. False when all of the run can be called, or without memory. */
static bool break_circle(struct choice *choice, struct arena *arena, bool *ret_failed)
{
    const struct try_graph *graph = choice->graph;
    bool *called = arena_array(arena, graph->test->endpoints_count, sizeof(*called));
    bool *fed = arena_array(arena, graph->test->providers_count, sizeof(*fed));
    uint32_t best = TRY_NONE;

    *ret_failed = called == NULL || fed == NULL;
    if (*ret_failed) return false;
    while (call_more(choice, called, fed)) {
    }
    for (uint32_t i = 0; i < graph->test->endpoints_count; i++) {
        if (choice->roles[i] == TRY_LEFT_OUT || called[i]) continue;
        if (best == TRY_NONE || graph->scores[i] < graph->scores[best]) best = i;
    }
    if (best == TRY_NONE) return false;
    /* Its feeder costs less than it, so it is not among those that wait, and not in the run. */
    add(choice, graph->feeders[first_missing(graph, best, fed)]);
    add_feeders(choice);
    return true;
}

bool try_graph_choose(const struct try_graph *graph, enum try_role *roles, bool all,
                      struct arena *arena)
{
    uint32_t endpoints = graph->test->endpoints_count;
    struct choice choice = {.graph = graph, .roles = roles, .all = all};
    bool failed;

    choice.todo = arena_array(arena, endpoints, sizeof(*choice.todo));
    if (choice.todo == NULL) return false;
    for (uint32_t i = 0; i < endpoints; i++) {
        if (roles[i] == TRY_CHOSEN) choice.todo[choice.todo_count++] = i;
    }
    add_feeders(&choice);
    while (break_circle(&choice, arena, &failed)) {
    }
    return !failed;
}
