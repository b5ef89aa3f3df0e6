/* What codings promise: what was coded comes out again whatever the pieces, and nothing else does:
 * what is cut short, damaged or followed by more is told. */
#include "io/coding.h"

#include <string.h>

#include "tests/test.h"
#include <zlib.h>

enum { PLAIN_BYTES = 100000, CODED_BYTES = 200000, MEMORY_BYTES = 8 << 20 };

static char plain[PLAIN_BYTES];

struct taken {
    char *bytes;
    size_t len, max;
};

static bool take(void *self, const char *data, size_t len)
{
    struct taken *taken = self;

    if (len > taken->max - taken->len) return false;
    memcpy(taken->bytes + taken->len, data, len);
    taken->len += len;
    return true;
}

/* Text that can be made smaller, but not by much. */
static void fill_plain(void)
{
    uint32_t x = 1;

    for (size_t i = 0; i < PLAIN_BYTES; i++) {
        x = x * 1664525 + 1013904223;
        plain[i] = (char)('a' + (x >> 28));
    }
}

static size_t code(int bits, const void *data, size_t len, char *out)
{
    z_stream z = {.next_in = (unsigned char *)(uintptr_t)data,
                  .avail_in = (unsigned int)len,
                  .next_out = (unsigned char *)out,
                  .avail_out = CODED_BYTES};

    EXPECT(deflateInit2(&z, 6, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    EXPECT(deflate(&z, Z_FINISH) == Z_STREAM_END);
    EXPECT(deflateEnd(&z) == Z_OK);
    return CODED_BYTES - z.avail_out;
}

static enum coding_result decode(struct blocks *blocks, const char *names, const char *data,
                                 size_t len, size_t piece, struct taken *taken)
{
    struct codings codings = {.count = 0};
    enum coding_result result = CODING_OK;
    struct coding coding;

    codings_add(&codings, names, strlen(names));
    EXPECT(!codings.is_unknown);
    if (!coding_open(&coding, blocks, &codings, take, taken)) return CODING_NO_MEMORY;
    for (size_t at = 0; result == CODING_OK && at < len; at += piece) {
        result = coding_feed(&coding, data + at, len - at < piece ? len - at : piece);
    }
    if (result == CODING_OK) result = coding_finish(&coding);
    coding_close(&coding);
    EXPECT(blocks->bytes_used == 0);
    return result;
}

struct world {
    struct arena arena;
    struct blocks blocks;
    struct taken taken;
    char *coded, *twice;
};

static void open_world(struct world *world, size_t memory)
{
    arena_init(&world->arena, 0);
    EXPECT(blocks_init(&world->blocks, &world->arena, memory));
    world->taken =
        (struct taken){.bytes = arena_alloc(&world->arena, CODED_BYTES, 1), .max = CODED_BYTES};
    world->coded = arena_alloc(&world->arena, 2 * CODED_BYTES, 1);
    world->twice = arena_alloc(&world->arena, CODED_BYTES, 1);
    EXPECT(world->taken.bytes != NULL && world->coded != NULL && world->twice != NULL);
}

static void test_coding_takes_off_what_was_put_on(void)
{
    static const struct {
        const char *names;
        int bits, bits_after; /* 0: one coding only. */
    } rows[] = {{"gzip", 31, 0},          {"X-GZIP", 31, 0},         {"deflate", 15, 0},
                {"Deflate", -15, 0},      {"gzip, deflate", 31, 15}, {"deflate ,\tgzip", -15, 31},
                {"identity, gzip", 31, 0}};
    static const size_t pieces[] = {1, 7, 4096, CODED_BYTES};
    struct world world;

    open_world(&world, MEMORY_BYTES);
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len = code(rows[i].bits, plain, PLAIN_BYTES, world.coded);

        if (rows[i].bits_after != 0) {
            memcpy(world.twice, world.coded, len);
            len = code(rows[i].bits_after, world.twice, len, world.coded);
        }
        for (size_t j = 0; j < COUNT(pieces); j++) {
            printf("%s by %zu\n", rows[i].names, pieces[j]);
            world.taken.len = 0;
            EXPECT(decode(&world.blocks, rows[i].names, world.coded, len, pieces[j],
                          &world.taken) == CODING_OK);
            EXPECT(world.taken.len == PLAIN_BYTES);
            EXPECT(memcmp(world.taken.bytes, plain, PLAIN_BYTES) == 0);
        }
    }
    arena_release(&world.arena);
}

static void test_coding_reads_all_members_of_gzip(void)
{
    struct world world;
    size_t len;

    open_world(&world, MEMORY_BYTES);
    len = code(31, plain, 5000, world.coded);
    len += code(31, plain + 5000, 5000, world.coded + len);
    for (size_t piece = 1; piece < 20000; piece += 1777) {
        world.taken.len = 0;
        EXPECT(decode(&world.blocks, "gzip", world.coded, len, piece, &world.taken) == CODING_OK);
        EXPECT(world.taken.len == 10000 && memcmp(world.taken.bytes, plain, 10000) == 0);
    }
    arena_release(&world.arena);
}

static void test_coding_tells_what_is_cut_damaged_or_too_long(void)
{
    static const struct {
        const char *name;
        int bits;
    } rows[] = {{"gzip", 31}, {"deflate", 15}, {"deflate", -15}};
    struct world world;

    open_world(&world, MEMORY_BYTES);
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len = code(rows[i].bits, plain, 300, world.coded);

        for (size_t cut = 0; cut < len; cut++) {
            world.taken.len = 0;
            EXPECT(decode(&world.blocks, rows[i].name, world.coded, cut, 16, &world.taken) ==
                   CODING_BROKEN);
        }
        memset(world.coded + len, 'x', 3);
        EXPECT(decode(&world.blocks, rows[i].name, world.coded, len + 3, 16, &world.taken) ==
               CODING_BROKEN);
        world.coded[len / 2] ^= 0x55;
        if (rows[i].bits < 0) continue; /* Nothing in it sums it up. */
        EXPECT(decode(&world.blocks, rows[i].name, world.coded, len, 16, &world.taken) ==
               CODING_BROKEN);
    }
    EXPECT(decode(&world.blocks, "gzip", "not at all", 10, 3, &world.taken) == CODING_BROKEN);
    EXPECT(decode(&world.blocks, "deflate", "\x78", 1, 1, &world.taken) == CODING_BROKEN);
    arena_release(&world.arena);
}

