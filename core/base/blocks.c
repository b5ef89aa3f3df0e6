#include "core/base/blocks.h"

#include "core/base/check.h"

enum {
    EVEN_UNITS = 8,  /* Up to here every multiple of BLOCKS_ALIGN is a size. */
    OCTAVE_BITS = 3, /* log2 of it. */
    PER_OCTAVE_BITS = 2,
};

/* The class of `size`, and what its pieces have. With n = size in units of BLOCKS_ALIGN, rounded
 * up: n itself up to EVEN_UNITS; above, the octave 2^b < n <= 2^(b+1) is cut into four. */
static uint32_t class_of(size_t size, size_t *ret_bytes)
{
    size_t units = size == 0 ? 1 : (size + BLOCKS_ALIGN - 1) / BLOCKS_ALIGN;
    uint32_t bits, quarter;

    if (units <= EVEN_UNITS) {
        *ret_bytes = units * BLOCKS_ALIGN;
        return (uint32_t)units - 1;
    }
    bits = 63 - (uint32_t)__builtin_clzll(units - 1);
    quarter = (uint32_t)((units - 1) >> (bits - PER_OCTAVE_BITS)) - (1u << PER_OCTAVE_BITS);
    *ret_bytes = ((size_t)(quarter + 1 + (1u << PER_OCTAVE_BITS)) << (bits - PER_OCTAVE_BITS)) *
                 BLOCKS_ALIGN;
    return EVEN_UNITS + ((bits - OCTAVE_BITS) << PER_OCTAVE_BITS) + quarter;
}

bool blocks_init(struct blocks *blocks, struct arena *arena, size_t bytes)
{
    char *region = arena_alloc(arena, bytes, CACHE_LINE);

    if (region == NULL) return false;
    *blocks = (struct blocks){.at = region, .end = region + bytes};
    return true;
}

void *blocks_alloc(struct blocks *blocks, size_t size)
{
    size_t bytes;
    uint32_t class;
    void *piece;

    if (unlikely(size > BLOCKS_SIZE_MAX)) return NULL;
    class = class_of(size, &bytes);
    DCHECK(class < BLOCKS_CLASSES && bytes >= size);
    piece = blocks->free[class];
    if (likely(piece != NULL)) {
        blocks->free[class] = *(void **)piece;
    } else {
        if (unlikely(bytes > (size_t)(blocks->end - blocks->at))) return NULL;
        piece = blocks->at;
        blocks->at += bytes;
    }
    blocks->bytes_used += bytes;
    return piece;
}

void blocks_free(struct blocks *blocks, void *piece, size_t size)
{
    size_t bytes;
    uint32_t class;

    if (piece == NULL) return;
    class = class_of(size, &bytes);
    CHECK(blocks->bytes_used >= bytes);
    blocks->bytes_used -= bytes;
    *(void **)piece = blocks->free[class];
    blocks->free[class] = piece;
}
