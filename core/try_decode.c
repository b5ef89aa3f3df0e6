#include "core/try_decode.h"

#include "io/coding.h"

enum { WINDOWS_BYTES = 64 << 20 }; /* What is not used of it costs nothing. */

struct taking {
    struct text *out;
    uint64_t bytes_max;
};

static bool take(void *self, const char *data, size_t len)
{
    struct taking *taking = self;

    if (len > taking->bytes_max - taking->out->len) return false;
    text_add(taking->out, data, len);
    return !taking->out->failed;
}

bool try_decode(const char *head, size_t head_len, const char *body, size_t body_len,
                uint64_t bytes_max, struct text *out)
{
    struct taking taking = {.out = out, .bytes_max = bytes_max};
    struct codings codings = {.count = 0};
    enum coding_result result;
    struct coding coding;
    struct blocks blocks;
    struct arena arena;
    bool done = false;

    codings_add_head(&codings, head, head_len);
    if (codings.count == 0 || codings.is_unknown || body_len == 0) return false;
    arena_init(&arena, 0);
    if (blocks_init(&blocks, &arena, WINDOWS_BYTES) &&
        coding_open(&coding, &blocks, &codings, take, &taking)) {
        result = coding_feed(&coding, body, body_len);
        if (result == CODING_OK) result = coding_finish(&coding);
        coding_close(&coding);
        done = result == CODING_OK;
    }
    arena_release(&arena);
    return done && !out->failed;
}
