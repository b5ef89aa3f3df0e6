#include "io/hdr.h"

#include <string.h>
#include <zlib.h>

#include "core/base/base64.h"
#include "core/base/check.h"

enum {
    COOKIE = 0x1c849313,
    COOKIE_COMPRESSED = 0x1c849314,
    HEAD_BYTES = 40,
    COMPRESSED_HEAD_BYTES = 8,
    WORD_BYTES_MAX = 9,
    PLAIN_BYTES_MAX = HEAD_BYTES + HIST_BUCKETS * WORD_BYTES_MAX,
    DIGITS = 3,
    US_VALUE_BITS = HIST_VALUE_BITS - 9, /* 2^45 ns are less than 2^36 us. */
};

struct hdr {
    z_stream stream;
    uint8_t *plain;      /* [PLAIN_BYTES_MAX] */
    uint8_t *compressed; /* [compressed_max] */
    size_t compressed_max;
    char *text;           /* As base64, terminated. */
    struct hist_view *us; /* A view turned into microseconds. */
};

static void *take_memory(void *arena, unsigned count, unsigned size)
{
    return arena_array(arena, count, size);
}

/* Memory goes back with the arena. */
static void leave_memory(void *arena, void *memory)
{
    (void)arena;
    (void)memory;
}

struct hdr *hdr_new(struct arena *arena)
{
    struct hdr *hdr = arena_array(arena, 1, sizeof(*hdr));

    if (hdr == NULL) return NULL;
    hdr->stream.zalloc = take_memory;
    hdr->stream.zfree = leave_memory;
    hdr->stream.opaque = arena;
    if (deflateInit(&hdr->stream, Z_DEFAULT_COMPRESSION) != Z_OK) return NULL;
    hdr->compressed_max = COMPRESSED_HEAD_BYTES + deflateBound(&hdr->stream, PLAIN_BYTES_MAX);
    hdr->plain = arena_array(arena, PLAIN_BYTES_MAX, 1);
    hdr->compressed = arena_array(arena, hdr->compressed_max, 1);
    hdr->text = arena_array(arena, base64_len(hdr->compressed_max) + 1, 1);
    hdr->us = arena_array(arena, 1, sizeof(*hdr->us));
    if (hdr->plain == NULL || hdr->compressed == NULL || hdr->text == NULL) return NULL;
    return hdr->us == NULL ? NULL : hdr;
}

static uint8_t *put_u32(uint8_t *at, uint32_t number)
{
    for (int shift = 24; shift >= 0; shift -= 8) {
        *at++ = (uint8_t)(number >> shift);
    }
    return at;
}

static uint8_t *put_u64(uint8_t *at, uint64_t number)
{
    return put_u32(put_u32(at, (uint32_t)(number >> 32)), (uint32_t)number);
}

/* ZigZag, then seven bits to a byte, the lowest first; a ninth byte would hold eight. */
static uint8_t *put_count(uint8_t *at, int64_t count)
{
    uint64_t rest = (uint64_t)count << 1 ^ (count < 0 ? UINT64_MAX : 0);

    for (int i = 1; rest >= 0x80 && i < WORD_BYTES_MAX; i++) {
        *at++ = (uint8_t)(rest | 0x80);
        rest >>= 7;
    }
    *at++ = (uint8_t)rest;
    return at;
}

static bool has_page(const struct hist_view *view, uint32_t page)
{
    return view->page_mask[page / 64] >> page % 64 & 1;
}

/* Puts the counts of a page; `zeros` is how many came last before it and are not yet put. */
static uint8_t *put_page(uint8_t *at, const uint64_t *counts, int64_t *zeros)
{
    for (uint32_t i = 0; i < HIST_PAGE_BUCKETS; i++) {
        if (counts[i] == 0) {
            ++*zeros;
            continue;
        }
        if (*zeros > 0) at = put_count(at, *zeros == 1 ? 0 : -*zeros);
        *zeros = 0;
        at = put_count(at, (int64_t)min_u64(counts[i], INT64_MAX));
    }
    return at;
}

