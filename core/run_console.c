#include "core/run_console.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/base/text.h"
#include "core/live.h"
#include "core/output.h"
#include "core/run_json.h"
#include "core/run_text.h"
#include "core/writer.h"

struct run_console {
    struct arena arena; /* Holds this struct, and the text. */
    struct run_console_options options;
    struct writer *writer;
    struct text text; /* The coordinator's, then main's: that of the last bucket. */
    uint64_t start_wall_ns;
    uint64_t buckets; /* Shown before the last one. */
    uint64_t lost;    /* Left away: nobody read, or there was no memory. */
};

enum err run_console_new(struct run_console **ret_console,
                         const struct run_console_options *options, struct err_info *why)
{
    const int fds[WRITER_FILES_MAX] = {STDOUT_FILENO, -1};
    struct arena arena;
    struct run_console *console;
    enum err err;

    arena_init(&arena, 0);
    console = arena_alloc(&arena, sizeof(*console), CACHE_LINE);
    if (console == NULL) return err_set(why, ERR_MEMORY, ENOMEM, "no memory for the console");
    console->arena = arena;
    console->options = *options;
    text_init(&console->text, &console->arena);
    err = writer_new(&console->writer, fds, RUN_CONSOLE_BYTES, why);
    if (err != ERR_OK) {
        run_console_free(console);
        return err;
    }
    *ret_console = console;
    return ERR_OK;
}

/* Hands the text to the writer, whole or not at all. */
static void put(struct run_console *console)
{
    const struct text *text = &console->text;

    if (text->failed || !writer_add(console->writer, 0, text->data, text->len)) console->lost++;
}

static void on_start(void *self, uint64_t wall_ns)
{
    struct run_console *console = self;

    console->start_wall_ns = wall_ns;
    if (!console->options.json) return;
    text_clear(&console->text);
    run_json_start(console->options.file, &console->text);
    put(console);
}

/* Whether the terminal is this job's: nothing is drawn on it from the background. */
static bool has_terminal(void)
{
    return tcgetpgrp(STDOUT_FILENO) == getpgrp();
}

static void on_bucket(void *self, const struct bucket *bucket)
{
    struct run_console *console = self;
    struct text *text = &console->text;

    text_clear(text);
    if (console->options.json) {
        run_json_bucket(bucket, console->start_wall_ns, text);
        if (bucket->is_last) run_json_test(bucket, console->start_wall_ns, text);
    } else {
        if (console->options.erases && has_terminal()) text_add_str(text, LIVE_ERASE);
        /* A run that is one bucket is told once. */
        if (!bucket->is_last || console->buckets > 0) run_text_bucket(bucket, text);
        if (bucket->is_last) run_text_test(bucket, text);
    }
    if (!bucket->is_last) put(console);
    console->buckets++;
}

struct bucket_sink run_console_sink(struct run_console *console)
{
    return (struct bucket_sink){.self = console, .start = on_start, .bucket = on_bucket};
}

static enum err cannot_write(int error, struct err_info *why)
{
    return err_set(why, ERR_FILE, error, "cannot write buckets to stdout: %s", strerror(error));
}

enum err run_console_end(struct run_console *console, struct err_info *why)
{
    int error;

    writer_end(console->writer);
    error = writer_error(console->writer, 0);
    if (error == EPIPE) return ERR_OK;
    if (error != 0) return cannot_write(error, why);
    if (console->buckets > 0 && output_stream(STDOUT_FILENO, &console->text, why) != ERR_OK) {
        return cannot_write(why->errno_value, why);
    }
    if (console->lost == 0) return ERR_OK;
    return err_set(why, ERR_FILE, EAGAIN,
                   "%llu buckets are not on stdout: it was read too slowly, or memory was short",
                   (unsigned long long)console->lost);
}

void run_console_free(struct run_console *console)
{
    struct arena arena;

    if (console == NULL) return;
    writer_free(console->writer);
    arena = console->arena;
    arena_release(&arena);
}
