/* Setting up a worker's part of a test file. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "core/runner_impl.h"
#include "core/share.h"

enum { PICK_SLACK_BYTES = 1 << 20 }; /* Besides a body, what is picked of it twice. */

static enum err no_memory(struct err_info *why)
{
    return err_set(why, ERR_MEMORY, ENOMEM, "no memory for the test file's endpoints");
}

/* Arrays that serve every endpoint are as large as the one that needs most. */
struct sizes {
    uint32_t slots, declares, locals, mentions, paths, provides;
};

static struct sizes measure(const struct testfile *test)
{
    struct sizes sizes = {1, 1, 1, 1, 1, 1};

    for (uint32_t i = 0; i < test->endpoints_count; i++) {
        const struct testfile_endpoint *def = &test->endpoints[i];

        sizes.slots = max_u32(sizes.slots, def->slots_count);
        sizes.declares = max_u32(sizes.declares, def->declares_count);
        sizes.locals = max_u32(sizes.locals, def->locals_count);
        sizes.provides = max_u32(sizes.provides, def->provides_count);
        if (def->needs.body != NULL) {
            sizes.paths = max_u32(sizes.paths, json_paths_count(def->needs.body));
        }
        for (uint32_t d = 0; d < def->declares_count; d++) {
            sizes.mentions = max_u32(sizes.mentions, def->declares[d].needs.mentions_count);
        }
    }
    return sizes;
}

static bool init_exchanges(struct runner *runner, struct arena *arena, const struct sizes *sizes)
{
    const struct worker *w = runner->worker;

    /* One per request in flight, and one for a request that fails before it is sent. */
    runner->exchanges_count = w->table.count * w->table.window_size + 1;
    runner->exchanges = arena_array(arena, runner->exchanges_count, sizeof(*runner->exchanges));
    if (runner->exchanges == NULL) return false;
    for (uint32_t i = runner->exchanges_count; i-- > 0;) {
        struct exchange *exchange = &runner->exchanges[i];

        exchange->index = i;
        if (!runner_init_inputs(&exchange->inputs, arena, sizes->slots, sizes->declares)) {
            return false;
        }
        exchange->free_next = runner->exchange_free;
        runner->exchange_free = exchange;
    }
    return true;
}

static bool init_lists(struct runner *runner, struct arena *arena, const struct sizes *sizes)
{
    const struct worker *w = runner->worker;
    uint32_t endpoints = runner->test->endpoints_count, providers = runner->test->providers_count;

    runner->endpoints = arena_array(arena, endpoints, sizeof(*runner->endpoints));
    runner->heap = arena_array(arena, (size_t)endpoints + 1, sizeof(struct endpoint *));
    runner->touched = arena_array(arena, endpoints, sizeof(struct endpoint *));
    runner->providers = arena_array(arena, providers, sizeof(*runner->providers));
    runner->sources = arena_array(arena, providers, sizeof(*runner->sources));
    runner->feeds = arena_array(arena, providers, sizeof(*runner->feeds));
    runner->feeds_here = arena_array(arena, providers, sizeof(struct feed *));
    runner->lines =
        arena_array(arena, (size_t)w->pools_count + w->plan->hosts_max, sizeof(*runner->lines));
    runner->outboxes = arena_array(arena, w->table.count, sizeof(*runner->outboxes));
    runner->bounds_ns = arena_array(arena, endpoints, sizeof(*runner->bounds_ns));
    runner->env_providers = arena_array(arena, sizes->slots, sizeof(struct value));
    runner->env_declares = arena_array(arena, sizes->declares, sizeof(struct value));
    runner->env_locals = arena_array(arena, sizes->locals, sizeof(struct value));
    runner->popped = arena_array(arena, sizes->mentions, sizeof(uint32_t));
    runner->results = arena_array(arena, sizes->paths, sizeof(struct json_result));
    runner->outgoing = arena_array(arena, sizes->provides, sizeof(*runner->outgoing));
    runner->counters_before =
        arena_array(arena, (size_t)runner->test->counters_count + 1, sizeof(int64_t));
    runner->counters =
        arena_array(arena, (size_t)runner->test->counters_count + 1, sizeof(int64_t));
    return runner->endpoints != NULL && runner->heap != NULL && runner->touched != NULL &&
           runner->providers != NULL && runner->sources != NULL && runner->feeds != NULL &&
           runner->bounds_ns != NULL && runner->feeds_here != NULL && runner->lines != NULL &&
           runner->outboxes != NULL && runner->env_providers != NULL &&
           runner->env_declares != NULL && runner->env_locals != NULL && runner->popped != NULL &&
           runner->results != NULL && runner->counters != NULL && runner->counters_before != NULL &&
           runner->outgoing != NULL;
}

