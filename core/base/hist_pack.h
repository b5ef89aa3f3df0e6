/* hist_pack: histograms that are kept, hundreds or thousands of them, in as little memory as what
 * they hold takes: of each bucket that is not empty how far it is from the one before, and its
 * count, both in as many bytes as they need (7 bits each). That is 2 to 4 bytes a bucket, where a
 * view has 8 for every bucket there is.
 *
 * They stand in chunks of one size, so that what one gives back any other can take.
 *
 * Threads: one owner. */
#ifndef CORE_BASE_HIST_PACK_H
#define CORE_BASE_HIST_PACK_H

#include "core/base/arena.h"
#include "core/base/hist.h"

struct hist_chunk;

/* Where the chunks come from. */
struct hist_packs {
    struct arena *arena;     /* More are taken from it when `free` is empty. */
    struct hist_chunk *free; /* Those that are in no pack. */
};

/* What a view held. A zeroed pack is one of an empty view. */
struct hist_pack {
    uint64_t count, sum_ns, min_ns, max_ns, over, unplaced;
    struct hist_chunk *first;
    uint64_t bytes; /* In its chunks. */
};

/* `arena` must outlive the packs, and is never given anything back. */
void hist_packs_init(struct hist_packs *packs, struct arena *arena);

/* Makes the pack hold what `view` holds, and forget what it held. Where the arena refuses memory
 * the values that have no place are `unplaced`. */
void hist_pack_set(struct hist_packs *packs, struct hist_pack *pack, const struct hist_view *view);

/* Makes `view`, zeroed or used before, what the view was that the pack was set to. */
void hist_pack_get(const struct hist_pack *pack, struct hist_view *view);

#endif
