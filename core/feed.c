#include "core/feed.h"

#include <inttypes.h>
#include <string.h>

#include "core/base/check.h"

enum {
    WINDOW_BYTES = 256 * 1024, /* Of a window at first. */
    WINDOW_MAX = RECORDS_BYTES_MAX + WINDOW_BYTES,
    SAMES_TRIED_MAX = 1000, /* As in value_source.c. */
};

static void fail(struct feed *feed, enum err err, int errno_value, const char *reason)
{
    const char *path = feed->options.file->path;

    feed->ended = true;
    if (errno_value != 0) {
        feed->err = err_set(&feed->why, err, errno_value, "data file '%s' cannot be read: %s", path,
                            err_errno_name(errno_value));
    } else {
        feed->err = err_set(&feed->why, err, 0, "data file '%s', line %" PRIu64 ": %s", path,
                            feed->records.line, reason);
    }
}

static bool init_stretches(struct feed *feed, struct arena *arena, uint32_t count)
{
    feed->stretches = arena_array(arena, count, sizeof(*feed->stretches));
    if (feed->stretches == NULL) return false;
    for (uint32_t i = 0; i < count; i++) {
        feed->stretches[i].window = arena_alloc(arena, WINDOW_MAX, CACHE_LINE);
        if (feed->stretches[i].window == NULL) return false;
        feed->stretches[i].want = WINDOW_BYTES;
        feed->stretches[i].end = UINT64_MAX;
    }
    feed->stretches_count = count;
    return true;
}

bool feed_init(struct feed *feed, struct arena *arena, const struct feed_options *options)
{
    const struct value_source_options *source = &options->source;
    const struct data_file *file = options->file;

    CHECK(source->random == file->random && source->index < source->workers);
    *feed = (struct feed){.options = *options};
    records_init(&feed->records, &file->options, arena);
    feed->records.names = file->names;
    feed->records.names_count = file->names_count;
    feed->records.columns = file->columns;
    if (!source->random) {
        if (!init_stretches(feed, arena, 1)) return false;
        feed->stretches[0].offset = file->begin;
        return true;
    }
    feed->records.names_wanted = false; /* Records are read one by one, wherever they stand. */
    feed->number = source->index;
    feed->ended = file->count == 0;
    rng_init(&feed->rng, source->seed + (uint64_t)source->index * UINT64_C(0x9e3779b97f4a7c15));
    if (file->count > 0) shuffle_init(&feed->shuffle, file->count, source->seed);
    return file->data != NULL || init_stretches(feed, arena, FEED_STRETCHES);
}

/* Begins a stretch anew. */
static void stretch_start(struct feed_stretch *stretch, uint64_t offset, uint64_t end,
                          uint32_t skip)
{
    CHECK(!stretch->is_asked);
    stretch->from = stretch->to = 0;
    stretch->offset = offset;
    stretch->end = end;
    stretch->skip = skip;
    stretch->is_last = offset >= end;
}

/* Asks for what comes next; no-op while that is under way, or when there is no more. A refusal,
 * when too much is asked for already, is tried again at the next poll. */
static void stretch_ask(struct feed *feed, struct feed_stretch *stretch)
{
    size_t left = stretch->to - stretch->from;

    if (stretch->is_asked || stretch->is_last) return;
    memmove(stretch->window, stretch->window + stretch->from, left);
    stretch->from = 0;
    stretch->to = left;
    if (left == stretch->want) stretch->want = (size_t)min_u64(2 * stretch->want, WINDOW_MAX);
    stretch->ask.fd = feed->options.file->fd;
    stretch->ask.to = stretch->window + left;
    stretch->ask.offset = stretch->offset;
    stretch->ask.len = (uint32_t)min_u64(stretch->want - left,
                                         stretch->end - min_u64(stretch->end, stretch->offset));
    stretch->is_asked = reader_ask(feed->options.reader, feed->options.worker, &stretch->ask);
    feed->refused |= !stretch->is_asked;
}

/* Takes in what has come; true if there was anything. */
static bool stretch_poll(struct feed *feed, struct feed_stretch *stretch)
{
    struct reader_ask *ask = &stretch->ask;

    if (!stretch->is_asked || !reader_is_done(ask)) return false;
    stretch->is_asked = false;
    if (ask->got < 0) {
        fail(feed, ERR_FILE, -ask->got, "");
        return true;
    }
    stretch->to += (uint32_t)ask->got;
    stretch->offset += (uint32_t)ask->got;
    stretch->is_last = (uint32_t)ask->got < ask->len || stretch->offset >= stretch->end;
    return true;
}

/* The next record of a stretch; RECORDS_MORE: it has been asked for. */
static enum records_result stretch_next(struct feed *feed, struct feed_stretch *stretch,
                                        struct value *ret_value, const char **ret_reason)
{
    struct records_window window = {.data = stretch->window + stretch->from,
                                    .len = stretch->to - stretch->from,
                                    .is_last = stretch->is_last};
    enum records_result result = RECORDS_MORE;
    size_t used = 0;

    scratch_clear(feed->options.scratch);
    if (window.len > 0 || window.is_last) {
        result = records_next(&feed->records, &window, &used, feed->options.scratch, ret_value,
                              ret_reason);
        stretch->from += used;
    }
    if (result == RECORDS_MORE) stretch_ask(feed, stretch);
    return result;
}

/* Puts a value into the provider; false when that is enough for now. */
static bool push(struct feed *feed, const struct value *value, uint32_t *sames)
{
    enum provider_pushed pushed = provider_push(feed->provider, value, false);

    CHECK(pushed != PROVIDER_FULL);
    if (pushed == PROVIDER_NO_MEMORY) {
        fail(feed, ERR_LIMIT, 0, "no memory is left for its values");
        return false;
    }
    *sames += pushed == PROVIDER_SAME;
    return *sames < SAMES_TRIED_MAX;
}

