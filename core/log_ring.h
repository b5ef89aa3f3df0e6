/* log_ring: lines on their way from a worker to the thread that writes them.
 *
 * A ring of bytes with one thread on either side. A line lies in one piece, so that it is built
 * where it is written from: what is too short for it before the ring's end is skipped. A ring that
 * is found empty is begun anew at its start, so that as long as the writer keeps up only the first
 * bytes of it are ever touched.
 *
 * Threads: one that adds, one that reads. */
#ifndef CORE_LOG_RING_H
#define CORE_LOG_RING_H

#include "core/base/buf.h"
#include "core/base/defs.h"

enum {
    LOG_RECORD_ALIGN = 8,
    LOG_RING_REUSE_BYTES = 256 * 1024, /* An empty ring is begun anew from here on. */
};

/* What stands in front of a line. */
struct log_record {
    uint32_t bytes;
    uint32_t logger; /* Index; LOG_SKIP: no line but what is skipped. */
};
#define LOG_SKIP UINT32_MAX

struct log_ring {
    char *bytes;   /* [size], borrowed; byte i belongs to the side whose turn it is. */
    uint64_t size; /* A power of two. */
    struct {
        _Alignas(CACHE_LINE) _Atomic uint64_t added; /* Adder's; release hands the bytes over. */
        _Atomic uint64_t base; /* Adder's: what was added before the byte that lies first. */
        _Alignas(CACHE_LINE) _Atomic uint64_t taken; /* Reader's; release gives room back. */
    } shared;
};

/* Makes `ring` empty over `size` bytes (a power of two, 1 KiB to 1 GiB) at `bytes`, aligned to
 * LOG_RECORD_ALIGN, which must outlive it. */
void log_ring_init(struct log_ring *ring, char *bytes, uint64_t size);

/* Where a line may be built. */
struct log_place {
    struct buf buf;
    uint64_t skip; /* Bytes before it that stay empty. */
    bool is_anew;  /* The ring is empty, and begins with it. */
};

enum { LOG_PLACES = 2 };

/* The adder's. Gives place `which` (0, then 1) for a line; false when there is none such now. A
 * line that does not fit there (its buf is full) may fit into the next. */
MUST_USE bool log_ring_place(const struct log_ring *ring, uint32_t which,
                             struct log_place *ret_place);

/* The adder's. What was written into the place is a line of `logger` now. */
void log_ring_add(struct log_ring *ring, const struct log_place *place, uint32_t logger);

/* The longest line that an empty ring may refuse in neither of its places. */
static inline uint64_t log_ring_line_max(const struct log_ring *ring)
{
    return ring->size / 2 - sizeof(struct log_record);
}

/* The reader's. The line at `*at`, which then stands behind it; NULL: no more. Begins with `*at` as
 * log_ring_begin() says; the bytes follow the record, and stay until log_ring_free(). */
const struct log_record *log_ring_read(const struct log_ring *ring, uint64_t *at);

static inline uint64_t log_ring_begin(const struct log_ring *ring)
{
    return load_relaxed(&ring->shared.taken);
}

/* The reader's. Gives back all before `at`. */
void log_ring_free(struct log_ring *ring, uint64_t at);

/* The adder's. Bytes that are in use. */
static inline uint64_t log_ring_used(const struct log_ring *ring)
{
    return load_relaxed(&ring->shared.added) - load_acquire(&ring->shared.taken);
}

#endif
