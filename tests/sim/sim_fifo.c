#include <string.h>

#include "core/base/check.h"
#include "tests/sim/sim_core.h"

static struct sim_chunk *chunk_new(struct sim *sim)
{
    struct sim_chunk *chunk = sim->chunks_free;

    if (chunk == NULL) return sim_alloc(sim, sizeof(*chunk));
    sim->chunks_free = chunk->next;
    chunk->next = NULL;
    return chunk;
}

void sim_fifo_put(struct sim *sim, struct sim_fifo *fifo, const void *data, size_t len)
{
    const char *from = data;

    while (len > 0) {
        size_t part;

        if (fifo->tail == NULL || fifo->tail_at == SIM_CHUNK_BYTES) {
            struct sim_chunk *chunk = chunk_new(sim);

            if (fifo->tail != NULL) fifo->tail->next = chunk;
            if (fifo->head == NULL) fifo->head = chunk;
            fifo->tail = chunk;
            fifo->tail_at = 0;
        }
        part = min_u64(len, SIM_CHUNK_BYTES - fifo->tail_at);
        memcpy(fifo->tail->bytes + fifo->tail_at, from, part);
        fifo->tail_at += (uint32_t)part;
        fifo->len += part;
        from += part;
        len -= part;
    }
}

/* Gives the oldest chunk back; the newest may be it. */
static void drop_head(struct sim *sim, struct sim_fifo *fifo)
{
    struct sim_chunk *chunk = fifo->head;

    fifo->head = chunk->next;
    fifo->head_at = 0;
    if (fifo->head == NULL) fifo->tail = NULL;
    chunk->next = sim->chunks_free;
    sim->chunks_free = chunk;
}

void sim_fifo_take(struct sim *sim, struct sim_fifo *fifo, void *data, size_t len)
{
    char *to = data;

    CHECK(len <= fifo->len);
    while (len > 0) {
        CHECK(fifo->head != NULL);
        uint32_t end = fifo->head == fifo->tail ? fifo->tail_at : SIM_CHUNK_BYTES;
        size_t part = min_u64(len, end - fifo->head_at);

        if (to != NULL) {
            memcpy(to, fifo->head->bytes + fifo->head_at, part);
            to += part;
        }
        fifo->head_at += (uint32_t)part;
        fifo->len -= part;
        len -= part;
        if (fifo->head_at == end) drop_head(sim, fifo);
    }
}