/* What tells who may go on, and who has to stop. */
static bool init_ends(struct runner *runner, struct arena *arena)
{
    uint32_t providers = runner->test->providers_count;

    runner->driven = arena_array(arena, runner->test->endpoints_count, sizeof(struct endpoint *));
    runner->readers = arena_array(arena, providers, sizeof(*runner->readers));
    runner->had_readers = arena_array(arena, providers, sizeof(bool));
    runner->is_open = arena_array(arena, providers, sizeof(bool));
    runner->is_drained = arena_array(arena, providers, sizeof(bool));
    runner->stuck.waits = arena_array(arena, runner->test->endpoints_count, sizeof(uint32_t));
    runner->stuck.stocks = arena_array(arena, providers, sizeof(uint32_t));
    return runner->driven != NULL && runner->readers != NULL && runner->had_readers != NULL &&
           runner->is_open != NULL && runner->is_drained != NULL && runner->stuck.waits != NULL &&
           runner->stuck.stocks != NULL;
}

static bool init_memory(struct runner *runner, struct arena *arena)
{
    char *scratch = arena_alloc(arena, RUNNER_SCRATCH_BYTES, CACHE_LINE);
    char *feed_scratch = arena_alloc(arena, RUNNER_SCRATCH_BYTES, CACHE_LINE);

    if (feed_scratch == NULL) return false;
    scratch_init(&runner->feed_scratch, feed_scratch, RUNNER_SCRATCH_BYTES);
    runner->build_size =
        max_u64(RUNNER_BUILD_BYTES, runner->test->client.max_response_body + PICK_SLACK_BYTES);
    runner->build_bytes = arena_alloc(arena, runner->build_size, CACHE_LINE);
    runner->body_bytes = arena_alloc(arena, RUNNER_BUILD_BYTES, CACHE_LINE);
    if (scratch == NULL || runner->build_bytes == NULL || runner->body_bytes == NULL) return false;
    scratch_init(&runner->scratch, scratch, RUNNER_SCRATCH_BYTES);
    return blocks_init(&runner->blocks, arena, runner->options.memory_bytes);
}

static void init_env(struct runner *runner)
{
    const struct worker *w = runner->worker;

    rng_init(&runner->rng, w->plan->seed + w->index * UINT64_C(0x9e3779b97f4a7c15));
    (void)snprintf(runner->boundary, sizeof(runner->boundary), "pelt-%016" PRIx64,
                   rng_next(&runner->rng));
    for (uint32_t i = 0; i < runner->test->counters_count; i++) {
        runner->counters[i] = w->index;
    }
    runner->env = (struct expr_env){
        .providers = runner->env_providers,
        .declares = runner->env_declares,
        .locals = runner->env_locals,
        .field = runner_field,
        .popped = runner->popped,
        .scratch = &runner->scratch,
        .rng = &runner->rng,
        .counters = runner->counters,
        .counter_step = w->plan->workers,
        .worker = w->index,
    };
}

