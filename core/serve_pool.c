#include "core/serve_pool.h"

#include <string.h>

#include "core/base/check.h"

static const uint32_t capacities[SERVE_BLOCK_SIZES] = {
    SERVE_SMALL_BYTES,
    SERVE_MIDDLE_BYTES,
    SERVE_LARGE_BYTES,
};

/* Blocks of the two larger sizes; of the small ones each connection may hold two. */
enum { MIDDLE_BLOCKS = 1024, LARGE_BLOCKS = 128 };

static size_t block_bytes(int size)
{
    return (sizeof(struct serve_block) + capacities[size] + CACHE_LINE - 1) &
           ~(size_t)(CACHE_LINE - 1);
}

bool serve_pool_init(struct serve_pool *pool, struct arena *arena, uint32_t conns_count)
{
    size_t counts[SERVE_BLOCK_SIZES] = {(size_t)conns_count * 2, MIDDLE_BLOCKS, LARGE_BLOCKS};

    *pool = (struct serve_pool){0};
    for (int i = 0; i < SERVE_BLOCK_SIZES; i++) {
        size_t bytes = counts[i] * block_bytes(i);

        pool->fresh[i] = arena_array(arena, counts[i], block_bytes(i));
        if (pool->fresh[i] == NULL) return false;
        pool->fresh_end[i] = pool->fresh[i] + bytes;
    }
    return true;
}

struct serve_block *serve_pool_take(struct serve_pool *pool, size_t bytes)
{
    struct serve_block *block;
    int size = 0;

    while (size < SERVE_BLOCK_SIZES && bytes > capacities[size]) {
        size++;
    }
    if (size == SERVE_BLOCK_SIZES) return NULL;
    if (pool->free[size] != NULL) {
        block = pool->free[size];
        pool->free[size] = block->next;
    } else if (pool->fresh[size] < pool->fresh_end[size]) {
        block = (struct serve_block *)(void *)pool->fresh[size];
        pool->fresh[size] += block_bytes(size);
    } else {
        return NULL;
    }
    pool->taken_now++;
    block->next = NULL;
    block->at = 0;
    block->len = 0;
    block->capacity = capacities[size];
    block->size = (uint8_t)size;
    return block;
}

void serve_pool_give(struct serve_pool *pool, struct serve_block **block)
{
    struct serve_block *given = *block;

    if (given == NULL) return;
    CHECK(given->size < SERVE_BLOCK_SIZES);
    CHECK(pool->taken_now > 0);
    pool->taken_now--;
    given->next = pool->free[given->size];
    pool->free[given->size] = given;
    *block = NULL;
}

bool serve_pool_append(struct serve_pool *pool, struct serve_block **block, const char *data,
                       size_t len)
{
    struct serve_block *old = *block;
    size_t kept = old == NULL ? 0 : old->len - old->at;
    struct serve_block *to = old;

    if (len > SERVE_LARGE_BYTES - kept) return false;
    if (old == NULL || kept + len > old->capacity) {
        to = serve_pool_take(pool, kept + len);
        if (to == NULL) return false;
    }
    if (old != NULL && (to != old || len > old->capacity - old->len)) {
        memmove(to->data, old->data + old->at, kept);
        to->at = 0;
        to->len = (uint32_t)kept;
    }
    memcpy(to->data + to->len, data, len);
    to->len += (uint32_t)len;
    if (to != old) serve_pool_give(pool, block);
    *block = to;
    return true;
}
