#include "core/log_ring.h"

#include <string.h>

#include "core/base/check.h"

_Static_assert(sizeof(struct log_record) == LOG_RECORD_ALIGN, "what is skipped has room for one");

void log_ring_init(struct log_ring *ring, char *bytes, uint64_t size)
{
    CHECK(size >= 1024 && size <= UINT64_C(1) << 30);
    CHECK((size & (size - 1)) == 0);
    CHECK((uintptr_t)bytes % LOG_RECORD_ALIGN == 0);
    *ring = (struct log_ring){.bytes = bytes, .size = size};
}

/* Where byte `at` of all that was ever added lies. `base` only changes in an empty ring, so whoever
 * has seen a byte that is not freed knows it. */
static uint64_t offset_of(const struct log_ring *ring, uint64_t at)
{
    return (at - load_relaxed(&ring->shared.base)) & (ring->size - 1);
}

bool log_ring_place(const struct log_ring *ring, uint32_t which, struct log_place *ret_place)
{
    uint64_t added = load_relaxed(&ring->shared.added), used = log_ring_used(ring);
    uint64_t at = offset_of(ring, added), to_end = ring->size - at;
    uint64_t free_bytes = ring->size - used;
    bool start_first = used == 0 && at >= LOG_RING_REUSE_BYTES;
    uint64_t room = min_u64(free_bytes, to_end);

    CHECK(used <= ring->size && which < LOG_PLACES);
    *ret_place = (struct log_place){.is_anew = used == 0 && (which == 0) == start_first};
    if ((which == 0) == start_first) {
        /* At the start of the ring, where that is free. */
        if (at == 0 || (used > 0 && free_bytes <= to_end)) return false;
        if (used > 0) ret_place->skip = to_end;
        room = free_bytes - ret_place->skip;
        at = 0;
    }
    if (room <= sizeof(struct log_record)) return false;
    room -= sizeof(struct log_record);
    buf_init(&ret_place->buf, ring->bytes + at + sizeof(struct log_record), room);
    return true;
}

static void put_record(struct log_ring *ring, uint64_t at, uint64_t bytes, uint32_t logger)
{
    struct log_record record = {.bytes = (uint32_t)bytes, .logger = logger};

    memcpy(ring->bytes + offset_of(ring, at), &record, sizeof(record));
}

static uint64_t aligned(uint64_t bytes)
{
    return (bytes + LOG_RECORD_ALIGN - 1) & ~(uint64_t)(LOG_RECORD_ALIGN - 1);
}

void log_ring_add(struct log_ring *ring, const struct log_place *place, uint32_t logger)
{
    uint64_t added = load_relaxed(&ring->shared.added);

    CHECK(!place->buf.full && logger != LOG_SKIP);
    if (place->is_anew) store_relaxed(&ring->shared.base, added);
    if (place->skip > 0) {
        put_record(ring, added, place->skip - sizeof(struct log_record), LOG_SKIP);
    }
    added += place->skip;
    CHECK(ring->bytes + offset_of(ring, added) + sizeof(struct log_record) == place->buf.data);
    put_record(ring, added, place->buf.len, logger);
    /* The room was a multiple of the alignment, so what rounds up is in it. */
    store_release(&ring->shared.added, added + sizeof(struct log_record) + aligned(place->buf.len));
}

const struct log_record *log_ring_read(const struct log_ring *ring, uint64_t *at)
{
    const struct log_record *record;

    do {
        if (*at == load_acquire(&ring->shared.added)) return NULL;
        record = (const void *)(ring->bytes + offset_of(ring, *at));
        *at += sizeof(*record) + aligned(record->bytes);
    } while (record->logger == LOG_SKIP);
    return record;
}

void log_ring_free(struct log_ring *ring, uint64_t at)
{
    store_release(&ring->shared.taken, at);
}
