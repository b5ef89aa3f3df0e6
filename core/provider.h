/* provider: a named queue of values with a soft limit on its length, from which requests take what
 * they are built of, and into which sources and answers put.
 *
 * First in, first out. A push finds room, or finds the queue full; `auto` limits grow by one each
 * time the queue was full and is later found empty, so that they end up as large as the test needs.
 * Whoever finds no value, or no room, may stand in line; the provider says who is next, and its
 * owner lets that one try again. `unique` providers never hold two equal values at once.
 *
 * A value on its way is an item: one piece of memory that holds the value and all it points to. It
 * changes hands without being copied, and auto_return gives the very same one back.
 *
 * Threads: a provider and all its items belong to one worker. */
#ifndef CORE_PROVIDER_H
#define CORE_PROVIDER_H

#include "config/value.h"
#include "core/base/blocks.h"

struct provider_item {
    struct provider_item *next;      /* In the queue. */
    struct provider_item *same_next; /* In a bucket of provider.sames. */
    uint64_t hash;                   /* Of the value; only of unique providers. */
    uint32_t bytes;                  /* Of this piece. */
    uint32_t slot;                   /* For whoever has it: of the endpoint that popped it. */
    struct value value;              /* What it points to follows. */
};

/* Somebody in line, embedded in the one who waits. Zeroed: in no line. */
struct provider_wait {
    struct provider_wait *next, *prev;
    struct provider *provider; /* NULL: in no line. */
    bool for_room;             /* Else for a value. */
    uint64_t since_ns;
    void *owner; /* Who waits: set, after joining, by those who need it. */
};

struct provider_line {
    struct provider_wait *first, *last;
    uint32_t count;
};

/* Where a provider's values come from by themselves: asked to push when there is room. It may push
 * nothing and do it later. */
struct provider_source {
    void *self;
    void (*fill)(void *self, struct provider *provider);
};

struct provider {
    struct blocks *blocks; /* Borrowed: memory of items. */
    const char *name;      /* For messages; borrowed. */
    struct provider_item *first, *last;
    uint32_t len;
    uint32_t limit;
    bool grows;                   /* The limit is `auto`. */
    bool was_full;                /* It was full since it was last found empty. */
    bool filling;                 /* source.fill runs: it is not called again from within. */
    struct provider_item **sames; /* Unique: [sames_mask + 1] buckets by hash; else NULL. */
    uint32_t sames_mask;
    struct provider_line receivers, senders;
    struct provider_source source; /* fill NULL: none. */
    uint64_t demand; /* Takes that found it empty and that nobody has answered for yet. */
    /* So far. */
    uint64_t pushed, taken;
    uint64_t dropped;   /* By `unique`. */
    uint64_t no_memory; /* Values for which there was none. */
    uint64_t refused;   /* Values for which there was no room, and that were not to wait for it. */
    uint64_t unread;    /* Values that nobody reads any more. */
};

struct provider_options {
    const char *name;
    uint32_t limit;      /* 0: auto. */
    uint32_t auto_start; /* At least 1; the first limit of an auto one. */
    bool unique;
};

/* Makes an empty provider over `blocks`, which must outlive it. False when they refuse. */
MUST_USE bool provider_init(struct provider *provider, struct blocks *blocks,
                            const struct provider_options *options);

enum provider_pushed {
    PROVIDER_PUSHED,
    PROVIDER_FULL,      /* No room, and not forced. */
    PROVIDER_SAME,      /* Dropped: an equal value is in the queue. */
    PROVIDER_NO_MEMORY, /* Dropped, and counted. */
};

/* Puts a copy of `value` at the end; `force` goes past the limit. */
MUST_USE enum provider_pushed provider_push(struct provider *provider, const struct value *value,
                                            bool force);

/* The same with an item; it is the provider's afterwards unless the result is FULL, and gone if it
 * was dropped. */
MUST_USE enum provider_pushed provider_give(struct provider *provider, struct provider_item *item,
                                            bool force);

/* A copy of `value` as an item of the caller's; NULL, and counted, when there is no memory. */
MUST_USE struct provider_item *provider_item_new(struct provider *provider,
                                                 const struct value *value);

/* Takes the oldest value: the caller's now, until provider_give() or provider_item_free(). NULL
 * when the queue is empty. The source, if any, may then push what took its place. */
MUST_USE struct provider_item *provider_take(struct provider *provider);

/* Puts an item back that was taken and not used: it is the next again, whatever the limit. It is
 * gone if a unique provider got an equal one meanwhile. */
void provider_put_back(struct provider *provider, struct provider_item *item);

/* Lets the source push as long as there is room, once nobody stands in line for that. */
void provider_fill(struct provider *provider);

/* NULL is fine. */
void provider_item_free(struct blocks *blocks, struct provider_item *item);

static inline bool provider_has_room(const struct provider *provider)
{
    return provider->len < provider->limit;
}

/* Joins the end of the line for a value (which counts as demand) or for room; once at a time. */
void provider_wait_value(struct provider *provider, struct provider_wait *wait, uint64_t now_ns);
void provider_wait_room(struct provider *provider, struct provider_wait *wait, uint64_t now_ns);

/* Leaves the line. No-op for one in none. */
void provider_wait_end(struct provider_wait *wait);

/* Who is to try again now: the first in line if there is a value, or room; else NULL. Still in
 * line. */
struct provider_wait *provider_next_receiver(const struct provider *provider);
struct provider_wait *provider_next_sender(const struct provider *provider);

/* Takes one unanswered demand; false when there is none. */
MUST_USE bool provider_take_demand(struct provider *provider);

/* What was taken has come to nothing: whoever still stands in line asks again. */
void provider_ask_again(struct provider *provider);

#endif
