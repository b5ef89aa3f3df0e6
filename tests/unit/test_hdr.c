/* What the encoder of histogram logs promises: what it writes, undone by the book, is the histogram
 * it was given, bucket by bucket. tests/e2e/test_recording.py has readers that others wrote. */
#include "io/hdr.h"

#include <string.h>
#include <zlib.h>

#include "core/base/rng.h"
#include "tests/test.h"

enum { PLAIN_MAX = 512 * 1024 };

struct rig {
    struct arena arena;
    struct hdr *hdr;
    struct hist_view *view;
    uint8_t *packed, *plain;
    size_t packed_len, plain_len;
    uint64_t *buckets; /* As they were read back; [HIST_BUCKETS] */
};

static void rig_open(struct rig *rig)
{
    *rig = (struct rig){.hdr = NULL};
    arena_init(&rig->arena, 0);
    rig->hdr = hdr_new(&rig->arena);
    rig->view = arena_array(&rig->arena, 1, sizeof(*rig->view));
    rig->packed = arena_array(&rig->arena, PLAIN_MAX, 2);
    rig->plain = arena_array(&rig->arena, PLAIN_MAX, 1);
    rig->buckets = arena_array(&rig->arena, HIST_BUCKETS, sizeof(*rig->buckets));
    EXPECT(rig->hdr != NULL && rig->view != NULL && rig->packed != NULL && rig->plain != NULL);
    EXPECT(rig->buckets != NULL);
    hist_view_clear(rig->view);
}

static void rig_put(struct rig *rig, uint32_t bucket, uint64_t count)
{
    rig->view->page_mask[bucket / HIST_PAGE_BUCKETS / 64] |= UINT64_C(1)
                                                             << bucket / HIST_PAGE_BUCKETS % 64;
    rig->view->buckets[bucket] += count;
}

static uint32_t digit_of(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = strchr(digits, c);

    EXPECT(c != '\0' && at != NULL);
    return (uint32_t)(at - digits);
}

static void decode_base64(struct rig *rig, const char *text)
{
    uint8_t *at = rig->packed;

    EXPECT(strlen(text) % 4 == 0);
    for (; *text != '\0'; text += 4) {
        size_t count = text[2] == '=' ? 1 : text[3] == '=' ? 2 : 3;
        uint32_t bits = digit_of(text[0]) << 18 | digit_of(text[1]) << 12;

        if (count > 1) bits |= digit_of(text[2]) << 6;
        if (count > 2) bits |= digit_of(text[3]);
        for (size_t i = 0; i < count; i++) {
            *at++ = (uint8_t)(bits >> (16 - 8 * i));
        }
    }
    rig->packed_len = (size_t)(at - rig->packed);
}

static uint64_t number_at(const uint8_t *at, size_t bytes)
{
    uint64_t number = 0;

    for (size_t i = 0; i < bytes; i++) {
        number = number << 8 | at[i];
    }
    return number;
}

/* One ZigZag LEB128 number of at most nine bytes. */
static int64_t take_number(const uint8_t **at)
{
    uint64_t number = 0;

    for (uint32_t shift = 0;; shift += 7) {
        uint8_t byte = *(*at)++;

        if (shift == 56) {
            number |= (uint64_t)byte << shift;
            break;
        }
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) break;
    }
    return (int64_t)(number >> 1) ^ -(int64_t)(number & 1);
}

static void read_buckets(struct rig *rig)
{
    const uint8_t *at = rig->plain + 40, *end = rig->plain + rig->plain_len;
    uint32_t bucket = 0;

    memset(rig->buckets, 0, HIST_BUCKETS * sizeof(*rig->buckets));
    while (at < end) {
        int64_t number = take_number(&at);

        EXPECT(bucket < HIST_BUCKETS);
        if (number < 0) {
            bucket += (uint32_t)-number;
        } else {
            rig->buckets[bucket++] = (uint64_t)number;
        }
    }
    EXPECT(at == end);
}

/* Encodes the view and reads it back. */
static void round_trip(struct rig *rig)
{
    uLongf plain_len = PLAIN_MAX;

    decode_base64(rig, hdr_encode(rig->hdr, rig->view));
    EXPECT(number_at(rig->packed, 4) == 0x1c849314);
    EXPECT(number_at(rig->packed + 4, 4) == rig->packed_len - 8);
    EXPECT(uncompress(rig->plain, &plain_len, rig->packed + 8, rig->packed_len - 8) == Z_OK);
    rig->plain_len = plain_len;
    EXPECT(number_at(rig->plain, 4) == 0x1c849313);
    EXPECT(number_at(rig->plain + 4, 4) == plain_len - 40);
    EXPECT(number_at(rig->plain + 8, 4) == 0);
    EXPECT(number_at(rig->plain + 12, 4) == 3);
    EXPECT(number_at(rig->plain + 16, 8) == 1);
    EXPECT(number_at(rig->plain + 24, 8) == (UINT64_C(1) << 45) - 1);
    EXPECT(number_at(rig->plain + 32, 8) == UINT64_C(0x3ff0000000000000));
    read_buckets(rig);
    EXPECT(memcmp(rig->buckets, rig->view->buckets, sizeof(rig->view->buckets)) == 0);
}