/* A list, a range or a file pushes by itself; the share is that of the endpoints that pop. */
static bool init_source(struct runner *runner, struct arena *arena, uint32_t index)
{
    const struct testfile_provider *def = &runner->test->providers[index];
    struct provider *provider = &runner->providers[index];
    bool shared = runner->options.provider_crews[index] > 1;
    struct feed_options feed = {
        .source = {.repeat = def->repeat,
                   .random = def->random,
                   .seed = runner->worker->plan->seed + index,
                   .index = shared ? runner->worker->index : 0,
                   .workers = shared ? runner->worker->plan->workers : 1},
        .file = &runner->options.files[index],
        .reader = runner->options.reader,
        .worker = runner->worker->index,
        .scratch = &runner->feed_scratch,
    };

    switch (def->kind) {
    case PROVIDER_RESPONSE: return true;
    case PROVIDER_LIST:
        value_source_init_list(&runner->sources[index], def->values, def->values_count,
                               &feed.source);
        break;
    case PROVIDER_RANGE:
        value_source_init_range(&runner->sources[index], def->start, def->end, def->step,
                                &feed.source);
        break;
    case PROVIDER_FILE:
        if (!feed_init(&runner->feeds[index], arena, &feed)) return false;
        provider->source = feed_source(&runner->feeds[index]);
        runner->feeds_here[runner->feeds_count++] = &runner->feeds[index];
        return true;
    }
    provider->source = value_source_of(&runner->sources[index]);
    return true;
}

/* A limit is that of all workers together; each has room for one at least. 0 stays 0. */
static uint32_t share_of_limit(const struct runner *runner, uint32_t provider, uint64_t limit)
{
    const struct worker *w = runner->worker;

    if (limit == 0 || runner->options.provider_crews[provider] <= 1) return (uint32_t)limit;
    return max_u32(1, (uint32_t)share_of(limit, w->plan->workers, w->index));
}

static bool init_providers(struct runner *runner, struct arena *arena)
{
    for (uint32_t i = 0; i < runner->test->providers_count; i++) {
        const struct testfile_provider *def = &runner->test->providers[i];
        struct provider_options options = {
            .name = def->name,
            .limit = share_of_limit(runner, i, min_u64(def->buffer, UINT32_MAX)),
            .auto_start = share_of_limit(runner, i, runner->test->general.auto_buffer_start_size),
            .unique = def->unique,
        };

        if (!provider_init(&runner->providers[i], &runner->blocks, &options)) return false;
        if (runner_has_provider(runner, i) && !init_source(runner, arena, i)) return false;
    }
    return true;
}

bool runner_has_provider(const struct runner *runner, uint32_t provider)
{
    const struct worker *w = runner->worker;

    return runner->options.provider_crews[provider] > 1 ||
           runner->options.provider_owners[provider] == w->index;
}

/* What an endpoint's expressions look at once the request is out. */
static void note_needs(struct endpoint *endpoint)
{
    const struct expr_needs *needs = &endpoint->def->needs;

    for (uint32_t i = 0; i < needs->fields_count; i++) {
        enum expr_field_kind kind = needs->fields[i].kind;

        if (kind <= EXPR_REQUEST_START_LINE) endpoint->keeps_sent = true;
        if (kind == EXPR_RESPONSE_HEADERS || kind == EXPR_RESPONSE_HEADERS_ALL ||
            kind == EXPR_RESPONSE_START_LINE) {
            endpoint->keeps_head = true;
        }
    }
    endpoint->keeps_body = needs->body != NULL;
    if (endpoint->runner->options.observer != NULL) {
        endpoint->keeps_sent = endpoint->keeps_head = endpoint->keeps_body = true;
    }
    endpoint->is_watched = endpoint->keeps_head || endpoint->keeps_body;
}

/* Counts the endpoint among those that read its providers, and drives it. */
static void join_flow(struct endpoint *endpoint)
{
    struct runner *runner = endpoint->runner;

    runner->here_count++;
    for (uint32_t slot = 0; slot < endpoint->def->slots_count; slot++) {
        if (!runner_pops_slot(endpoint, slot)) continue;
        runner->readers[endpoint->def->slots[slot]]++;
        runner->had_readers[endpoint->def->slots[slot]] = true;
    }
    runner_init_drive(endpoint);
    if (!endpoint->drive.by_slots || endpoint->drive.on_demand) {
        runner->driven[runner->driven_count++] = endpoint;
    }
}

