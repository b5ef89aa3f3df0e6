#include "core/batch.h"

#define BATCH_WAIT_NS (20 * NS_PER_US)
#define WINDOW_NS     NS_PER_MS

enum {
    CONNECTIONS_MIN = 16,
    WAIT_NR_MAX = 32,
    /* Completions per batch wait at which the loop counts as saturated, and no longer does. */
    ON_PER_WAIT = 2,
    OFF_PER_WAIT = 1,
};

void batch_init(struct batch *batch, bool allowed, uint32_t connections)
{
    *batch = (struct batch){
        .allowed = allowed && connections >= CONNECTIONS_MIN,
        .wait_nr = connections / 2 < WAIT_NR_MAX ? connections / 2 : WAIT_NR_MAX,
    };
}

void batch_choose(struct batch *batch, struct ring_wait *wait)
{
    if (!batch->on) return;
    wait->wait_nr = batch->wait_nr;
    wait->min_wait_ns = BATCH_WAIT_NS;
    batch->used_us = BATCH_WAIT_NS / NS_PER_US;
}

void batch_note(struct batch *batch, uint64_t now_ns, uint64_t completions)
{
    uint64_t window_ns = now_ns - batch->window_from_ns;
    uint64_t count;

    if (!batch->allowed || window_ns < WINDOW_NS) return;
    count = completions - batch->completions_from;
    batch->on = count * BATCH_WAIT_NS >= window_ns * (batch->on ? OFF_PER_WAIT : ON_PER_WAIT);
    batch->window_from_ns = now_ns;
    batch->completions_from = completions;
}
