#include "io/coding.h"

#include <string.h>
#include <strings.h>

#define ZLIB_CONST
#include <zlib.h>
#ifdef PELT_BROTLI
#    include <brotli/decode.h>
#endif

#include "core/base/check.h"

enum {
    OUT_BYTES = 16 * 1024,
    WINDOW_BITS = 15, /* The largest there is (zlib.h, inflateInit2); */
    GZIP_BITS = 16,   /* added: there is a gzip header. */
};

/* One coding at work. */
struct coding_stage {
    enum coding_kind kind;
    z_stream zlib; /* Not of CODING_BR. */
    bool is_open;  /* `zlib` is: of deflate once it is known which of the two it is. */
    bool has_ended;
    uint8_t first_len;
    unsigned char first[2]; /* Of deflate: what tells them apart. */
#ifdef PELT_BROTLI
    BrotliDecoderState *brotli; /* CODING_BR only. */
#endif
    char out[OUT_BYTES];
};

/* Which codings there are. */

static bool is_word(const char *text, size_t len, const char *word)
{
    return strlen(word) == len && strncasecmp(text, word, len) == 0;
}

static void add_word(struct codings *codings, const char *text, size_t len)
{
    enum coding_kind kind = CODING_GZIP;

    if (len == 0 || is_word(text, len, "identity")) return;
    if (is_word(text, len, "gzip") || is_word(text, len, "x-gzip")) {
        kind = CODING_GZIP;
    } else if (is_word(text, len, "deflate")) {
        kind = CODING_DEFLATE;
#ifdef PELT_BROTLI
    } else if (is_word(text, len, "br")) {
        kind = CODING_BR;
#endif
    } else {
        codings->is_unknown = true;
        return;
    }
    if (codings->count == CODINGS_MAX) {
        codings->is_unknown = true;
    } else {
        codings->kinds[codings->count++] = (uint8_t)kind;
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

void codings_add(struct codings *codings, const char *value, size_t len)
{
    const char *at = value, *end = value + len;

    while (at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma == NULL ? end : comma, *next = comma == NULL ? end : comma + 1;

        while (at < stop && is_blank(*at)) {
            at++;
        }
        while (stop > at && is_blank(stop[-1])) {
            stop--;
        }
        add_word(codings, at, (size_t)(stop - at));
        at = next;
    }
}

void codings_add_head(struct codings *codings, const char *head, size_t len)
{
    static const char name[] = "Content-Encoding:";
    const char *at = head, *end = head + len;

    while (at < end) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        size_t line_len = (size_t)((lf == NULL ? end : lf) - at);

        if (line_len >= sizeof(name) - 1 && strncasecmp(at, name, sizeof(name) - 1) == 0) {
            codings_add(codings, at + sizeof(name) - 1, line_len - (sizeof(name) - 1));
        }
        if (lf == NULL) return;
        at = lf + 1;
    }
}

/* Memory. Other libraries give a piece back without its size, so it stands before it. */

static void *take(void *blocks, size_t size)
{
    char *piece =
        size > BLOCKS_SIZE_MAX - BLOCKS_ALIGN ? NULL : blocks_alloc(blocks, size + BLOCKS_ALIGN);

    if (piece == NULL) return NULL;
    memcpy(piece, &size, sizeof(size));
    return piece + BLOCKS_ALIGN;
}

static void give(void *blocks, void *piece)
{
    size_t size;

    if (piece == NULL) return;
    memcpy(&size, (char *)piece - BLOCKS_ALIGN, sizeof(size));
    blocks_free(blocks, (char *)piece - BLOCKS_ALIGN, size + BLOCKS_ALIGN);
}

static void *zlib_take(void *blocks, unsigned int items, unsigned int size)
{
    return take(blocks, (size_t)items * size);
}

/* Stages. */

static enum coding_result open_zlib(struct coding_stage *stage, struct blocks *blocks, int bits)
{
    stage->zlib = (z_stream){.zalloc = zlib_take, .zfree = give, .opaque = blocks};
    if (inflateInit2(&stage->zlib, bits) != Z_OK) return CODING_NO_MEMORY;
    stage->is_open = true;
    return CODING_OK;
}

static bool open_stage(struct coding_stage *stage, struct blocks *blocks, enum coding_kind kind)
{
    memset(stage, 0, offsetof(struct coding_stage, out));
    stage->kind = kind;
    switch (kind) {
    case CODING_GZIP: return open_zlib(stage, blocks, WINDOW_BITS + GZIP_BITS) == CODING_OK;
    case CODING_DEFLATE: return true;
    case CODING_BR:
#ifdef PELT_BROTLI
        stage->brotli = BrotliDecoderCreateInstance(take, give, blocks);
        return stage->brotli != NULL;
#else
        break;
#endif
    }
    UNREACHABLE("a coding that the build does not have");
}

static void close_stage(struct coding_stage *stage, struct blocks *blocks)
{
    if (stage->is_open) (void)inflateEnd(&stage->zlib);
#ifdef PELT_BROTLI
    if (stage->brotli != NULL) BrotliDecoderDestroyInstance(stage->brotli);
#endif
    blocks_free(blocks, stage, sizeof(*stage));
}

bool coding_open(struct coding *coding, struct blocks *blocks, const struct codings *codings,
                 coding_taker *taker, void *self)
{
    CHECK(!codings->is_unknown && codings->count <= CODINGS_MAX);
    *coding = (struct coding){.blocks = blocks, .taker = taker, .self = self};
    for (uint32_t i = 0; i < codings->count; i++) {
        struct coding_stage *stage = blocks_alloc(blocks, sizeof(*stage));
        enum coding_kind kind = (enum coding_kind)codings->kinds[codings->count - 1 - i];

        if (stage == NULL || !open_stage(stage, blocks, kind)) {
            blocks_free(blocks, stage, sizeof(*stage));
            coding_close(coding);
            return false;
        }
        coding->stages[coding->count++] = stage;
    }
    return true;
}

void coding_close(struct coding *coding)
{
    for (uint32_t i = 0; i < coding->count; i++) {
        close_stage(coding->stages[i], coding->blocks);
    }
    coding->count = 0;
}

/* Decoding: what a stage makes goes to the next one, that of the last to the taker. A stage has at
 * most CODINGS_MAX behind it, which bounds the recursion. */

static enum coding_result feed_from(struct coding *coding, uint32_t index, const char *data,
                                    size_t len);

static enum coding_result hand_on(struct coding *coding, uint32_t index, size_t len)
{
    return len == 0 ? CODING_OK : feed_from(coding, index + 1, coding->stages[index]->out, len);
}

/* A gzip body may have further members behind the first (RFC 1952 section 2.2). */
static enum coding_result next_member(struct coding_stage *stage)
{
    if (stage->kind != CODING_GZIP) return CODING_BROKEN;
    stage->has_ended = false;
    return inflateReset(&stage->zlib) == Z_OK ? CODING_OK : CODING_BROKEN;
}

/* Takes what is in zlib.next_in. */
static enum coding_result run_zlib(struct coding *coding, uint32_t index)
{
    struct coding_stage *stage = coding->stages[index];
    enum coding_result result = CODING_OK;
    bool is_full = true;

    while (result == CODING_OK && (stage->zlib.avail_in > 0 || is_full)) {
        int rc;

        if (stage->has_ended) {
            if (stage->zlib.avail_in == 0) return CODING_OK;
            result = next_member(stage);
            continue;
        }
        stage->zlib.next_out = (unsigned char *)stage->out;
        stage->zlib.avail_out = OUT_BYTES;
        rc = inflate(&stage->zlib, Z_NO_FLUSH);
        if (rc == Z_MEM_ERROR) return CODING_NO_MEMORY;
        if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR) return CODING_BROKEN;
        stage->has_ended = rc == Z_STREAM_END;
        is_full = stage->zlib.avail_out == 0;
        result = hand_on(coding, index, OUT_BYTES - stage->zlib.avail_out);
    }
    return result;
}

