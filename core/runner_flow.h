/* runner_flow: the values of requests: gathered before one begins, given back or passed on when it
 * ends. Private to the runner (core/runner_impl.h); the rules stand in
 * docs/decisions/0012-how-values-flow.md.
 *
 * Threads: the worker's. */
#ifndef CORE_RUNNER_FLOW_H
#define CORE_RUNNER_FLOW_H

#include "config/expr.h"
#include "core/provider.h"

struct endpoint;
struct exchange;
struct runner;

/* Items in a row, the oldest first. */
struct item_list {
    struct provider_item *first, *last;
    uint32_t count;
};

/* A declare's value for one request, in memory of its own. */
struct declared {
    struct value value;
    void *memory; /* NULL: it points to nothing. */
    size_t bytes;
};

/* All values of one request. */
struct inputs {
    struct provider_item **items; /* By slot; NULL: not there, or not popped. */
    struct declared *declared;    /* By declare. */
    struct item_list popped;      /* By declares; item.slot says where from. */
    enum expr_error error;        /* What the first declare that failed came to. */
};

/* What one mention of a provider in a declare has popped for values to come. */
struct mention_hold {
    struct item_list items;
    const struct provider_item *at; /* Value `nth` of the evaluation at hand: they come in order. */
    uint32_t nth;
};

/* A declare as a stream of values. Invariants
 *  1. Its generator moves on only with a value, so that an evaluation that had to wait is begun
 *     anew with the same numbers and asks for the same values.
 *  2. It stands in one line at most: it is evaluated from left to right, as far as values reach. */
struct declaring {
    struct endpoint *endpoint;
    struct rng rng;
    struct mention_hold *holds; /* By mention. */
    struct provider_wait wait;
    uint32_t waits_for; /* While it does: the mention. */
    bool is_done;       /* The next request's value is there. */
};

/* What of a `block` provides found no room. */
struct outgoing {
    struct item_list items;
    bool any; /* There was a value at all. */
};

/* How an endpoint's requests come to be. */
struct flow_drive {
    bool by_slots;            /* Its schedule says when; else its queues do. */
    bool on_demand;           /* Only for a pop that found nothing. */
    bool is_asked;            /* The next request's demand has been taken; of provider `asked`. */
    bool is_slot_open;        /* by_slots and on_demand: a slot has come that nobody has used. */
    bool reads_clock;         /* A declare does: it is evaluated when the request is due. */
    uint32_t asked;           /* A provider of the test. */
    uint32_t left;            /* Requests that it may still begin; UINT32_MAX: any number. */
    uint32_t running;         /* Requests begun and not over: in flight, or waiting for room. */
    uint32_t multiplier;      /* m of the rule for queues. */
    uint64_t running_max;     /* max_parallel_requests; UINT64_MAX: no bound. */
    uint64_t until_ns;        /* Nothing begins from then on. */
    uint64_t resume_ns;       /* After a request that could not be built: not before then. */
    uint64_t yields_until_ns; /* Another worker gets its values: it takes none. 0: it does not. */
};

/* Lists of items. */
void item_list_add(struct item_list *list, struct provider_item *item);
struct provider_item *item_list_take(struct item_list *list); /* NULL: it is empty. */

/* runner_inputs.c */

/* Goes on popping what the next request needs; true once all is there. Until then the endpoint
 * stands in line wherever something is missing. */
bool runner_gather(struct endpoint *endpoint, uint64_t now_ns);

/* Leaves all lines; what has been popped is put back, the next again. */
void runner_ungather(struct endpoint *endpoint);

/* True if the endpoint stands in line for a value of `provider`. */
bool runner_waits_for(const struct endpoint *endpoint, const struct provider *provider);

/* True if the endpoint has popped a value of `provider` (of the test) and waits for others; if one
 * of this worker has. */
bool runner_holds(const struct endpoint *endpoint, uint32_t provider);
bool runner_is_held(const struct runner *runner, uint32_t provider);

/* Gives those who stand in line what has come for them. */
void runner_wake_waiting(struct runner *runner);

/* Takes a value out of a provider; NULL if it has none, or others stand in line for it. */
struct provider_item *runner_take(struct runner *runner, struct provider *provider);

/* Stands in line for a value. */
void runner_join(struct runner *runner, struct provider *provider, struct provider_wait *wait,
                 uint64_t now_ns, struct endpoint *endpoint);

/* runner_declare.c */

/* Memory for an endpoint's declares; false when the arena refuses. */
MUST_USE bool runner_init_declares(struct endpoint *endpoint, struct arena *arena);
MUST_USE bool runner_init_inputs(struct inputs *inputs, struct arena *arena, uint32_t slots,
                                 uint32_t declares);

/* Begins the values of the next request; goes on with them, true once all are there. */
void runner_begin_declares(struct endpoint *endpoint);
bool runner_declare(struct endpoint *endpoint, uint64_t now_ns);

/* The value that `wait`, a declare's, stood in line for. */
void runner_serve_declare(struct provider_wait *wait, struct provider_item *item);
void runner_undeclare(struct endpoint *endpoint);
void runner_free_declared(struct runner *runner, struct inputs *inputs, uint32_t count);

/* runner_provide.c */

/* Evaluates what the endpoint provides of an answer, and pushes it as far as there is room. */
void runner_provide(struct exchange *exchange);

/* Takes the values of an exchange out of it: those that go back to their providers. */
struct item_list runner_take_returns(struct exchange *exchange);

/* An exchange is over: its request is too, at once or when `block` providers have taken what they
 * were to. Then the values of `returns` go back. */
void runner_end_request(struct endpoint *endpoint, struct item_list *returns, uint64_t now_ns);

/* A place in a line for room has come up. */
void runner_serve_sender(struct runner *runner, struct provider_wait *wait, uint64_t now_ns);

/* Nobody reads this provider any more: those who wait for room there need not. */
void runner_drop_senders(struct runner *runner, uint32_t index, uint64_t now_ns);

#endif
