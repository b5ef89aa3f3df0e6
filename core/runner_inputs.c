/* Values for requests: popped from providers, waited for in line, put back. */
#include "core/base/check.h"
#include "core/runner_impl.h"

static struct provider *provider_of_slot(const struct endpoint *endpoint, uint32_t slot)
{
    return &endpoint->runner->providers[endpoint->def->slots[slot]];
}

void item_list_add(struct item_list *list, struct provider_item *item)
{
    item->next = NULL;
    if (list->last != NULL) {
        list->last->next = item;
    } else {
        list->first = item;
    }
    list->last = item;
    list->count++;
}

struct provider_item *item_list_take(struct item_list *list)
{
    struct provider_item *item = list->first;

    if (item == NULL) return NULL;
    list->first = item->next;
    if (list->first == NULL) list->last = NULL;
    list->count--;
    item->next = NULL;
    return item;
}

struct provider_item *runner_take(struct runner *runner, struct provider *provider)
{
    struct provider_item *item;

    /* Those who wait come first; but that it is empty is seen. */
    if (provider->receivers.first != NULL && provider->len > 0) return NULL;
    item = provider_take(provider);
    if (item != NULL) runner->is_stirred = true;
    return item;
}

void runner_join(struct runner *runner, struct provider *provider, struct provider_wait *wait,
                 uint64_t now_ns, struct endpoint *endpoint)
{
    provider_wait_value(provider, wait, now_ns);
    wait->owner = endpoint;
    runner->waiting++;
    runner->is_stirred = true; /* It is demand. */
    runner->ends_changed = true;
}

/* Pops the value of one slot, or stands in line for it. */
static void pop_slot(struct endpoint *endpoint, uint32_t slot, uint64_t now_ns)
{
    struct provider *provider = provider_of_slot(endpoint, slot);
    struct runner *runner = endpoint->runner;

    endpoint->inputs.items[slot] = runner_take(runner, provider);
    if (endpoint->inputs.items[slot] != NULL) return;
    runner_join(runner, provider, &endpoint->waits[slot], now_ns, endpoint);
    endpoint->missing++;
}

bool runner_gather(struct endpoint *endpoint, uint64_t now_ns)
{
    const struct testfile_endpoint *def = endpoint->def;

    if (!endpoint->is_gathering) {
        endpoint->is_gathering = true;
        for (uint32_t slot = 0; slot < def->slots_count; slot++) {
            if (def->is_input[slot]) pop_slot(endpoint, slot, now_ns);
        }
        runner_begin_declares(endpoint);
    }
    if (!endpoint->is_complete) {
        endpoint->is_complete = runner_declare(endpoint, now_ns) && endpoint->missing == 0;
    }
    return endpoint->is_complete;
}

static bool is_of_slot(const struct endpoint *endpoint, const struct provider_wait *wait)
{
    return wait >= endpoint->waits && wait < endpoint->waits + endpoint->def->slots_count;
}

/* The first in line of `provider` gets its value. */
static void serve_receiver(struct runner *runner, struct provider *provider,
                           struct provider_wait *wait)
{
    struct endpoint *endpoint = wait->owner;
    struct provider_item *item;
    uint32_t slot;

    provider_wait_end(wait);
    item = provider_take(provider);
    CHECK(item != NULL);
    runner->waiting--;
    runner_touch(endpoint);
    if (!is_of_slot(endpoint, wait)) {
        runner_serve_declare(wait, item);
        return;
    }
    slot = (uint32_t)(wait - endpoint->waits);
    CHECK(endpoint->inputs.items[slot] == NULL);
    endpoint->inputs.items[slot] = item;
    endpoint->missing--;
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
                serve_receiver(runner, provider, wait);
                any = true;
            }
            while ((wait = provider_next_sender(provider)) != NULL) {
                runner_serve_sender(runner, wait, runner->worker->now_ns);
                any = true;
            }
        }
        if (any) runner->is_stirred = runner->ends_changed = true;
    }
}

bool runner_waits_for(const struct endpoint *endpoint, const struct provider *provider)
{
    for (uint32_t slot = 0; slot < endpoint->def->slots_count; slot++) {
        if (endpoint->waits[slot].provider == provider) return true;
    }
    for (uint32_t i = 0; i < endpoint->def->declares_count; i++) {
        if (endpoint->declaring[i].wait.provider == provider) return true;
    }
    return false;
}

/* True if one of the list is of `provider`. */
static bool has_item_of(const struct endpoint *endpoint, const struct item_list *list,
                        uint32_t provider)
{
    for (const struct provider_item *item = list->first; item != NULL; item = item->next) {
        if (endpoint->def->slots[item->slot] == provider) return true;
    }
    return false;
}

/* True if a declare has popped one of `provider`. */
static bool declares_hold(const struct endpoint *endpoint, uint32_t provider)
{
    const struct testfile_endpoint *def = endpoint->def;

    for (uint32_t i = 0; i < def->declares_count; i++) {
        for (uint32_t m = 0; m < def->declares[i].needs.mentions_count; m++) {
            if (has_item_of(endpoint, &endpoint->declaring[i].holds[m].items, provider))
                return true;
        }
    }
    return has_item_of(endpoint, &endpoint->inputs.popped, provider);
}

bool runner_holds(const struct endpoint *endpoint, uint32_t provider)
{
    const struct testfile_endpoint *def = endpoint->def;

    if (!endpoint->is_gathering || endpoint->is_complete) return false;
    for (uint32_t slot = 0; slot < def->slots_count; slot++) {
        if (def->slots[slot] == provider && endpoint->inputs.items[slot] != NULL) return true;
    }
    return declares_hold(endpoint, provider);
}

bool runner_is_held(const struct runner *runner, uint32_t provider)
{
    for (uint32_t i = 0; i < runner->test->endpoints_count; i++) {
        if (runner_holds(&runner->endpoints[i], provider)) return true;
    }
    return false;
}

void runner_ungather(struct endpoint *endpoint)
{
    struct runner *runner = endpoint->runner;

    if (!endpoint->is_gathering) return;
    endpoint->is_gathering = endpoint->is_complete = false;
    runner_undeclare(endpoint);
    for (uint32_t slot = endpoint->def->slots_count; slot-- > 0;) {
        struct provider_item *item = endpoint->inputs.items[slot];

        if (endpoint->waits[slot].provider != NULL) {
            provider_wait_end(&endpoint->waits[slot]);
            runner->waiting--;
        }
        endpoint->inputs.items[slot] = NULL;
        if (item != NULL) provider_put_back(provider_of_slot(endpoint, slot), item);
    }
    endpoint->missing = 0;
    runner->is_stirred = runner->ends_changed = true;
}
