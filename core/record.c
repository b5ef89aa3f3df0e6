#include "core/record.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "core/base/quote.h"
#include "core/base/text.h"
#include "core/version.h"
#include "core/writer.h"
#include "io/hdr.h"

enum { RECORD_RING_BYTES = 1 << 20 };

_Static_assert((int)RECORD_FILES == (int)WRITER_FILES_MAX, "one place each");

struct record {
    struct arena arena; /* Holds this struct. */
    struct writer *writer;
    struct hdr *hdr; /* NULL when no log is wanted. */
    bool wanted[RECORD_FILES];
    uint64_t lost[RECORD_FILES]; /* Pieces that found no room or no memory. */
};

enum err record_new(struct record **ret_record, const int fds[RECORD_FILES], struct err_info *why)
{
    struct arena arena;
    struct record *record;
    enum err err = ERR_OK;

    arena_init(&arena, 0);
    record = arena_alloc(&arena, sizeof(*record), CACHE_LINE);
    if (record == NULL) return err_set(why, ERR_MEMORY, ENOMEM, "no memory for a record");
    record->arena = arena;
    for (int i = 0; i < RECORD_FILES; i++) {
        record->wanted[i] = fds[i] >= 0;
    }
    if (record->wanted[RECORD_HDR]) {
        record->hdr = hdr_new(&record->arena);
        if (record->hdr == NULL) {
            err = err_set(why, ERR_MEMORY, ENOMEM, "no memory for a histogram log");
        }
    }
    if (err == ERR_OK) err = writer_new(&record->writer, fds, RECORD_RING_BYTES, why);
    if (err != ERR_OK) {
        record_free(record);
        return err;
    }
    *ret_record = record;
    return ERR_OK;
}

/* Hands a piece to the writer, whole or not at all. */
static void put(struct record *record, enum record_file file, const struct text *piece)
{
    if (piece->failed || !writer_add(record->writer, file, piece->data, piece->len)) {
        record->lost[file]++;
    }
}

static void put_csv_head(struct record *record, struct text *out)
{
    static const char *const times[] = {"from_due_p50_us",  "from_due_p99_us",  "from_due_max_us",
                                        "from_sent_p50_us", "from_sent_p99_us", "from_sent_max_us",
                                        "lateness_p99_us"};

    text_add_str(out, "t_s,length_s,part,asked_per_s,achieved_per_s,answered,failed,shed,open");
    for (size_t i = 0; i < COUNT(times); i++) {
        text_printf(out, ",%s", times[i]);
    }
    text_add_str(out, "\r\n");
    put(record, RECORD_CSV, out);
}

static void put_hdr_head(struct record *record, uint64_t wall_ns, struct text *out)
{
    unsigned long long wall_s = wall_ns / NS_PER_S;
    unsigned wall_ms = (unsigned)(wall_ns % NS_PER_S / NS_PER_MS);
    time_t seconds = (time_t)wall_s;
    char day[64] = "";
    struct tm utc;

    if (gmtime_r(&seconds, &utc) != NULL) {
        (void)strftime(day, sizeof(day), ", %Y-%m-%dT%H:%M:%SZ", &utc);
    }
    text_printf(out, "#[Logged by pelt %s; values in nanoseconds]\n", pelt_version);
    text_add_str(out, "#[Histogram log format version 1.3]\n");
    text_printf(out, "#[BaseTime: %llu.%03u (seconds since epoch)]\n", wall_s, wall_ms);
    text_printf(out, "#[StartTime: %llu.%03u (seconds since epoch)%s]\n", wall_s, wall_ms, day);
    text_add_str(out, "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
                      "\"Interval_Compressed_Histogram\"\n");
    put(record, RECORD_HDR, out);
}

void record_start(struct record *record, uint64_t wall_ns)
{
    struct arena arena;
    struct text text;

    arena_init(&arena, 0);
    text_init(&text, &arena);
    if (record->wanted[RECORD_CSV]) put_csv_head(record, &text);
    text_init(&text, &arena);
    if (record->wanted[RECORD_HDR]) put_hdr_head(record, wall_ns, &text);
    arena_release(&arena);
}

