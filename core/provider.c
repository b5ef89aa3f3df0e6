#include "core/provider.h"

#include <string.h>

#include "core/base/check.h"

enum { SAMES_FIRST = 64, SAMES_MAX = 1 << 26 };

static uint32_t same_bucket(const struct provider *provider, uint64_t hash)
{
    return (uint32_t)hash & provider->sames_mask;
}

/* Buckets for unique values, all empty; NULL when there is no memory for so many. */
static struct provider_item **new_buckets(struct blocks *blocks, uint32_t count)
{
    struct provider_item **buckets = blocks_alloc(blocks, count * sizeof(struct provider_item *));

    if (buckets != NULL) memset(buckets, 0, count * sizeof(struct provider_item *));
    return buckets;
}

bool provider_init(struct provider *provider, struct blocks *blocks,
                   const struct provider_options *options)
{
    CHECK(options->limit > 0 || options->auto_start > 0);
    *provider = (struct provider){
        .blocks = blocks,
        .name = options->name,
        .limit = options->limit > 0 ? options->limit : options->auto_start,
        .grows = options->limit == 0,
    };
    if (!options->unique) return true;
    provider->sames = new_buckets(blocks, SAMES_FIRST);
    provider->sames_mask = SAMES_FIRST - 1;
    return provider->sames != NULL;
}

static void add_same(struct provider *provider, struct provider_item *item)
{
    struct provider_item **bucket = &provider->sames[same_bucket(provider, item->hash)];

    item->same_next = *bucket;
    *bucket = item;
}

/* More buckets once there is more than one value per bucket. Without memory for them the chains
 * grow instead. */
static void grow_sames(struct provider *provider)
{
    uint32_t count = provider->sames_mask + 1;
    struct provider_item **buckets, **old = provider->sames;

    if (provider->len < count || count >= SAMES_MAX) return;
    buckets = new_buckets(provider->blocks, 2 * count);
    if (buckets == NULL) return;
    provider->sames = buckets;
    provider->sames_mask = 2 * count - 1;
    for (struct provider_item *item = provider->first; item != NULL; item = item->next) {
        add_same(provider, item);
    }
    blocks_free(provider->blocks, old, count * sizeof(struct provider_item *));
}

static bool holds_same(const struct provider *provider, const struct value *value, uint64_t hash)
{
    const struct provider_item *item = provider->sames[same_bucket(provider, hash)];

    while (item != NULL && (item->hash != hash || !value_equal(&item->value, value))) {
        item = item->same_next;
    }
    return item != NULL;
}

static void remove_same(struct provider *provider, const struct provider_item *item)
{
    struct provider_item **at = &provider->sames[same_bucket(provider, item->hash)];

    while (*at != item) {
        CHECK(*at != NULL);
        at = &(*at)->same_next;
    }
    *at = item->same_next;
}

static void append(struct provider *provider, struct provider_item *item)
{
    item->next = NULL;
    if (provider->last != NULL) {
        provider->last->next = item;
    } else {
        provider->first = item;
    }
    provider->last = item;
    provider->len++;
    provider->pushed++;
    if (!provider_has_room(provider)) provider->was_full = true;
    if (provider->sames == NULL) return;
    add_same(provider, item);
    grow_sames(provider);
}

/* Whether a value may be put at the end. */
static enum provider_pushed look(struct provider *provider, const struct value *value,
                                 uint64_t *ret_hash, bool force)
{
    if (provider->sames != NULL) {
        *ret_hash = value_hash(value);
        if (holds_same(provider, value, *ret_hash)) {
            provider->dropped++;
            return PROVIDER_SAME;
        }
    }
    return provider_has_room(provider) || force ? PROVIDER_PUSHED : PROVIDER_FULL;
}

struct provider_item *provider_item_new(struct provider *provider, const struct value *value)
{
    size_t content = value_pack_bytes(value);
    size_t bytes = sizeof(struct provider_item) + content;
    struct provider_item *item = blocks_alloc(provider->blocks, bytes);

    if (unlikely(item == NULL)) {
        provider->no_memory++;
        return NULL;
    }
    *item = (struct provider_item){.bytes = (uint32_t)bytes};
    item->value = value_pack(value, item + 1);
    return item;
}