static enum coding_result feed_zlib(struct coding *coding, uint32_t index, const void *data,
                                    size_t len)
{
    struct coding_stage *stage = coding->stages[index];
    const unsigned char *at = data;
    enum coding_result result = CODING_OK;

    while (result == CODING_OK && len > 0) {
        size_t piece = min_u64(len, UINT32_MAX);

        stage->zlib.next_in = at;
        stage->zlib.avail_in = (unsigned int)piece;
        result = run_zlib(coding, index);
        at += piece;
        len -= piece;
    }
    return result;
}

/* Whether a deflate body begins with zlib's header (RFC 1950 section 2.2), as it should. */
static bool is_zlib(const unsigned char first[2])
{
    return (first[0] & 15) == 8 && (first[0] * 256u + first[1]) % 31 == 0;
}

static enum coding_result feed_deflate(struct coding *coding, uint32_t index, const char *data,
                                       size_t len)
{
    struct coding_stage *stage = coding->stages[index];
    enum coding_result result;

    if (stage->is_open) return feed_zlib(coding, index, data, len);
    while (len > 0 && stage->first_len < sizeof(stage->first)) {
        stage->first[stage->first_len++] = (unsigned char)*data++;
        len--;
    }
    if (stage->first_len < sizeof(stage->first)) return CODING_OK;
    result = open_zlib(stage, coding->blocks, is_zlib(stage->first) ? WINDOW_BITS : -WINDOW_BITS);
    if (result == CODING_OK) result = feed_zlib(coding, index, stage->first, stage->first_len);
    return result == CODING_OK ? feed_zlib(coding, index, data, len) : result;
}

