#include "core/base/hist_pack.h"

#include "core/base/check.h"

enum {
    CHUNK_BYTES = 120,
    CHUNKS_AT_ONCE = 512, /* Taken from the arena. */
    PAIR_BYTES_MAX = 14,  /* A distance below 2^21 and a count of 64 bits, at 7 bits a byte. */
};

struct hist_chunk {
    struct hist_chunk *next;
    unsigned char bytes[CHUNK_BYTES];
};

void hist_packs_init(struct hist_packs *packs, struct arena *arena)
{
    *packs = (struct hist_packs){.arena = arena};
}

/* A chunk that is in no pack; NULL when there is no memory. */
static struct hist_chunk *take_chunk(struct hist_packs *packs)
{
    struct hist_chunk *chunk = packs->free;

    if (chunk == NULL) {
        chunk = arena_array(packs->arena, CHUNKS_AT_ONCE, sizeof(*chunk));
        if (chunk == NULL) return NULL;
        for (uint32_t i = 0; i + 1 < CHUNKS_AT_ONCE; i++) {
            chunk[i].next = &chunk[i + 1];
        }
    }
    packs->free = chunk->next;
    chunk->next = NULL;
    return chunk;
}

/* Writing: the chunks that the pack had are used again, what is left of them is given back. */
struct writer {
    struct hist_packs *packs;
    struct hist_chunk **link; /* Where the next chunk is hung. */
    struct hist_chunk *at;    /* NULL: none yet. */
    uint32_t used;            /* Of it. */
};

/* Room for one byte; NULL when there is none. */
static unsigned char *next_byte(struct writer *writer)
{
    if (writer->at == NULL || writer->used == CHUNK_BYTES) {
        if (*writer->link == NULL) *writer->link = take_chunk(writer->packs);
        if (*writer->link == NULL) return NULL;
        writer->at = *writer->link;
        writer->link = &writer->at->next;
        writer->used = 0;
    }
    return &writer->at->bytes[writer->used++];
}

static uint32_t put(unsigned char *to, uint64_t number)
{
    uint32_t len = 0;

    for (; number >= 128; number >>= 7) {
        to[len++] = (unsigned char)(number | 128);
    }
    to[len++] = (unsigned char)number;
    return len;
}

/* Adds a bucket, `distance` behind the one before; false when there is no memory for it. */
static bool add_bucket(struct writer *writer, struct hist_pack *pack, uint32_t distance,
                       uint64_t count)
{
    unsigned char bytes[PAIR_BYTES_MAX], *to;
    uint32_t len = put(bytes, distance);

    len += put(bytes + len, count);
    for (uint32_t i = 0; i < len; i++) {
        to = next_byte(writer);
        if (to == NULL) return false; /* What there is of it is not counted in pack->bytes. */
        *to = bytes[i];
    }
    pack->bytes += len;
    return true;
}

static void give_back(struct hist_packs *packs, struct hist_chunk *first)
{
    while (first != NULL) {
        struct hist_chunk *next = first->next;

        first->next = packs->free;
        packs->free = first;
        first = next;
    }
}

void hist_pack_set(struct hist_packs *packs, struct hist_pack *pack, const struct hist_view *view)
{
    struct writer writer = {.packs = packs, .link = &pack->first};
    uint32_t before = 0;
    bool is_full = false;

    pack->count = view->count;
    pack->sum_ns = view->sum_ns;
    pack->min_ns = view->min_ns;
    pack->max_ns = view->max_ns;
    pack->over = view->over;
    pack->unplaced = view->unplaced;
    pack->bytes = 0;
    for (uint32_t page = 0; hist_view_next_page(view, &page); page++) {
        uint32_t from = page * HIST_PAGE_BUCKETS;

        for (uint32_t i = from; i < from + HIST_PAGE_BUCKETS; i++) {
            if (view->buckets[i] == 0) continue;
            is_full = is_full || !add_bucket(&writer, pack, i - before, view->buckets[i]);
            if (is_full) pack->unplaced += view->buckets[i];
            before = i;
        }
    }
    give_back(packs, *writer.link);
    *writer.link = NULL;
}

/* Reading. */
struct place {
    const struct hist_chunk *chunk;
    uint32_t used;
    uint64_t left; /* Bytes that have not been read. */
};

static uint64_t next_number(struct place *place)
{
    uint64_t number = 0;

    for (uint32_t shift = 0;; shift += 7) {
        unsigned char byte;

        CHECK(place->left > 0);
        if (place->used == CHUNK_BYTES) {
            place->chunk = place->chunk->next;
            place->used = 0;
        }
        byte = place->chunk->bytes[place->used++];
        place->left--;
        number |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) return number;
    }
}

void hist_pack_get(const struct hist_pack *pack, struct hist_view *view)
{
    struct place place = {.chunk = pack->first, .left = pack->bytes};
    uint64_t bucket = 0;

    hist_view_clear(view);
    if (pack->count == 0) return; /* A zeroed one has no minimum. */
    view->count = pack->count;
    view->sum_ns = pack->sum_ns;
    view->min_ns = pack->min_ns;
    view->max_ns = pack->max_ns;
    view->over = pack->over;
    view->unplaced = pack->unplaced;
    while (place.left > 0) {
        uint32_t page;

        bucket += next_number(&place);
        CHECK(bucket < HIST_BUCKETS);
        page = (uint32_t)bucket / HIST_PAGE_BUCKETS;
        view->page_mask[page / 64] |= UINT64_C(1) << page % 64;
        view->buckets[bucket] = next_number(&place);
    }
}
