/* fuzz_records: a data file read whole, and in windows of any size.
 *
 * Input: byte 0 chooses format and dialect, byte 1 how many bytes come at a time, the rest is the
 * file. Checked, besides what the sanitizers see: the records are the same and equally wrong in the
 * same line, whatever windows they come in and however often a window is looked at before more of
 * it comes; those that are passed over are as many; nothing outside of a window is read. */
#include "config/records.h"

#include "tests/fuzz/fuzz.h"

enum { SCRATCH_BYTES = 1 << 18, OUT_BYTES = 1 << 18 };

static _Alignas(16) char memory[SCRATCH_BYTES];

/* What a reading gave. */
struct reading {
    char out[OUT_BYTES];
    struct buf buf;
    enum records_result end;
    uint64_t line, records;
    const char *reason;
};

static struct reading whole, pieces, passed;

static struct records_options options_of(uint8_t chosen)
{
    static const struct records_csv dialects[] = {
        {.delimiter = ',', .quote = '"', .double_quote = true},
        {.delimiter = ';', .quote = '\'', .escape = '\\', .comment = '#'},
        {.delimiter = '\t', .quote = 0},
        {.delimiter = ',', .quote = '"', .escape = '^', .double_quote = true, .terminator = '|'},
    };

    return (struct records_options){.format = (enum records_format)(chosen % 3),
                                    .parse = (chosen >> 2 & 1) != 0,
                                    .first_row_names = (chosen >> 3 & 1) != 0,
                                    .csv = dialects[chosen >> 4 & 3]};
}

/* Reads from a copy of the window with nothing readable around it. */
static enum records_result next(struct records *records, struct records_window window,
                                size_t *ret_used, struct value *ret_value, const char **ret_reason)
{
    char *copy = fuzz_copy(window.data, window.len);
    struct scratch scratch;
    enum records_result result;

    window.data = copy;
    scratch_init(&scratch, memory, sizeof(memory));
    result = records_next(records, &window, ret_used, &scratch, ret_value, ret_reason);
    MUST(*ret_used <= window.len);
    if (result == RECORDS_VALUE && ret_value != NULL) {
        static char kept[SCRATCH_BYTES];

        /* It may point into the window. */
        MUST(value_pack_bytes(ret_value) <= sizeof(kept));
        *ret_value = value_pack(ret_value, kept);
    }
    fuzz_free(copy);
    return result;
}

static void read_all(const struct records_options *options, const char *text, size_t len,
                     size_t step, bool passes, struct reading *reading)
{
    struct records records;
    struct arena arena;
    size_t from = 0, to = step == 0 ? len : 0;
    bool again = false;

    arena_init(&arena, 0);
    records_init(&records, options, &arena);
    buf_init(&reading->buf, reading->out, sizeof(reading->out));
    reading->records = 0;
    reading->reason = "";
    for (;;) {
        struct records_window window = {
            .data = text + from, .len = to - from, .is_last = to == len};
        struct value value;
        size_t used = 0;

        reading->end = next(&records, window, &used, passes ? NULL : &value, &reading->reason);
        from += used;
        if (reading->end == RECORDS_MORE) {
            MUST(to < len);
            again = !again;
            if (!again) to = to + step < len ? to + step : len;
            continue;
        }
        if (reading->end != RECORDS_VALUE) break;
        reading->records++;
        if (!passes) value_write_json(&value, &reading->buf);
        if (!passes) buf_add_char(&reading->buf, '\n');
    }
    reading->line = records.line;
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct records_options options;
    const char *text;
    size_t step;

    if (len < 2) return 0;
    options = options_of(data[0]);
    step = 1 + data[1] % 64;
    text = (const char *)data + 2;
    len -= 2;
    read_all(&options, text, len, 0, false, &whole);
    read_all(&options, text, len, step, false, &pieces);
    read_all(&options, text, len, step, true, &passed);
    MUST(whole.end == pieces.end && whole.records == pieces.records);
    MUST(whole.line == pieces.line);
    MUST(whole.end != RECORDS_BAD || strcmp(whole.reason, pieces.reason) == 0);
    MUST(whole.buf.full == pieces.buf.full && whole.buf.len == pieces.buf.len);
    MUST(memcmp(whole.out, pieces.out, whole.buf.len) == 0);
    MUST(passed.records >= whole.records);
    MUST(whole.end != RECORDS_END || passed.records == whole.records);
    return 0;
}

void fuzz_print(const uint8_t *data, size_t len)
{
    (void)LLVMFuzzerTestOneInput(data, len);
    (void)printf("%llu records\n%.*s", (unsigned long long)whole.records, (int)whole.buf.len,
                 whole.out);
}
