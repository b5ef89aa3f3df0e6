/* Where values go when an answer has come: into the providers that the endpoint feeds, and back to
 * those that its own values came from. */
#include "core/base/check.h"
#include "core/runner_impl.h"
#include "core/runner_sending.h"

/* Where the values of an entry of `provides` go. */
struct push_context {
    struct exchange *exchange;
    const struct testfile_output *output;
    struct outgoing *outgoing;
};

/* Values of `block` wait behind those that do already. */
static void push_block(struct runner *runner, struct provider *provider, struct outgoing *outgoing,
                       const struct value *value)
{
    struct provider_item *item;

    if (outgoing->items.first == NULL && provider->senders.first == NULL &&
        provider_push(provider, value, false) != PROVIDER_FULL) {
        return;
    }
    item = provider_item_new(provider, value);
    if (item != NULL) item_list_add(&outgoing->items, item);
    runner->has_outgoing = true;
}

static bool push_value(void *context, const struct value *value)
{
    struct push_context *push = context;
    struct runner *runner = push->exchange->endpoint->runner;
    uint32_t target = push->output->target;
    struct provider *provider = &runner->providers[target];

    if (push->exchange->asked == target) push->exchange->asked = EXCHANGE_UNASKED;
    if (!runner_is_read(runner, target)) {
        provider->unread++;
        return true;
    }
    push->outgoing->any = true;
    switch (push->output->send) {
    case SEND_FORCE: (void)!provider_push(provider, value, true); return true;
    case SEND_IF_NOT_FULL:
        if (provider->senders.first == NULL &&
            provider_push(provider, value, false) != PROVIDER_FULL) {
            return true;
        }
        provider->refused++;
        return false;
    case SEND_BLOCK: push_block(runner, provider, push->outgoing, value); return true;
    }
    UNREACHABLE("a way to send without a name");
}

void runner_provide(struct exchange *exchange)
{
    const struct testfile_endpoint *def = exchange->endpoint->def;
    struct runner *runner = exchange->endpoint->runner;

    for (uint32_t i = 0; i < def->provides_count; i++) {
        struct push_context push = {
            .exchange = exchange, .output = &def->provides[i], .outgoing = &runner->outgoing[i]};
        enum expr_error error;

        *push.outgoing = (struct outgoing){0};
        runner->env.indexing_is_null = false;
        error = select_run(&def->provides[i].select, &runner->env, runner->env_locals, push_value,
                           &push);
        if (error == EXPR_OK) continue;
        runner_note_error(exchange, TEST_ERROR_INDEXING, error);
        runner_log_error(exchange, error);
        runner_note_ill(exchange, "its 'provides' cannot be evaluated");
    }
    runner->is_stirred |= def->provides_count > 0;
}

struct item_list runner_take_returns(struct exchange *exchange)
{
    const struct testfile_endpoint *def = exchange->endpoint->def;
    struct runner *runner = exchange->endpoint->runner;
    struct item_list all = {0}, returns = {0};
    struct provider_item *item;

    for (uint32_t slot = 0; slot < def->slots_count; slot++) {
        item = exchange->inputs.items[slot];
        exchange->inputs.items[slot] = NULL;
        if (item == NULL) continue;
        item->slot = slot;
        item_list_add(&all, item);
    }
    while ((item = item_list_take(&exchange->inputs.popped)) != NULL) {
        item_list_add(&all, item);
    }
    while ((item = item_list_take(&all)) != NULL) {
        if (def->no_auto_returns ||
            runner->test->providers[def->slots[item->slot]].auto_return == RETURN_NONE) {
            provider_item_free(&runner->blocks, item);
        } else {
            item_list_add(&returns, item);
        }
    }
    runner_free_declared(runner, &exchange->inputs, def->declares_count);
    return returns;
}