static void test_coding_stops_when_it_is_told_and_when_memory_ends(void)
{
    struct world world;
    size_t len;

    open_world(&world, MEMORY_BYTES);
    len = code(31, plain, PLAIN_BYTES, world.coded);
    world.taken.max = PLAIN_BYTES - 1;
    EXPECT(decode(&world.blocks, "gzip", world.coded, len, 4096, &world.taken) == CODING_STOPPED);
    arena_release(&world.arena);
    for (size_t memory = 1024; memory < 128 * 1024; memory += 4096) {
        enum coding_result result;

        open_world(&world, memory);
        result = decode(&world.blocks, "gzip", world.coded, 0, 4096, &world.taken);
        EXPECT(result == CODING_NO_MEMORY || result == CODING_BROKEN);
        len = code(31, plain, PLAIN_BYTES, world.coded);
        result = decode(&world.blocks, "gzip", world.coded, len, 4096, &world.taken);
        EXPECT(result == CODING_NO_MEMORY || result == CODING_OK);
        arena_release(&world.arena);
    }
}

static void test_coding_knows_its_names(void)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nX-Content-Encoding: br\r\n"
                               "content-encoding: gzip , deflate\r\nContent-Encoding:\r\n"
                               "Content-Encoding: x-gzip\r\n\r\n";
    struct codings codings = {.count = 0};

    codings_add_head(&codings, head, sizeof(head) - 1);
    EXPECT(codings.count == 3 && !codings.is_unknown);
    EXPECT(codings.kinds[0] == CODING_GZIP && codings.kinds[1] == CODING_DEFLATE);
    EXPECT(codings.kinds[2] == CODING_GZIP);
    codings_add(&codings, "gzip,gzip", 9);
    EXPECT(codings.count == CODINGS_MAX && codings.is_unknown);
    codings = (struct codings){.count = 0};
    codings_add(&codings, "zstd", 4);
    EXPECT(codings.count == 0 && codings.is_unknown);
}

#ifdef PELT_BROTLI
static const char hello_text[] =
    "{\"items\": [{\"id\": 7}], \"text\": \"hello hello hello hello hello\"}";
/* The same by the reference encoder: brotli -q 5 -w 18. */
static const unsigned char hello_bytes[] = {
    0x13, 0x3e, 0x00, 0x00, 0x04, 0x6c, 0x6b, 0xa9, 0x8e, 0x65, 0xbb, 0x70, 0xa9,
    0x8a, 0xed, 0x4b, 0x7b, 0x84, 0x0d, 0x38, 0x01, 0x4f, 0x82, 0x69, 0xf3, 0x15,
    0x87, 0x8d, 0x31, 0xe4, 0x3b, 0xae, 0xbf, 0xfc, 0x5e, 0x18, 0xad, 0x61, 0x38,
    0xcf, 0xd0, 0xb7, 0x85, 0x73, 0x0c, 0x09, 0x36, 0xbf, 0x20, 0x1e};

static void test_coding_takes_brotli_off(void)
{
    const char *hello_br = (const char *)hello_bytes;
    struct world world;

    open_world(&world, 32 << 20);
    for (size_t piece = 1; piece <= sizeof(hello_bytes); piece++) {
        world.taken.len = 0;
        EXPECT(decode(&world.blocks, "br", hello_br, sizeof(hello_bytes), piece, &world.taken) ==
               CODING_OK);
        EXPECT(world.taken.len == sizeof(hello_text) - 1);
        EXPECT(memcmp(world.taken.bytes, hello_text, world.taken.len) == 0);
    }
    for (size_t cut = 0; cut < sizeof(hello_bytes); cut++) {
        EXPECT(decode(&world.blocks, "br", hello_br, cut, 3, &world.taken) == CODING_BROKEN);
    }
    EXPECT(decode(&world.blocks, "br", "\xff\xff\xff\xff\xff", 5, 5, &world.taken) ==
           CODING_BROKEN);
    arena_release(&world.arena);
    open_world(&world, 20 * 1024);
    EXPECT(decode(&world.blocks, "br", hello_br, sizeof(hello_bytes), 9, &world.taken) ==
           CODING_NO_MEMORY);
    arena_release(&world.arena);
}
#endif

int main(void)
{
    fill_plain();
    TEST(test_coding_takes_off_what_was_put_on);
    TEST(test_coding_reads_all_members_of_gzip);
    TEST(test_coding_tells_what_is_cut_damaged_or_too_long);
    TEST(test_coding_stops_when_it_is_told_and_when_memory_ends);
    TEST(test_coding_knows_its_names);
#ifdef PELT_BROTLI
    TEST(test_coding_takes_brotli_off);
#endif
    return 0;
}