#ifdef PELT_BROTLI
static enum coding_result feed_brotli(struct coding *coding, uint32_t index, const char *data,
                                      size_t len)
{
    struct coding_stage *stage = coding->stages[index];
    const uint8_t *at = (const uint8_t *)data;
    enum coding_result result = CODING_OK;
    BrotliDecoderResult rc = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;

    if (stage->has_ended) return len == 0 ? CODING_OK : CODING_BROKEN;
    while (result == CODING_OK && rc == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) {
        uint8_t *out = (uint8_t *)stage->out;
        size_t room = OUT_BYTES;

        rc = BrotliDecoderDecompressStream(stage->brotli, &len, &at, &room, &out, NULL);
        if (rc == BROTLI_DECODER_RESULT_ERROR) {
            BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(stage->brotli);

            return code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
                           code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES
                       ? CODING_NO_MEMORY
                       : CODING_BROKEN;
        }
        result = hand_on(coding, index, OUT_BYTES - room);
    }
    stage->has_ended = rc == BROTLI_DECODER_RESULT_SUCCESS;
    if (result == CODING_OK && stage->has_ended && len > 0) return CODING_BROKEN;
    return result;
}
#endif

static enum coding_result feed_from(struct coding *coding, uint32_t index, const char *data,
                                    size_t len)
{
    if (index == coding->count) {
        return coding->taker(coding->self, data, len) ? CODING_OK : CODING_STOPPED;
    }
    switch (coding->stages[index]->kind) {
    case CODING_GZIP: return feed_zlib(coding, index, data, len);
    case CODING_DEFLATE: return feed_deflate(coding, index, data, len);
    case CODING_BR:
#ifdef PELT_BROTLI
        return feed_brotli(coding, index, data, len);
#else
        break;
#endif
    }
    UNREACHABLE("a coding that the build does not have");
}

enum coding_result coding_feed(struct coding *coding, const char *data, size_t len)
{
    return feed_from(coding, 0, data, len);
}

enum coding_result coding_finish(const struct coding *coding)
{
    for (uint32_t i = 0; i < coding->count; i++) {
        if (!coding->stages[i]->has_ended) return CODING_BROKEN;
    }
    return CODING_OK;
}