static uint8_t *put_buckets(uint8_t *at, const struct hist_view *view)
{
    int64_t zeros = 0;

    for (uint32_t page = 0; page < HIST_PAGES; page++) {
        if (has_page(view, page)) {
            at = put_page(at, view->buckets + (size_t)page * HIST_PAGE_BUCKETS, &zeros);
        } else {
            zeros += HIST_PAGE_BUCKETS;
        }
    }
    return at;
}

/* Lays out the view, of values below 2^value_bits, in hdr->plain; returns how long that is. */
static size_t lay_out(struct hdr *hdr, const struct hist_view *view, int value_bits)
{
    static const uint64_t double_1 = UINT64_C(0x3ff0000000000000); /* 1.0 as IEEE 754 has it. */
    uint8_t *counts = hdr->plain + HEAD_BYTES;
    uint8_t *end = put_buckets(counts, view), *at;

    if (end == counts) end = put_count(end, 0); /* One without a count has the first bucket. */
    at = put_u32(hdr->plain, COOKIE);
    at = put_u32(at, (uint32_t)(end - counts));
    at = put_u32(at, 0);
    at = put_u32(at, DIGITS);
    at = put_u64(at, 1);
    at = put_u64(at, (UINT64_C(1) << value_bits) - 1);
    at = put_u64(at, double_1);
    CHECK(at == counts);
    CHECK(end <= hdr->plain + PLAIN_BYTES_MAX);
    return (size_t)(end - hdr->plain);
}

const char *hdr_encode(struct hdr *hdr, const struct hist_view *view)
{
    size_t len = lay_out(hdr, view, HIST_VALUE_BITS);
    uint8_t *at;
    int rc;

    rc = deflateReset(&hdr->stream);
    CHECK(rc == Z_OK);
    hdr->stream.next_in = hdr->plain;
    hdr->stream.avail_in = (unsigned)len;
    hdr->stream.next_out = hdr->compressed + COMPRESSED_HEAD_BYTES;
    hdr->stream.avail_out = (unsigned)(hdr->compressed_max - COMPRESSED_HEAD_BYTES);
    rc = deflate(&hdr->stream, Z_FINISH);
    CHECK(rc == Z_STREAM_END); /* There is room for the worst. */
    at = put_u32(hdr->compressed, COOKIE_COMPRESSED);
    (void)put_u32(at, (uint32_t)hdr->stream.total_out);
    len = base64_encode(hdr->text, hdr->compressed,
                        COMPRESSED_HEAD_BYTES + (size_t)hdr->stream.total_out);
    hdr->text[len] = '\0';
    return hdr->text;
}

static void add_us(struct hist_view *us, uint32_t bucket, uint64_t count)
{
    uint64_t middle_ns = hist_bucket_low_ns(bucket) + hist_bucket_width_ns(bucket) / 2;
    uint32_t to = hist_bucket_of(middle_ns / NS_PER_US);
    uint32_t page = to / HIST_PAGE_BUCKETS;

    us->page_mask[page / 64] |= UINT64_C(1) << page % 64;
    us->buckets[to] += count;
}

const char *hdr_encode_us(struct hdr *hdr, const struct hist_view *view)
{
    size_t len;

    hist_view_clear(hdr->us);
    for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
        if (!has_page(view, i / HIST_PAGE_BUCKETS)) {
            i += HIST_PAGE_BUCKETS - 1;
        } else if (view->buckets[i] > 0) {
            add_us(hdr->us, i, view->buckets[i]);
        }
    }
    len = base64_encode(hdr->text, hdr->plain, lay_out(hdr, hdr->us, US_VALUE_BITS));
    while (hdr->text[len - 1] == '=') {
        len--;
    }
    hdr->text[len] = '\0';
    return hdr->text;
}