static void end_pass(struct feed *feed)
{
    if (!feed->options.source.repeat || feed->in_pass == 0) {
        feed->ended = true;
        return;
    }
    feed->in_pass = 0;
    records_rewind(&feed->records);
    stretch_start(&feed->stretches[0], feed->options.file->begin, UINT64_MAX, 0);
}

/* What a result that is no value means; false when it is for another time. */
static bool no_value(struct feed *feed, enum records_result result, const char *reason)
{
    if (result == RECORDS_MORE) return false;
    if (result == RECORDS_BAD) fail(feed, ERR_FILE, 0, reason);
    if (result == RECORDS_FULL) fail(feed, ERR_FILE, 0, "it is too large");
    if (result == RECORDS_END) end_pass(feed);
    return !feed->ended;
}

static void fill_in_order(struct feed *feed)
{
    const struct value_source_options *source = &feed->options.source;
    struct feed_stretch *stretch = &feed->stretches[0];
    uint32_t sames = 0;

    while (!feed->ended && provider_has_room(feed->provider)) {
        bool is_ours = feed->number % source->workers == source->index;
        const char *reason = "";
        struct value value;
        enum records_result result = stretch_next(feed, stretch, is_ours ? &value : NULL, &reason);

        if (result != RECORDS_VALUE) {
            if (!no_value(feed, result, reason)) return;
            continue;
        }
        feed->number++;
        feed->in_pass++;
        if (is_ours && !push(feed, &value, &sames)) return;
        /* The next piece is on its way before this one is used up. */
        if (stretch->to - stretch->from < stretch->want / 2) stretch_ask(feed, stretch);
    }
}

/* Which record comes next in random order; false when all have been. */
static bool choose(struct feed *feed, uint64_t *ret_record)
{
    const struct value_source_options *source = &feed->options.source;

    if (source->repeat) {
        *ret_record = rng_below(&feed->rng, feed->options.file->count);
        return true;
    }
    if (feed->number >= feed->options.file->count) return false;
    *ret_record = shuffle_at(&feed->shuffle, feed->number);
    feed->number += source->workers;
    return true;
}

/* Of a file that is kept in memory. */
static void fill_from_memory(struct feed *feed)
{
    const struct data_file *file = feed->options.file;
    uint32_t sames = 0;
    uint64_t record;

    while (!feed->ended && provider_has_room(feed->provider)) {
        struct records_window window = {.is_last = true};
        const char *reason = "";
        struct value value;
        enum records_result result;
        size_t used = 0;

        if (!choose(feed, &record)) {
            feed->ended = true;
            return;
        }
        window.data = file->data + file->offsets[record];
        window.len = (size_t)(file->offsets[record + 1] - file->offsets[record]);
        scratch_clear(feed->options.scratch);
        result =
            records_next(&feed->records, &window, &used, feed->options.scratch, &value, &reason);
        if (result == RECORDS_END) result = RECORDS_BAD; /* It was changed meanwhile. */
        if (result != RECORDS_VALUE) feed->records.line = data_file_line(file, record);
        if (result != RECORDS_VALUE && !no_value(feed, result, reason)) return;
        if (!push(feed, &value, &sames)) return;
    }
}

/* Begins to read records in random order, as many as may be read ahead. */
static void begin_stretches(struct feed *feed)
{
    const struct data_file *file = feed->options.file;
    uint64_t record;

    while (feed->open < feed->stretches_count && choose(feed, &record)) {
        struct feed_stretch *stretch =
            &feed->stretches[(feed->first + feed->open) % feed->stretches_count];
        uint64_t block = record / file->stride;

        stretch_start(stretch, file->offsets[block], file->offsets[block + 1],
                      (uint32_t)(record % file->stride));
        stretch->line = data_file_line(file, record);
        stretch_ask(feed, stretch);
        feed->open++;
    }
}

static void fill_at_random(struct feed *feed)
{
    uint32_t sames = 0;

    begin_stretches(feed);
    while (!feed->ended && feed->open > 0 && provider_has_room(feed->provider)) {
        struct feed_stretch *stretch = &feed->stretches[feed->first];
        bool is_wanted = stretch->skip == 0;
        const char *reason = "it is not there any more";
        struct value value;
        enum records_result result;

        feed->records.line = stretch->line;
        result = stretch_next(feed, stretch, is_wanted ? &value : NULL, &reason);
        stretch->line = feed->records.line;
        if (result == RECORDS_END) result = RECORDS_BAD;
        if (result != RECORDS_VALUE) {
            (void)no_value(feed, result, reason);
            return;
        }
        if (!is_wanted) {
            stretch->skip--;
            continue;
        }
        feed->first = (feed->first + 1) % feed->stretches_count;
        feed->open--;
        if (!push(feed, &value, &sames)) return;
        begin_stretches(feed);
    }
    if (feed->open == 0) feed->ended = true;
}

static void fill(void *self, struct provider *provider)
{
    struct feed *feed = self;

    feed->provider = provider;
    if (!feed->options.source.random) {
        fill_in_order(feed);
    } else if (feed->options.file->data != NULL) {
        fill_from_memory(feed);
    } else {
        fill_at_random(feed);
    }
}

struct provider_source feed_source(struct feed *feed)
{
    return (struct provider_source){.self = feed, .fill = fill};
}

bool feed_poll(struct feed *feed)
{
    bool any = feed->refused;

    if (feed->ended) return false;
    feed->refused = false;
    for (uint32_t i = 0; i < feed->stretches_count; i++) {
        any |= stretch_poll(feed, &feed->stretches[i]);
    }
    if (any && !feed->ended) provider_fill(feed->provider);
    return any;
}
