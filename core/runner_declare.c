/* `declare`: streams of values, each mention of a provider popping on its own. What a declare needs
 * is found as it is evaluated; what it has popped while a value is missing is held, and the
 * evaluation begun anew when that has come. */
#include <string.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/runner_impl.h"

bool runner_init_inputs(struct inputs *inputs, struct arena *arena, uint32_t slots,
                        uint32_t declares)
{
    inputs->items = arena_array(arena, slots, sizeof(struct provider_item *));
    inputs->declared = arena_array(arena, declares, sizeof(*inputs->declared));
    return inputs->items != NULL && inputs->declared != NULL;
}

bool runner_init_declares(struct endpoint *endpoint, struct arena *arena)
{
    const struct testfile_endpoint *def = endpoint->def;

    endpoint->declaring = arena_array(arena, def->declares_count, sizeof(*endpoint->declaring));
    if (endpoint->declaring == NULL) return false;
    for (uint32_t i = 0; i < def->declares_count; i++) {
        struct declaring *declaring = &endpoint->declaring[i];
        const struct expr_needs *needs = &def->declares[i].needs;

        declaring->endpoint = endpoint;
        declaring->holds = arena_array(arena, needs->mentions_count, sizeof(*declaring->holds));
        if (declaring->holds == NULL) return false;
        rng_init(&declaring->rng, rng_next(&endpoint->runner->rng));
    }
    for (uint32_t i = 0; i < def->declares_used; i++) {
        endpoint->drive.reads_clock |= def->declares[def->declares_order[i]].needs.wall;
    }
    return true;
}

void runner_begin_declares(struct endpoint *endpoint)
{
    for (uint32_t i = 0; i < endpoint->def->declares_count; i++) {
        endpoint->declaring[i].is_done = false;
    }
    endpoint->inputs.error = EXPR_OK;
}

/* An evaluation at work: what runner.env's context is meanwhile. */
struct popping {
    struct declaring *declaring;
    const struct testfile_declare *def;
    uint64_t now_ns;
};

/* expr_env.pop */
static enum expr_error pop(void *context, uint32_t mention, uint32_t nth, struct value *ret_value)
{
    struct popping *popping = context;
    struct declaring *declaring = popping->declaring;
    struct endpoint *endpoint = declaring->endpoint;
    struct runner *runner = endpoint->runner;
    struct mention_hold *hold = &declaring->holds[mention];
    uint32_t slot = popping->def->needs.mentions[mention].provider;
    struct provider *provider = &runner->providers[endpoint->def->slots[slot]];

    CHECK(nth <= hold->items.count);
    if (nth == hold->items.count) {
        struct provider_item *item = runner_take(runner, provider);

        if (item == NULL) {
            declaring->waits_for = mention;
            runner_join(runner, provider, &declaring->wait, popping->now_ns, endpoint);
            return EXPR_WAIT;
        }
        item->slot = slot;
        item_list_add(&hold->items, item);
        hold->at = item;
    } else if (nth == 0) {
        hold->at = hold->items.first;
    } else {
        CHECK(nth == hold->nth + 1);
        hold->at = hold->at->next;
    }
    hold->nth = nth;
    *ret_value = hold->at->value;
    return EXPR_OK;
}

/* Keeps the value, which may lie in the scratch. */
static enum expr_error keep_value(struct runner *runner, struct declared *declared,
                                  const struct value *value)
{
    declared->bytes = value_pack_bytes(value);
    declared->value = *value;
    if (declared->bytes == 0) return EXPR_OK;
    declared->memory = blocks_alloc(&runner->blocks, declared->bytes);
    if (declared->memory == NULL) {
        declared->value = value_null();
        declared->bytes = 0;
        return EXPR_FULL;
    }
    declared->value = value_pack(value, declared->memory);
    return EXPR_OK;
}

/* Gives the request what the evaluation has popped. What a mention holds beyond that, since an
 * earlier attempt went another way, is for the next one. */
static void hand_over(struct declaring *declaring, const struct expr_needs *needs)
{
    struct endpoint *endpoint = declaring->endpoint;
    const uint32_t *popped = endpoint->runner->popped;

    for (uint32_t m = 0; m < needs->mentions_count; m++) {
        for (uint32_t i = 0; i < popped[m]; i++) {
            item_list_add(&endpoint->inputs.popped, item_list_take(&declaring->holds[m].items));
        }
    }
}