/* Puts an item at the end of a provider's queue, now or when there is room. */
static void deliver(struct runner *runner, struct provider *provider, struct provider_item *item,
                    uint64_t now_ns)
{
    struct delivery *delivery;

    if (provider->senders.first == NULL && provider_give(provider, item, false) != PROVIDER_FULL) {
        return;
    }
    delivery = blocks_alloc(&runner->blocks, sizeof(*delivery));
    if (delivery == NULL) {
        provider->no_memory++;
        provider_item_free(&runner->blocks, item);
        return;
    }
    *delivery = (struct delivery){.item = item};
    provider_wait_room(provider, &delivery->wait, now_ns);
    runner->waiting++;
}

static void return_item(struct endpoint *endpoint, struct provider_item *item, uint64_t now_ns)
{
    struct runner *runner = endpoint->runner;
    uint32_t index = endpoint->def->slots[item->slot];
    struct provider *provider = &runner->providers[index];

    if (!runner_is_read(runner, index)) {
        provider->unread++;
        provider_item_free(&runner->blocks, item);
        return;
    }
    switch (runner->test->providers[index].auto_return) {
    case RETURN_BLOCK: deliver(runner, provider, item, now_ns); return;
    case RETURN_FORCE: (void)!provider_give(provider, item, true); return;
    case RETURN_IF_NOT_FULL:
        if (provider->senders.first != NULL ||
            provider_give(provider, item, false) == PROVIDER_FULL) {
            provider->refused++;
            provider_item_free(&runner->blocks, item);
        }
        return;
    case RETURN_NONE: provider_item_free(&runner->blocks, item); return;
    }
}

/* The request is over: its values go back. */
static void finish(struct endpoint *endpoint, struct item_list *returns, uint64_t now_ns)
{
    struct runner *runner = endpoint->runner;
    struct provider_item *item;

    while ((item = item_list_take(returns)) != NULL) {
        return_item(endpoint, item, now_ns);
    }
    runner_note_room(endpoint);
    CHECK(endpoint->drive.running > 0);
    endpoint->drive.running--;
    runner->is_stirred = runner->ends_changed = true;
    runner_touch(endpoint);
}

/* Pushes what there is room for; true once nothing is left. */
static bool push_items(struct runner *runner, uint32_t index, struct item_list *items)
{
    struct provider *provider = &runner->providers[index];
    bool is_read = runner_is_read(runner, index);
    struct provider_item *item;

    while (items->first != NULL && (!is_read || provider_has_room(provider))) {
        item = item_list_take(items);
        if (is_read) {
            enum provider_pushed pushed = provider_give(provider, item, false);

            CHECK(pushed != PROVIDER_FULL);
            continue;
        }
        provider->unread++;
        provider_item_free(&runner->blocks, item);
    }
    return items->first == NULL;
}

static void refuse_items(struct runner *runner, uint32_t index, struct item_list *items)
{
    struct provider_item *item;

    while ((item = item_list_take(items)) != NULL) {
        runner->providers[index].refused++;
        provider_item_free(&runner->blocks, item);
    }
}

/* Ends the waits of a sending, and the request with it. */
static void finish_sending(struct sending *sending, uint64_t now_ns)
{
    struct endpoint *endpoint = sending->endpoint;
    struct runner *runner = endpoint->runner;
    struct item_list returns = sending->returns;

    for (uint32_t i = 0; i < sending->lists_count; i++) {
        struct sending_list *list = &sending->lists[i];

        if (list->wait.provider == NULL) continue;
        if (list->wait.prev == NULL || !runner_is_read(runner, list->provider)) {
            (void)push_items(runner, list->provider, &list->items);
        }
        refuse_items(runner, list->provider, &list->items);
        provider_wait_end(&list->wait);
        runner->waiting--;
    }
    blocks_free(&runner->blocks, sending,
                sizeof(*sending) + sending->lists_count * sizeof(*sending->lists));
    finish(endpoint, &returns, now_ns);
}

