/* fuzz_json: both readers of JSON on the same text.
 *
 * Input: byte 0 chooses which paths are selected, byte 1 the length of the pieces, the rest is the
 * text. Checked, besides what the sanitizers see: the readers agree on whether it is JSON, and each
 * path finds what a walk over the whole value finds; what is written reads back as an equal value
 * with an equal hash; a scratch that is too small is told from a wrong text. */
#include "config/json.h"

#include "config/json_paths.h"
#include "tests/fuzz/fuzz.h"

enum { SCRATCH_BYTES = 1 << 18, TEXT_BYTES = 1 << 16, STEPS_MAX = 4, PATHS = 8 };

static const struct {
    struct json_step steps[STEPS_MAX];
    size_t count;
} paths[PATHS] = {
    {{{"a", 1, 0}}, 1},
    {{{"a", 1, 0}, {"b", 1, 0}}, 2},
    {{{"a", 1, 0}, {NULL, 0, 0}}, 2},
    {{{NULL, 0, 0}}, 1},
    {{{NULL, 0, 1}, {"a", 1, 0}, {NULL, 0, 2}}, 3},
    {{{"0", 1, 0}, {"b", 1, 0}}, 2},
    {{{"\xc3\xa9\xef\xbf\xbd", 5, 0}}, 1},
    {{{NULL, 0, 0}}, 0},
};

static _Alignas(16) char memory[2][SCRATCH_BYTES];
static char kept[TEXT_BYTES];

static void check_equal(const struct json_result *a, const struct json_result *b)
{
    MUST(a->found == b->found);
    if (a->found == JSON_FOUND) MUST(value_equal(&a->value, &b->value));
}

/* What is written reads back. */
static void check_text(const struct value *value)
{
    static char text[TEXT_BYTES * 8];
    static _Alignas(16) char block[SCRATCH_BYTES];
    struct scratch scratch;
    struct value again;
    struct buf buf;

    buf_init(&buf, text, sizeof(text));
    value_write_json(value, &buf);
    MUST(!buf.full);
    scratch_init(&scratch, memory[1], SCRATCH_BYTES);
    MUST(json_parse(text, buf.len, &scratch, &again, NULL));
    MUST(value_equal(value, &again));
    MUST(value_hash(value) == value_hash(&again));
    MUST(value->depth == again.depth);
    MUST(value_pack_bytes(value) <= sizeof(block));
    again = value_pack(value, block);
    MUST(value_equal(value, &again));
    buf_init(&buf, text, sizeof(text));
    value_write_json_pretty(value, &buf);
    scratch_init(&scratch, memory[1], SCRATCH_BYTES);
    MUST(json_parse(text, buf.len, &scratch, &again, NULL));
    MUST(value_equal(value, &again));
}

static void check_select(uint8_t chosen, size_t piece, const char *text, size_t len,
                         const struct value *whole)
{
    struct json_result results[PATHS], wanted;
    uint32_t numbers[PATHS];
    struct json_paths *set;
    struct json_select *select;
    struct scratch scratch;
    struct arena arena;
    bool is_json = false;

    arena_init(&arena, 0);
    set = json_paths_new(&arena);
    MUST(set != NULL);
    for (size_t i = 0; i < PATHS; i++) {
        if (chosen >> i & 1) numbers[i] = json_paths_add(set, paths[i].steps, paths[i].count);
    }
    MUST(json_paths_seal(set));
    select = json_select_new(&arena, set);
    MUST(select != NULL);
    json_select_start(select, kept, sizeof(kept));
    for (size_t at = 0; at < len; at += piece) {
        size_t now = len - at < piece ? len - at : piece;
        char *copy = fuzz_copy(text + at, now);

        MUST(json_select_feed(select, copy, now) != JSON_FULL);
        fuzz_free(copy);
    }
    scratch_init(&scratch, memory[1], SCRATCH_BYTES);
    MUST(json_select_finish(select, &scratch, results, &is_json));
    MUST(is_json == (whole != NULL));
    for (size_t i = 0; i < PATHS; i++) {
        if (!(chosen >> i & 1)) continue;
        if (whole != NULL) {
            wanted = json_walk(whole, paths[i].steps, paths[i].count);
            check_equal(&results[numbers[i]], &wanted);
        } else {
            MUST(results[numbers[i]].found == (paths[i].count == 0 ? JSON_FOUND : JSON_INDEXING));
        }
    }
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct json_error error;
    struct scratch scratch;
    struct value value;
    bool good;
    char *text;

    if (len < 2 || len > TEXT_BYTES / 4) return 0;
    text = fuzz_copy((const char *)data + 2, len - 2);
    scratch_init(&scratch, memory[0], SCRATCH_BYTES);
    good = json_parse(text, len - 2, &scratch, &value, &error);
    MUST(scratch.top == scratch.end);
    if (good) {
        check_text(&value);
    } else {
        MUST(!error.is_memory);
        MUST(error.offset <= len - 2);
    }
    check_select(data[0], data[1] + (size_t)1, text, len - 2, good ? &value : NULL);
    check_select(data[0] & 0x7f, data[1] + (size_t)1, text, len - 2, good ? &value : NULL);
    scratch_init(&scratch, memory[0], data[1] * (size_t)8);
    if (!json_parse(text, len - 2, &scratch, &value, &error)) MUST(error.is_memory || !good);
    fuzz_free(text);
    return 0;
}

void fuzz_print(const uint8_t *data, size_t len)
{
    (void)LLVMFuzzerTestOneInput(data, len);
}
