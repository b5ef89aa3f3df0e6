/* scratch: memory for values that live as long as one step of one flow. A bump allocator over a
 * fixed block of the caller's: taking costs a few instructions, everything is dropped at once,
 * and when it is full that is an error of the step and not of the program.
 *
 * Two ends: results are taken from the bottom; what is needed only while something is being
 * built stands at the top and is given back in the reverse order.
 *
 * Threads: one owner. */
#ifndef CORE_BASE_SCRATCH_H
#define CORE_BASE_SCRATCH_H

#include "core/base/buf.h"
#include "core/base/check.h"
#include "core/base/defs.h"

enum { SCRATCH_ALIGN = 8 };

struct scratch {
    char *begin; /* Borrowed; a multiple of SCRATCH_ALIGN, as the other two are. */
    char *at;    /* Bottom: what is below is taken. */
    char *top;   /* What is above is taken for now. */
    char *end;
};

/* Makes `scratch` empty over `bytes` bytes at `memory` (aligned to SCRATCH_ALIGN), which must
 * outlive it. */
static inline void scratch_init(struct scratch *scratch, void *memory, size_t bytes)
{
    char *begin = memory;

    CHECK((uintptr_t)begin % SCRATCH_ALIGN == 0);
    bytes -= bytes % SCRATCH_ALIGN;
    *scratch = (struct scratch){begin, begin, begin + bytes, begin + bytes};
}

/* Drops everything. */
static inline void scratch_clear(struct scratch *scratch)
{
    scratch->at = scratch->begin;
    scratch->top = scratch->end;
}

/* Bytes that can still be taken. */
static inline size_t scratch_left(const struct scratch *scratch)
{
    return (size_t)(scratch->top - scratch->at);
}

/* Memory of `size` bytes, not zeroed, aligned to SCRATCH_ALIGN; NULL when it does not fit. */
MUST_USE static inline void *scratch_alloc(struct scratch *scratch, size_t size)
{
    char *at = scratch->at;

    if (unlikely(size > scratch_left(scratch))) return NULL; /* Both ends are aligned. */
    scratch->at += (size + SCRATCH_ALIGN - 1) & ~(size_t)(SCRATCH_ALIGN - 1);
    return at;
}

/* The same from the top; given back by scratch_pop() with the same size, last one first. */
MUST_USE static inline void *scratch_push(struct scratch *scratch, size_t size)
{
    if (unlikely(size > scratch_left(scratch))) return NULL;
    scratch->top -= (size + SCRATCH_ALIGN - 1) & ~(size_t)(SCRATCH_ALIGN - 1);
    return scratch->top;
}

static inline void scratch_pop(struct scratch *scratch, size_t size)
{
    scratch->top += (size + SCRATCH_ALIGN - 1) & ~(size_t)(SCRATCH_ALIGN - 1);
    DCHECK(scratch->top <= scratch->end);
}

/* All that is left as a buffer to write into; scratch_close() keeps what was written. Nothing may
 * be taken from the bottom in between. */
static inline struct buf scratch_open(const struct scratch *scratch)
{
    return (struct buf){.data = scratch->at, .size = scratch_left(scratch)};
}

/* False, and nothing is kept, when the buffer was full. */
MUST_USE static inline bool scratch_close(struct scratch *scratch, const struct buf *buf)
{
    DCHECK(buf->data == scratch->at);
    return !buf->full && scratch_alloc(scratch, buf->len) != NULL;
}

#endif