/* One list has pushed what it could. */
static void go_on(struct sending_list *list, uint64_t now_ns)
{
    struct sending *sending = list->sending;
    struct runner *runner = sending->endpoint->runner;

    if (!push_items(runner, list->provider, &list->items)) return;
    provider_wait_end(&list->wait);
    runner->waiting--;
    sending->open--;
    if (sending->open == 0 || !sending->endpoint->def->send_all) finish_sending(sending, now_ns);
}

/* Lets what is left of the values wait; false when there is no memory for that. */
static bool begin_sending(struct endpoint *endpoint, struct item_list *returns, uint32_t count,
                          uint64_t now_ns)
{
    struct runner *runner = endpoint->runner;
    size_t bytes = sizeof(struct sending) + count * sizeof(struct sending_list);
    struct sending *sending = blocks_alloc(&runner->blocks, bytes);

    if (sending == NULL) return false;
    *sending = (struct sending){
        .endpoint = endpoint, .returns = *returns, .lists_count = count, .open = count};
    for (uint32_t i = 0, at = 0; i < endpoint->def->provides_count; i++) {
        struct sending_list *list = &sending->lists[at];

        if (runner->outgoing[i].items.first == NULL) continue;
        *list = (struct sending_list){.sending = sending,
                                      .items = runner->outgoing[i].items,
                                      .provider = endpoint->def->provides[i].target};
        provider_wait_room(&runner->providers[list->provider], &list->wait, now_ns);
        list->wait.owner = list;
        runner->waiting++;
        at++;
    }
    runner->ends_changed = true;
    return true;
}

void runner_end_request(struct endpoint *endpoint, struct item_list *returns, uint64_t now_ns)
{
    const struct testfile_endpoint *def = endpoint->def;
    struct runner *runner = endpoint->runner;
    uint32_t waiting = 0;
    bool one_is_through = false;

    if (!runner->has_outgoing) {
        finish(endpoint, returns, now_ns);
        return;
    }
    runner->has_outgoing = false;
    for (uint32_t i = 0; i < def->provides_count; i++) {
        if (def->provides[i].send != SEND_BLOCK) continue;
        waiting += runner->outgoing[i].items.first != NULL;
        one_is_through |= runner->outgoing[i].any && runner->outgoing[i].items.first == NULL;
    }
    if (waiting > 0 && (def->send_all || !one_is_through) &&
        begin_sending(endpoint, returns, waiting, now_ns)) {
        return;
    }
    for (uint32_t i = 0; i < def->provides_count; i++) {
        refuse_items(runner, def->provides[i].target, &runner->outgoing[i].items);
    }
    finish(endpoint, returns, now_ns);
}

void runner_serve_sender(struct runner *runner, struct provider_wait *wait, uint64_t now_ns)
{
    struct provider *provider = wait->provider;
    struct delivery *delivery;
    enum provider_pushed pushed;

    if (wait->owner != NULL) {
        go_on(wait->owner, now_ns);
        return;
    }
    delivery = container_of(wait, struct delivery, wait);
    pushed = provider_give(provider, delivery->item, false);
    CHECK(pushed != PROVIDER_FULL);
    provider_wait_end(wait);
    blocks_free(&runner->blocks, delivery, sizeof(*delivery));
    runner->waiting--;
}

void runner_drop_senders(struct runner *runner, uint32_t index, uint64_t now_ns)
{
    struct provider *provider = &runner->providers[index];
    struct provider_wait *wait;

    CHECK(!runner_is_read(runner, index));
    while ((wait = provider->senders.first) != NULL) {
        struct delivery *delivery;

        if (wait->owner != NULL) {
            go_on(wait->owner, now_ns);
            continue;
        }
        delivery = container_of(wait, struct delivery, wait);
        provider_wait_end(wait);
        provider->unread++;
        provider_item_free(&runner->blocks, delivery->item);
        blocks_free(&runner->blocks, delivery, sizeof(*delivery));
        runner->waiting--;
    }
}
