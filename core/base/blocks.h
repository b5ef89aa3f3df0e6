/* blocks: pieces of memory of many sizes that come and go while a run goes on, out of one region
 * that was taken before it.
 *
 * Four sizes per octave, from 16 bytes on: a piece is at most a quarter larger than asked for. What
 * is given back goes to the list of its size and serves the next of that size; pieces are never
 * split or joined, so that both ways cost a few instructions. A region that one size has used up
 * refuses every other, and that is its user's to count: nothing is taken from the system.
 *
 * Threads: one owner. */
#ifndef CORE_BASE_BLOCKS_H
#define CORE_BASE_BLOCKS_H

#include "core/base/arena.h"
#include "core/base/defs.h"

enum { BLOCKS_ALIGN = 16, BLOCKS_CLASSES = 104 };
#define BLOCKS_SIZE_MAX ((size_t)1 << 30)

struct blocks {
    char *at;                   /* What was never given out begins here. */
    char *end;                  /* Of the region. */
    size_t bytes_used;          /* In pieces that are out now, as large as they are. */
    void *free[BLOCKS_CLASSES]; /* Per size the pieces that came back, each pointing to the next. */
};

/* Makes `blocks` empty over a region of `bytes` in `arena`; pages of it that are never given out
 * cost nothing. False when the arena refuses. */
MUST_USE bool blocks_init(struct blocks *blocks, struct arena *arena, size_t bytes);

/* A piece of at least `size` bytes, not zeroed, aligned to BLOCKS_ALIGN. NULL when the region is
 * used up or `size` is above BLOCKS_SIZE_MAX. */
MUST_USE void *blocks_alloc(struct blocks *blocks, size_t size);

/* Takes a piece back that was asked for with the same `size`. NULL is fine. */
void blocks_free(struct blocks *blocks, void *piece, size_t size);

#endif