enum provider_pushed provider_push(struct provider *provider, const struct value *value, bool force)
{
    uint64_t hash = 0;
    enum provider_pushed pushed = look(provider, value, &hash, force);
    struct provider_item *item;

    if (pushed != PROVIDER_PUSHED) return pushed;
    item = provider_item_new(provider, value);
    if (item == NULL) return PROVIDER_NO_MEMORY;
    item->hash = hash;
    append(provider, item);
    return PROVIDER_PUSHED;
}

enum provider_pushed provider_give(struct provider *provider, struct provider_item *item,
                                   bool force)
{
    enum provider_pushed pushed = look(provider, &item->value, &item->hash, force);

    if (pushed == PROVIDER_PUSHED) append(provider, item);
    if (pushed == PROVIDER_SAME) provider_item_free(provider->blocks, item);
    return pushed;
}

void provider_fill(struct provider *provider)
{
    if (provider->source.fill == NULL || provider->filling || !provider_has_room(provider)) return;
    if (provider->senders.first != NULL) return;
    provider->filling = true;
    provider->source.fill(provider->source.self, provider);
    provider->filling = false;
}

struct provider_item *provider_take(struct provider *provider)
{
    struct provider_item *item = provider->first;

    if (item == NULL) {
        if (provider->grows && provider->was_full) provider->limit++;
        provider->was_full = false;
        return NULL;
    }
    provider->first = item->next;
    if (item->next == NULL) provider->last = NULL;
    item->next = NULL;
    provider->len--;
    provider->taken++;
    if (provider->sames != NULL) remove_same(provider, item);
    provider_fill(provider);
    return item;
}

void provider_put_back(struct provider *provider, struct provider_item *item)
{
    if (provider->sames != NULL) {
        item->hash = value_hash(&item->value);
        if (holds_same(provider, &item->value, item->hash)) {
            provider->dropped++;
            provider_item_free(provider->blocks, item);
            return;
        }
        add_same(provider, item);
    }
    item->next = provider->first;
    provider->first = item;
    if (provider->last == NULL) provider->last = item;
    provider->len++;
    provider->taken--;
    if (provider->sames != NULL) grow_sames(provider);
}

void provider_item_free(struct blocks *blocks, struct provider_item *item)
{
    if (item != NULL) blocks_free(blocks, item, item->bytes);
}

static void join(struct provider *provider, struct provider_line *line, struct provider_wait *wait,
                 uint64_t now_ns)
{
    CHECK(wait->provider == NULL);
    *wait = (struct provider_wait){.prev = line->last, .provider = provider, .since_ns = now_ns};
    if (line->last != NULL) {
        line->last->next = wait;
    } else {
        line->first = wait;
    }
    line->last = wait;
    line->count++;
}

void provider_wait_value(struct provider *provider, struct provider_wait *wait, uint64_t now_ns)
{
    join(provider, &provider->receivers, wait, now_ns);
    provider->demand++;
}

void provider_wait_room(struct provider *provider, struct provider_wait *wait, uint64_t now_ns)
{
    join(provider, &provider->senders, wait, now_ns);
    wait->for_room = true;
}

void provider_wait_end(struct provider_wait *wait)
{
    struct provider *provider = wait->provider;
    struct provider_line *line;
    bool for_room = wait->for_room;

    if (provider == NULL) return;
    line = wait->for_room ? &provider->senders : &provider->receivers;
    if (wait->prev != NULL) {
        wait->prev->next = wait->next;
    } else {
        line->first = wait->next;
    }
    if (wait->next != NULL) {
        wait->next->prev = wait->prev;
    } else {
        line->last = wait->prev;
    }
    line->count--;
    *wait = (struct provider_wait){0};
    if (for_room) provider_fill(provider); /* The source comes behind those who waited. */
}

struct provider_wait *provider_next_receiver(const struct provider *provider)
{
    return provider->len > 0 ? provider->receivers.first : NULL;
}

struct provider_wait *provider_next_sender(const struct provider *provider)
{
    return provider_has_room(provider) ? provider->senders.first : NULL;
}

bool provider_take_demand(struct provider *provider)
{
    if (provider->demand == 0) return false;
    provider->demand--;
    return true;
}

void provider_ask_again(struct provider *provider)
{
    if (provider->demand < provider->receivers.count) provider->demand++;
}