static void test_hdr_of_nothing_has_one_count(void)
{
    struct rig rig;

    rig_open(&rig);
    round_trip(&rig);
    EXPECT(rig.plain_len == 41);
    arena_release(&rig.arena);
}

static void test_hdr_keeps_every_bucket(void)
{
    static const struct {
        uint32_t bucket;
        uint64_t count;
    } rows[] = {{0, 1},
                {2, 63}, /* One zero before it. */
                {3, 64},
                {2047, 8191},
                {2048, 8192},
                {5000, UINT64_C(1) << 54},
                {5001, (UINT64_C(1) << 55) + 12345},
                {5002, INT64_MAX},
                {HIST_BUCKETS - 1, 7}};
    struct rig rig;

    rig_open(&rig);
    for (size_t i = 0; i < COUNT(rows); i++) {
        rig_put(&rig, rows[i].bucket, rows[i].count);
        round_trip(&rig);
    }
    arena_release(&rig.arena);
}

/* Decodes text without padding, not compressed, into rig->buckets. */
static void read_plain(struct rig *rig, const char *text)
{
    char *padded = arena_array(&rig->arena, strlen(text) + 4, 1);
    size_t len = strlen(text);

    EXPECT(padded != NULL);
    EXPECT(len % 4 != 1 && strchr(text, '=') == NULL);
    memcpy(padded, text, len);
    while (len % 4 != 0) {
        padded[len++] = '=';
    }
    decode_base64(rig, padded);
    rig->plain_len = rig->packed_len;
    memcpy(rig->plain, rig->packed, rig->packed_len);
    EXPECT(number_at(rig->plain, 4) == 0x1c849313);
    EXPECT(number_at(rig->plain + 4, 4) == rig->plain_len - 40);
    EXPECT(number_at(rig->plain + 12, 4) == 3);
    EXPECT(number_at(rig->plain + 24, 8) == (UINT64_C(1) << 36) - 1);
    read_buckets(rig);
}

static void test_hdr_in_microseconds_rounds_down_and_keeps_every_count(void)
{
    static const struct {
        uint64_t ns, count, us;
    } rows[] = {{0, 1, 0},
                {999, 2, 0},
                {1000, 3, 1},
                {1999, 4, 1},
                {1500000, 5, 1500},
                {2047000000, 6, 2047000},
                {1000000000000, 7, 1000000000}};
    uint64_t sum = 0, wanted = 0;
    struct rig rig;

    rig_open(&rig);
    read_plain(&rig, hdr_encode_us(rig.hdr, rig.view));
    for (size_t i = 0; i < COUNT(rows); i++) {
        rig_put(&rig, hist_bucket_of(rows[i].ns), rows[i].count);
        read_plain(&rig, hdr_encode_us(rig.hdr, rig.view));
        wanted = hist_bucket_of(rows[i].us);
        /* The middle of a bucket may belong to the next microsecond, or to the one before. */
        EXPECT(rig.buckets[wanted] + rig.buckets[wanted + 1] +
                   (wanted > 0 ? rig.buckets[wanted - 1] : 0) >=
               rows[i].count);
    }
    wanted = 0;
    for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
        sum += rig.buckets[i];
        wanted += rig.view->buckets[i];
    }
    EXPECT(sum == wanted);
    arena_release(&rig.arena);
}

/* Nothing compresses this, and every count is of the longest. */
static void test_hdr_has_room_for_the_worst(void)
{
    struct rig rig;
    struct rng rng;

    rig_open(&rig);
    rng_init(&rng, 1);
    for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
        rig_put(&rig, i, rng_next(&rng) >> 1 | UINT64_C(1) << 62);
    }
    round_trip(&rig);
    arena_release(&rig.arena);
}

static void test_hdr_refuses_an_arena_that_is_too_small(void)
{
    bool made = false;

    for (size_t bytes = 64 * 1024; !made; bytes += 64 * 1024) {
        struct arena arena;

        arena_init(&arena, bytes);
        made = hdr_new(&arena) != NULL;
        arena_release(&arena);
        EXPECT(made || bytes < 8 * 1024 * 1024);
        EXPECT(!made || bytes > 256 * 1024);
    }
}

int main(void)
{
    TEST(test_hdr_of_nothing_has_one_count);
    TEST(test_hdr_keeps_every_bucket);
    TEST(test_hdr_in_microseconds_rounds_down_and_keeps_every_count);
    TEST(test_hdr_has_room_for_the_worst);
    TEST(test_hdr_refuses_an_arena_that_is_too_small);
    return 0;
}