/* Readies the environment: only other declares, and pops. */
static void ready_env(struct popping *popping, struct rng *rng)
{
    const struct endpoint *endpoint = popping->declaring->endpoint;
    struct runner *runner = endpoint->runner;

    for (uint32_t i = 0; i < endpoint->def->declares_count; i++) {
        runner->env_declares[i] = endpoint->inputs.declared[i].value;
    }
    memset(runner->popped, 0, popping->def->needs.mentions_count * sizeof(*runner->popped));
    scratch_clear(&runner->scratch);
    runner->env.body = NULL;
    runner->env.indexing_is_null = false;
    runner->env.context = popping;
    runner->env.pop = pop;
    runner->env.rng = rng;
    if (popping->def->needs.wall) runner->env.wall_ns = clock_wall_ns();
}

/* Evaluates a declare for the next request; false when it has to wait. */
static bool evaluate(struct declaring *declaring, uint32_t index, uint64_t now_ns)
{
    struct endpoint *endpoint = declaring->endpoint;
    struct runner *runner = endpoint->runner;
    const struct testfile_declare *def = &endpoint->def->declares[index];
    struct popping popping = {.declaring = declaring, .def = def, .now_ns = now_ns};
    size_t counters_bytes = runner->test->counters_count * sizeof(*runner->counters);
    struct rng rng = declaring->rng;
    struct value value = value_null();
    enum expr_error error;

    if (def->needs.counters) memcpy(runner->counters_before, runner->counters, counters_bytes);
    ready_env(&popping, &rng);
    error = expr_eval(def->expr, &runner->env, &value);
    runner->env.rng = &runner->rng;
    if (error == EXPR_WAIT) {
        if (def->needs.counters) memcpy(runner->counters, runner->counters_before, counters_bytes);
        return false;
    }
    if (error == EXPR_OK) {
        error = keep_value(runner, &endpoint->inputs.declared[index], &value);
    }
    if (error != EXPR_OK && endpoint->inputs.error == EXPR_OK) endpoint->inputs.error = error;
    hand_over(declaring, &def->needs);
    declaring->rng = rng;
    declaring->is_done = true;
    return true;
}

/* True if all that a declare uses has its value. */
static bool is_ready(const struct endpoint *endpoint, const struct expr_needs *needs)
{
    for (uint32_t i = 0; i < needs->uses_count; i++) {
        if (needs->uses[i].kind != EXPR_DECLARE) continue;
        if (!endpoint->declaring[needs->uses[i].index].is_done) return false;
    }
    return true;
}

bool runner_declare(struct endpoint *endpoint, uint64_t now_ns)
{
    const struct testfile_endpoint *def = endpoint->def;
    bool all = true;

    for (uint32_t i = 0; i < def->declares_used; i++) {
        uint32_t index = def->declares_order[i];
        struct declaring *declaring = &endpoint->declaring[index];

        if (declaring->is_done) continue;
        all = declaring->wait.provider == NULL && is_ready(endpoint, &def->declares[index].needs) &&
              evaluate(declaring, index, now_ns) && all;
    }
    return all;
}

void runner_serve_declare(struct provider_wait *wait, struct provider_item *item)
{
    struct declaring *declaring = container_of(wait, struct declaring, wait);
    const struct endpoint *endpoint = declaring->endpoint;
    const struct testfile_declare *def = &endpoint->def->declares[declaring - endpoint->declaring];

    item->slot = def->needs.mentions[declaring->waits_for].provider;
    item_list_add(&declaring->holds[declaring->waits_for].items, item);
}

void runner_free_declared(struct runner *runner, struct inputs *inputs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        blocks_free(&runner->blocks, inputs->declared[i].memory, inputs->declared[i].bytes);
        inputs->declared[i] = (struct declared){0};
    }
}

/* Puts all of a list back, so that the first of it is the next again. */
static void put_back(struct endpoint *endpoint, struct item_list *list)
{
    struct provider_item *turned = NULL, *item;

    while ((item = item_list_take(list)) != NULL) {
        item->next = turned;
        turned = item;
    }
    while ((item = turned) != NULL) {
        turned = item->next;
        provider_put_back(&endpoint->runner->providers[endpoint->def->slots[item->slot]], item);
    }
}

void runner_undeclare(struct endpoint *endpoint)
{
    const struct testfile_endpoint *def = endpoint->def;

    for (uint32_t i = def->declares_count; i-- > 0;) {
        struct declaring *declaring = &endpoint->declaring[i];

        if (declaring->wait.provider != NULL) {
            provider_wait_end(&declaring->wait);
            endpoint->runner->waiting--;
        }
        for (uint32_t m = def->declares[i].needs.mentions_count; m-- > 0;) {
            put_back(endpoint, &declaring->holds[m].items);
        }
    }
    put_back(endpoint, &endpoint->inputs.popped);
    runner_free_declared(endpoint->runner, &endpoint->inputs, def->declares_count);
}
