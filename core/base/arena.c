#include "core/base/arena.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"

enum { CHUNK_BYTES = 64 * 1024 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t bytes;
};

struct arena_last {
    struct arena_last *next;
    void (*fn)(void *object);
    void *object;
};

void arena_init(struct arena *arena, size_t bytes_max)
{
    *arena = (struct arena){.bytes_max = bytes_max};
}

/* Takes a new chunk that can hold `size` bytes at any alignment up to a page. */
static bool arena_grow(struct arena *arena, size_t size, size_t align)
{
    size_t need = sizeof(struct arena_chunk) + size + align;
    size_t bytes = need > CHUNK_BYTES ? need : CHUNK_BYTES;
    struct arena_chunk *chunk;

    if (size > SIZE_MAX - align - sizeof(struct arena_chunk)) return false;
    if (arena->bytes_max != 0 && bytes > arena->bytes_max - arena->bytes_used) {
        bytes = need;
        if (bytes > arena->bytes_max - arena->bytes_used) return false;
    }
    chunk = calloc(1, bytes);
    if (chunk == NULL) return false;
    chunk->next = arena->chunks;
    chunk->bytes = bytes;
    arena->chunks = chunk;
    arena->bytes_used += bytes;
    arena->at = (char *)(chunk + 1);
    arena->end = (char *)chunk + bytes;
    return true;
}

void *arena_alloc(struct arena *arena, size_t size, size_t align)
{
    uintptr_t at;

    CHECK(!arena->sealed);
    CHECK(align != 0 && (align & (align - 1)) == 0 && align <= 4096);

    at = ((uintptr_t)arena->at + align - 1) & ~(uintptr_t)(align - 1);
    if (arena->at == NULL || at > (uintptr_t)arena->end || size > (uintptr_t)arena->end - at) {
        if (!arena_grow(arena, size, align)) return NULL;
        at = ((uintptr_t)arena->at + align - 1) & ~(uintptr_t)(align - 1);
    }
    arena->at += at - (uintptr_t)arena->at + size;
    CHECK(arena->at <= arena->end);
    return arena->at - size;
}

void *arena_array(struct arena *arena, size_t count, size_t element_size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, element_size, &bytes)) return NULL;
    return arena_alloc(arena, bytes, CACHE_LINE);
}

char *arena_copy(struct arena *arena, const char *text, size_t len)
{
    char *copy;

    if (len == SIZE_MAX) return NULL;
    copy = arena_alloc(arena, len + 1, 1);
    if (copy == NULL) return NULL;
    if (len > 0) memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

bool arena_at_release(struct arena *arena, void (*fn)(void *object), void *object)
{
    struct arena_last *last = arena_alloc(arena, sizeof(*last), _Alignof(struct arena_last));

    if (last == NULL) return false;
    *last = (struct arena_last){arena->lasts, fn, object};
    arena->lasts = last;
    return true;
}

void arena_seal(struct arena *arena)
{
    CHECK(!arena->sealed);
    arena->sealed = true;
}

void arena_release(struct arena *arena)
{
    struct arena_chunk *chunk = arena->chunks;

    for (struct arena_last *last = arena->lasts; last != NULL; last = last->next) {
        last->fn(last->object);
    }
    while (chunk != NULL) {
        struct arena_chunk *next = chunk->next;

        free(chunk);
        chunk = next;
    }
    *arena = (struct arena){.bytes_max = arena->bytes_max};
}
