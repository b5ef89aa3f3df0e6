/* serve_pool: blocks of memory for the connections that need some for a while: a request that
 * came in pieces, a body to be sent back, an answer built for the occasion.
 *
 * Three sizes, all reserved at the start (untouched pages cost nothing), handed out and taken
 * back without a system call. An idle connection holds none.
 *
 * Threads: a pool belongs to one thread. */
#ifndef CORE_SERVE_POOL_H
#define CORE_SERVE_POOL_H

#include "core/base/arena.h"
#include "core/base/defs.h"

enum { SERVE_BLOCK_SMALL, SERVE_BLOCK_MIDDLE, SERVE_BLOCK_LARGE, SERVE_BLOCK_SIZES };

/* Bytes of data in a block of each size. */
enum {
    SERVE_SMALL_BYTES = 4 * 1024,
    SERVE_MIDDLE_BYTES = 64 * 1024,
    SERVE_LARGE_BYTES = 1024 * 1024,
};

struct serve_block {
    struct serve_block *next; /* In the list of free ones. */
    uint32_t at;              /* First byte not yet used up. */
    uint32_t len;             /* Bytes written. */
    uint32_t capacity;
    uint8_t size;
    _Alignas(16) char data[];
};

struct serve_pool {
    uint32_t taken_now; /* Blocks that are out. */
    struct serve_block *free[SERVE_BLOCK_SIZES];
    char *fresh[SERVE_BLOCK_SIZES]; /* Blocks from here on were never used. */
    char *fresh_end[SERVE_BLOCK_SIZES];
};

/* Reserves blocks for `conns_count` connections; false when the arena refuses. */
MUST_USE bool serve_pool_init(struct serve_pool *pool, struct arena *arena, uint32_t conns_count);

/* An empty block with room for `bytes`, or NULL when none is left or none is large enough. */
MUST_USE struct serve_block *serve_pool_take(struct serve_pool *pool, size_t bytes);

/* Gives `*block` back and makes it NULL; no-op when it is. */
void serve_pool_give(struct serve_pool *pool, struct serve_block **block);

/* Appends to `*block` (NULL: a new one), moving to a larger block when need be. False, and all
 * left as it was, when more than SERVE_LARGE_BYTES would be unused or no block is left. */
MUST_USE bool serve_pool_append(struct serve_pool *pool, struct serve_block **block,
                                const char *data, size_t len);

#endif
