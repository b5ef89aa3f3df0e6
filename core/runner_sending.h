/* runner_sending: values that wait for room in a provider. What stands in a provider's line of
 * senders is one of these: a struct sending_list if wait.owner is set, to itself, else a struct
 * delivery. Private to runner_provide.c, and open to tests.
 *
 * Threads: the worker's. */
#ifndef CORE_RUNNER_SENDING_H
#define CORE_RUNNER_SENDING_H

#include "core/runner_flow.h"

struct sending;

/* The values of one `block` provides that wait for room. */
struct sending_list {
    struct provider_wait wait;
    struct sending *sending;
    struct item_list items;
    uint32_t provider;
};

/* A request that is over when these values have been taken. */
struct sending {
    struct endpoint *endpoint;
    struct item_list returns;
    uint32_t lists_count;
    uint32_t open; /* Lists with values. */
    struct sending_list lists[];
};

/* A value given back that waits for room. */
struct delivery {
    struct provider_wait wait;
    struct provider_item *item;
};

#endif