/* A cell of a number that may not be known: below 0 then, and empty. */
static void add_number(struct text *out, double number)
{
    if (number < 0) {
        text_add_str(out, ",");
    } else {
        text_printf(out, ",%.3f", number);
    }
}

static void add_us(struct text *out, bool is_known, uint64_t ns)
{
    add_number(out, is_known ? (double)ns / (double)NS_PER_US : -1);
}

static void put_row(struct record *record, const struct series_sample *sample, struct text *out)
{
    static const char *const parts[] = {
        [SERIES_WARMUP] = "warmup", [SERIES_SPAN] = "span", [SERIES_DRAIN] = "drain"};
    const struct series_latency *late = &sample->latency[SERIES_LATENESS];

    text_printf(out, "%.6f,%.6f,%s", (double)sample->until_ns / (double)NS_PER_S,
                (double)(sample->until_ns - sample->from_ns) / (double)NS_PER_S,
                parts[sample->part]);
    add_number(out, series_asked_per_s(sample));
    add_number(out, series_achieved_per_s(sample));
    text_printf(out, ",%llu,%llu,%llu,%llu", (unsigned long long)sample->answered,
                (unsigned long long)sample->failed, (unsigned long long)sample->shed,
                (unsigned long long)sample->open);
    for (int i = SERIES_FROM_DUE; i <= SERIES_FROM_SENT; i++) {
        const struct series_latency *latency = &sample->latency[i];

        add_us(out, latency->is_known, latency->p50_ns);
        add_us(out, latency->is_known, latency->p99_ns);
        add_us(out, latency->is_known, latency->max_ns);
    }
    add_us(out, late->is_known, late->p99_ns);
    text_add_str(out, "\r\n");
    put(record, RECORD_CSV, out);
}

static void put_interval(struct record *record, const char *tag, const struct series_sample *sample,
                         const struct hist_view *view, struct text *out)
{
    text_printf(out, "Tag=%s,%.3f,%.3f,%.3f,", tag, (double)sample->from_ns / (double)NS_PER_S,
                (double)(sample->until_ns - sample->from_ns) / (double)NS_PER_S,
                (double)view->max_ns / (double)NS_PER_MS);
    text_add_str(out, hdr_encode(record->hdr, view));
    text_add_str(out, "\n");
    put(record, RECORD_HDR, out);
}

void record_sample(void *self, const struct series_sample *sample,
                   struct hist_view *const intervals[SERIES_HISTS])
{
    struct record *record = self;
    struct arena arena;
    struct text text;

    arena_init(&arena, 0);
    text_init(&text, &arena);
    if (record->wanted[RECORD_CSV]) put_row(record, sample, &text);
    if (record->wanted[RECORD_HDR]) {
        text_init(&text, &arena);
        put_interval(record, "from_due", sample, intervals[SERIES_FROM_DUE], &text);
        text_init(&text, &arena);
        put_interval(record, "from_sent", sample, intervals[SERIES_FROM_SENT], &text);
    }
    arena_release(&arena);
}

void record_end(struct record *record)
{
    writer_end(record->writer);
}

enum err record_result(const struct record *record, enum record_file file, const char *path,
                       struct err_info *why)
{
    int error = writer_error(record->writer, file);

    if (error != 0) {
        return err_set(why, ERR_FILE, error, "cannot write '%s': %s", quote(path).text,
                       strerror(error));
    }
    if (record->lost[file] > 0) {
        return err_set(why, ERR_FILE, 0, "'%s' lacks %llu lines: writing could not keep up",
                       quote(path).text, (unsigned long long)record->lost[file]);
    }
    return ERR_OK;
}

void record_free(struct record *record)
{
    struct arena arena;

    if (record == NULL) return;
    writer_free(record->writer);
    arena = record->arena;
    arena_release(&arena);
}