static enum err init_endpoint(struct runner *runner, struct arena *arena, uint32_t index,
                              const struct sizes *sizes, struct err_info *why)
{
    struct worker *w = runner->worker;
    struct endpoint *endpoint = &runner->endpoints[index];
    const struct testfile_endpoint *def = &runner->test->endpoints[index];
    bool shared = runner->options.crews[index] > 1;
    struct arrivals_options arrivals = {
        .kind = PLAN_ARRIVALS_EVEN,
        .workers = shared ? w->plan->workers : 1,
        .index = shared ? w->index : 0,
        .from_ns = w->plan->pattern_from_ns,
    };

    endpoint->def = def;
    endpoint->runner = runner;
    endpoint->index = index;
    endpoint->next_ns = TIME_NEVER;
    endpoint->figures = w->shared->urls.count == 0 ? &runner->spare : &w->shared->urls.list[index];
    runner->bounds_ns[index] = def->request_timeout_ns;
    if (def->request_timeout_ns != w->table.timeout_ns) {
        endpoint->bound = (uint16_t)(index + 1);
        w->table.bounds_ns = runner->bounds_ns;
    }
    endpoint->pool = &w->pools[w->plan->requests[index].target];
    endpoint->target = &w->plan->targets[w->plan->requests[index].target];
    endpoint->is_here = shared || runner->options.owners[index] == w->index;
    if (!endpoint->is_here) return ERR_OK;
    endpoint->waits = arena_array(arena, sizes->slots, sizeof(*endpoint->waits));
    if (endpoint->waits == NULL ||
        !runner_init_inputs(&endpoint->inputs, arena, sizes->slots, sizes->declares) ||
        !runner_init_declares(endpoint, arena)) {
        return no_memory(why);
    }
    join_flow(endpoint);
    note_needs(endpoint);
    if (def->needs.body != NULL) {
        endpoint->select = json_select_new(arena, def->needs.body);
        if (endpoint->select == NULL) return no_memory(why);
    }
    if (!runner_prepare_tags(endpoint, arena)) return no_memory(why);
    if (endpoint->is_watched) endpoint->pool->drain_above = UINT64_MAX;
    if (!mod_interval_init(&endpoint->mod, arena, def->stages, def->stages_count)) {
        return no_memory(why);
    }
    arrivals_init(&endpoint->arrivals, &endpoint->mod, &arrivals);
    return runner_prepare_build(endpoint, arena, why);
}

/* How many connections to one target there may be. */
static uint32_t pool_max_of(const struct worker *w, const struct testfile *test)
{
    uint64_t max = test->client.max_connections_per_host;

    if (max == 0) return w->table.count;
    max = share_of(max, w->plan->workers, w->index);
    return max_u32(1, (uint32_t)min_u64(max, w->table.count));
}

enum err runner_new(struct runner **ret_runner, struct worker *worker,
                    const struct runner_options *options, struct err_info *why)
{
    struct arena *arena = &worker->arena;
    struct runner *runner = arena_array(arena, 1, sizeof(*runner));
    struct sizes sizes = measure(options->test);

    if (runner == NULL) return no_memory(why);
    runner->worker = worker;
    runner->test = options->test;
    runner->options = *options;
    if (!init_lists(runner, arena, &sizes) || !init_ends(runner, arena) ||
        !runner_init_barter(runner, arena) || !init_memory(runner, arena) ||
        !init_exchanges(runner, arena, &sizes) || !init_providers(runner, arena)) {
        return no_memory(why);
    }
    init_env(runner);
    if (options->loggers != NULL) {
        runner->log =
            loggers_port(options->loggers, worker->index, &runner->blocks, &runner->scratch);
    }
    runner->pool_max = pool_max_of(worker, runner->test);
    runner->pending_max =
        (uint32_t)share_of(worker->plan->max_pending, worker->plan->workers, worker->index);
    for (uint32_t i = 0; i < runner->test->endpoints_count; i++) {
        enum err err = init_endpoint(runner, arena, i, &sizes, why);

        if (err != ERR_OK) return err;
    }
    *ret_runner = runner;
    if (worker->plan->hosts_max > 0) return runner_hosts_new(runner, arena, why);
    return ERR_OK;
}
