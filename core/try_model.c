#include "core/try_model.h"

enum { CONNECTIONS_MIN = 16, CONNECTIONS_MAX = 256 };

/* True if some endpoint of the run pops from the provider. */
static bool is_wanted(const struct try_graph *graph, const enum try_role *roles, uint32_t provider)
{
    for (uint32_t i = 0; i < graph->test->endpoints_count; i++) {
        if (roles[i] != TRY_LEFT_OUT && try_reads(&graph->test->endpoints[i], provider))
            return true;
    }
    return false;
}

/* By provider: whether somebody of the run pops from it; NULL without memory. */
static const bool *find_wanted(const struct try_graph *graph, const enum try_role *roles,
                               struct arena *arena)
{
    bool *wanted = arena_array(arena, graph->test->providers_count, sizeof(*wanted));

    for (uint32_t i = 0; wanted != NULL && i < graph->test->providers_count; i++) {
        wanted[i] = is_wanted(graph, roles, i);
    }
    return wanted;
}

static bool change_endpoint(struct testfile_endpoint *endpoint, const bool *wanted, bool loggers,
                            uint64_t timeout_ns, struct arena *arena)
{
    struct testfile_output *provides =
        arena_array(arena, endpoint->provides_count, sizeof(*provides));
    uint32_t count = 0;

    if (provides == NULL) return false;
    for (uint32_t i = 0; i < endpoint->provides_count; i++) {
        if (!wanted[endpoint->provides[i].target]) continue;
        provides[count] = endpoint->provides[i];
        provides[count++].send = SEND_BLOCK;
    }
    endpoint->provides = provides;
    endpoint->provides_count = count;
    endpoint->send_all = false;
    endpoint->has_peak_load = false;
    endpoint->peak_per_s = 0;
    endpoint->stages = NULL;
    endpoint->stages_count = 0;
    endpoint->duration_ns = timeout_ns;
    endpoint->on_demand = false;
    endpoint->max_parallel_requests = 0;
    endpoint->on_error = ON_ERROR_CONTINUE;
    if (!loggers) endpoint->logs_count = 0;
    return true;
}

static bool change_providers(struct testfile *test, const bool *wanted, struct arena *arena)
{
    struct testfile_provider *providers =
        arena_array(arena, test->providers_count, sizeof(*providers));

    if (providers == NULL) return false;
    for (uint32_t i = 0; i < test->providers_count; i++) {
        providers[i] = test->providers[i];
        providers[i].buffer = 1;
        providers[i].is_read = wanted[i];
        providers[i].is_fed = false;
    }
    for (uint32_t i = 0; i < test->endpoints_count; i++) {
        for (uint32_t p = 0; p < test->endpoints[i].provides_count; p++) {
            providers[test->endpoints[i].provides[p].target].is_fed = true;
        }
    }
    test->providers = providers;
    return true;
}

/* Limits for a handful of requests instead of a load. */
static void change_config(struct testfile *test, uint64_t timeout_ns)
{
    uint64_t connections = 2 * (uint64_t)test->endpoints_count;

    if (connections < CONNECTIONS_MIN) connections = CONNECTIONS_MIN;
    if (connections > CONNECTIONS_MAX) connections = CONNECTIONS_MAX;
    if (connections < test->endpoints_count) connections = test->endpoints_count;
    test->client.max_connections = connections;
    test->client.pipeline = 1;
    test->general.workers = 1;
    test->general.max_pending = test->endpoints_count;
    test->thresholds_count = 0;
    test->duration_ns = timeout_ns;
}

bool try_model_make(struct try_model *model, const struct try_graph *graph,
                    const enum try_role *roles, bool loggers, uint64_t timeout_ns,
                    struct arena *arena)
{
    uint32_t count = graph->test->endpoints_count;
    struct testfile_endpoint *endpoints = arena_array(arena, count, sizeof(*endpoints));
    enum try_role *own_roles = arena_array(arena, count, sizeof(*own_roles));
    uint32_t *scores = arena_array(arena, count, sizeof(*scores));
    const bool *wanted = find_wanted(graph, roles, arena);

    if (endpoints == NULL || own_roles == NULL || scores == NULL || wanted == NULL) return false;
    *model = (struct try_model){.test = *graph->test, .roles = own_roles, .scores = scores};
    model->test.endpoints = endpoints;
    model->test.endpoints_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = model->test.endpoints_count;

        if (roles[i] == TRY_LEFT_OUT) continue;
        endpoints[at] = graph->test->endpoints[i];
        if (!change_endpoint(&endpoints[at], wanted, loggers, timeout_ns, arena)) return false;
        own_roles[at] = roles[i];
        scores[at] = graph->scores[i];
        model->test.endpoints_count++;
    }
    change_config(&model->test, timeout_ns);
    return change_providers(&model->test, wanted, arena);
}
