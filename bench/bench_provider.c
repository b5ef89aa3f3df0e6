/* What it costs to hand a value over: an answer's value is copied into a provider, a request takes
 * it and gives it up; through the queue, through the line of somebody who waits, out and back in by
 * auto_return, and where the provider is unique. */
#include <string.h>

#include "bench/bench.h"
#include "core/provider.h"

enum { QUEUE = 1000, TOKEN_BYTES = 200 };

struct provider_state {
    struct arena arena;
    struct blocks blocks;
    struct provider plain, unique;
    struct provider_wait wait;
    char token[TOKEN_BYTES];
};

static struct value token_of(struct provider_state *state, uint64_t number)
{
    memcpy(state->token, &number, sizeof(number));
    return value_string(state->token, TOKEN_BYTES);
}

/* The queue holds as many values all the time. */
static void hand_over(struct provider_state *state, struct provider *provider, uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++) {
        struct value value = token_of(state, provider->pushed);
        struct provider_item *item;

        CHECK(provider_push(provider, &value, true) == PROVIDER_PUSHED);
        item = provider_take(provider);
        CHECK(item != NULL);
        bench_keep(item->value.len);
        provider_item_free(&state->blocks, item);
    }
}

static void run_queue(void *state, uint64_t iterations)
{
    hand_over(state, &((struct provider_state *)state)->plain, iterations);
}

static void run_unique(void *state, uint64_t iterations)
{
    hand_over(state, &((struct provider_state *)state)->unique, iterations);
}

static void run_return(void *context, uint64_t iterations)
{
    struct provider_state *state = context;

    for (uint64_t i = 0; i < iterations; i++) {
        CHECK(provider_give(&state->plain, provider_take(&state->plain), true) == PROVIDER_PUSHED);
    }
}

static void run_wait(void *context, uint64_t iterations)
{
    struct provider_state *state = context;
    struct provider provider;

    CHECK(provider_init(&provider, &state->blocks,
                        &(struct provider_options){.name = "empty", .limit = 5}));
    for (uint64_t i = 0; i < iterations; i++) {
        struct value value = token_of(state, i);
        struct provider_item *item = provider_take(&provider);

        CHECK(item == NULL);
        provider_wait_value(&provider, &state->wait, i);
        CHECK(provider_push(&provider, &value, false) == PROVIDER_PUSHED);
        CHECK(provider_next_receiver(&provider) == &state->wait);
        provider_wait_end(&state->wait);
        item = provider_take(&provider);
        bench_keep(item->value.len);
        provider_item_free(&state->blocks, item);
    }
}

static void fill(struct provider_state *state, struct provider *provider, bool unique)
{
    CHECK(provider_init(provider, &state->blocks,
                        &(struct provider_options){.name = "p", .limit = QUEUE, .unique = unique}));
    for (uint64_t i = 0; i < QUEUE; i++) {
        struct value value = token_of(state, i);

        CHECK(provider_push(provider, &value, false) == PROVIDER_PUSHED);
    }
}

int main(void)
{
    static struct provider_state state;

    arena_init(&state.arena, 0);
    CHECK(blocks_init(&state.blocks, &state.arena, 64 << 20));
    fill(&state, &state.plain, false);
    fill(&state, &state.unique, true);
    bench_run("provider_hand_over_200B", run_queue, &state, TOKEN_BYTES);
    bench_run("provider_hand_over_waiting_200B", run_wait, &state, TOKEN_BYTES);
    bench_run("provider_hand_over_unique_200B", run_unique, &state, TOKEN_BYTES);
    bench_run("provider_auto_return_200B", run_return, &state, TOKEN_BYTES);
    arena_release(&state.arena);
    return 0;
}
