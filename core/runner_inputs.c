/* Values for requests: popped from providers, waited for in line, given back. */
#include "core/base/check.h"
#include "core/runner_impl.h"

static struct provider *provider_of_slot(const struct endpoint *endpoint, uint32_t slot)
{
    return &endpoint->runner->providers[endpoint->def->slots[slot]];
}

/* Pops the value of one slot, or stands in line for it. */
static void pop_slot(struct endpoint *endpoint, uint32_t slot, uint64_t now_ns)
{
    struct provider *provider = provider_of_slot(endpoint, slot);
    struct provider_wait *wait = &endpoint->waits[slot];

    /* Those who wait already come first. */
    if (provider->receivers.first == NULL) endpoint->items[slot] = provider_take(provider);
    if (endpoint->items[slot] != NULL) return;
    provider_wait_value(provider, wait, now_ns);
    wait->owner = endpoint;
    endpoint->missing++;
    endpoint->runner->waiting++;
}

bool runner_gather(struct endpoint *endpoint, uint64_t now_ns)
{
    const struct testfile_endpoint *def = endpoint->def;

    if (endpoint->is_gathering) return endpoint->missing == 0;
    endpoint->is_gathering = true;
    for (uint32_t slot = 0; slot < def->slots_count; slot++) {
        if (def->is_input[slot]) pop_slot(endpoint, slot, now_ns);
    }
    return endpoint->missing == 0;
}

/* The first in line of `provider` gets its value. */
static void serve_receiver(struct provider *provider, struct provider_wait *wait)
{
    struct endpoint *endpoint = wait->owner;
    uint32_t slot = (uint32_t)(wait - endpoint->waits);

    CHECK(slot < endpoint->def->slots_count && endpoint->items[slot] == NULL);
    provider_wait_end(wait);
    endpoint->items[slot] = provider_take(provider);
    CHECK(endpoint->items[slot] != NULL);
    endpoint->missing--;
    endpoint->runner->waiting--;
    if (endpoint->missing == 0) runner_touch(endpoint);
}

/* True if nothing will ever be put into this provider again: its source has ended, and no endpoint
 * feeds it or gives values back. */
static bool is_closed(const struct runner *runner, uint32_t index)
{
    const struct testfile_provider *def = &runner->test->providers[index];

    if (def->is_fed || def->auto_return != RETURN_NONE || runner->providers[index].len > 0) {
        return false;
    }
    switch (def->kind) {
    case PROVIDER_FILE: return feed_is_ended(&runner->feeds[index]);
    case PROVIDER_LIST:
    case PROVIDER_RANGE: return value_source_is_ended(&runner->sources[index]);
    case PROVIDER_RESPONSE: return true;
    }
    UNREACHABLE("a provider without a kind");
}

bool runner_waits_in_vain(const struct endpoint *endpoint)
{
    for (uint32_t slot = 0; slot < endpoint->def->slots_count; slot++) {
        if (endpoint->waits[slot].provider == NULL) continue;
        if (is_closed(endpoint->runner, endpoint->def->slots[slot])) return true;
    }
    return false;
}

/* A value that waits for room. */
struct delivery {
    struct provider_wait wait;
    struct provider_item *item;
};

static void serve_sender(struct runner *runner, struct provider *provider,
                         struct provider_wait *wait)
{
    struct delivery *delivery = container_of(wait, struct delivery, wait);
    enum provider_pushed pushed = provider_give(provider, delivery->item, false);

    CHECK(pushed != PROVIDER_FULL);
    provider_wait_end(wait);
    blocks_free(&runner->blocks, delivery, sizeof(*delivery));
    runner->waiting--;
}

void runner_wake_waiting(struct runner *runner)
{
    bool any = runner->waiting > 0;

    while (any) {
        any = false;
        for (uint32_t i = 0; i < runner->test->providers_count; i++) {
            struct provider *provider = &runner->providers[i];
            struct provider_wait *wait;

            while ((wait = provider_next_receiver(provider)) != NULL) {
                serve_receiver(provider, wait);
            }
            while ((wait = provider_next_sender(provider)) != NULL) {
                serve_sender(runner, provider, wait);
                any = true;
            }
        }
    }
}

void runner_deliver(struct runner *runner, struct provider *provider, struct provider_item *item,
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

void runner_return_items(struct exchange *exchange, uint64_t now_ns)
{
    const struct endpoint *endpoint = exchange->endpoint;
    const struct testfile_endpoint *def = endpoint->def;
    struct runner *runner = endpoint->runner;

    for (uint32_t slot = 0; slot < def->slots_count; slot++) {
        const struct testfile_provider *from = &runner->test->providers[def->slots[slot]];
        struct provider *provider = provider_of_slot(endpoint, slot);
        struct provider_item *item = exchange->items[slot];
        enum testfile_auto_return how = def->no_auto_returns ? RETURN_NONE : from->auto_return;

        exchange->items[slot] = NULL;
        if (item == NULL) continue;
        switch (how) {
        case RETURN_BLOCK: runner_deliver(runner, provider, item, now_ns); break;
        case RETURN_FORCE: (void)!provider_give(provider, item, true); break;
        case RETURN_IF_NOT_FULL:
            if (provider_give(provider, item, false) == PROVIDER_FULL) {
                provider_item_free(&runner->blocks, item);
            }
            break;
        case RETURN_NONE: provider_item_free(&runner->blocks, item); break;
        }
    }
}
