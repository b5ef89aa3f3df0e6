/* arena: memory that is given out piece by piece and taken back as a whole.
 *
 * The only file of the product that calls malloc. An arena has a bound, so that no input can
 * make us take all of the machine, and it can be sealed: a worker seals its arena before the
 * run starts and from then on an allocation is a bug.
 *
 * Threads: an arena belongs to one thread at a time. */
#ifndef CORE_BASE_ARENA_H
#define CORE_BASE_ARENA_H

#include "core/base/defs.h"

struct arena_chunk;
struct arena_last;

struct arena {
    struct arena_chunk *chunks; /* Newest first. */
    struct arena_last *lasts;   /* What arena_release() calls, newest first. */
    char *at;                   /* Next free byte of the newest chunk. */
    char *end;
    size_t bytes_used; /* Sum of all chunks. */
    size_t bytes_max;
    bool sealed;
};

/* Makes `arena` empty; it will take at most `bytes_max` from the system (0: no bound). */
void arena_init(struct arena *arena, size_t bytes_max);

/* Zeroed memory of `size` bytes (0 gives a valid pointer) at a multiple of `align` (a power of
 * two, 1..4096), or NULL when the bound or the system refuses. Lives until arena_release().
 * Aborts if the arena is sealed. */
MUST_USE void *arena_alloc(struct arena *arena, size_t size, size_t align);

/* An array of `count` zeroed elements, aligned to a cache line; NULL as above, and when the
 * product overflows. */
MUST_USE void *arena_array(struct arena *arena, size_t count, size_t element_size);

/* A terminated copy of `len` bytes; NULL as above. */
MUST_USE char *arena_copy(struct arena *arena, const char *text, size_t len);

/* Has arena_release() call `fn(object)` before any memory goes, the newest first: for what other
 * libraries have to take back themselves. False when the arena refuses. */
MUST_USE bool arena_at_release(struct arena *arena, void (*fn)(void *object), void *object);

/* From here on arena_alloc() is a bug. */
void arena_seal(struct arena *arena);

/* Gives everything back; the arena is then empty, usable and not sealed. A zeroed arena is fine. */
void arena_release(struct arena *arena);

#endif
