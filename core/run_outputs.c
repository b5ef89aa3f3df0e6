#include "core/run_outputs.h"

#include <unistd.h>

#include "config/testfile.h"
#include "core/base/clock.h"
#include "core/engine.h"
#include "core/live.h"
#include "core/output.h"
#include "core/report_thresholds.h"
#include "core/result_test.h"
#include "core/run_json.h"

static enum err open_console(struct run_outputs *outputs, const struct cli *cli,
                             struct err_info *why)
{
    struct run_console_options options = {
        .file = cli->test_path,
        .json = cli->json_lines,
        .erases = !cli->quiet && live_is_possible(STDERR_FILENO) && isatty(STDOUT_FILENO) == 1,
    };
    enum err err = run_console_new(&outputs->console, &options, why);

    if (err == ERR_OK) outputs->sinks[outputs->sinks_count++] = run_console_sink(outputs->console);
    return err;
}

/* Writes a line to stderr, as text or in JSON of the given type. */
static void put_line(const struct run_outputs *outputs, const char *type, const char *line)
{
    struct err_info why;
    struct arena arena;
    struct text text;

    arena_init(&arena, 0);
    text_init(&text, &arena);
    if (outputs->json_lines) {
        run_json_line(type, line, &text);
    } else {
        text_printf(&text, "%spelt: %s\n", outputs->live ? LIVE_ERASE : "", line);
    }
    (void)!output_stream(STDERR_FILENO, &text, &why);
    arena_release(&arena);
}

/* What the results file has to say while the run goes on; its thread may wait for stderr. */
static void say(void *self, const char *line)
{
    put_line(self, "warn", line);
}

static enum err open_results(struct run_outputs *outputs, const struct cli *cli,
                             struct err_info *why)
{
    struct results_options options = {
        .test_path = cli->test_path,
        .dir = cli->results_dir,
        .name = cli->results_name,
        .form = cli->results_form,
        .bucket_size_ns = cli->test->test->general.bucket_size_ns,
        .now_wall_ns = clock_wall_ns(),
        .say = cli->silent ? NULL : say,
        .self = outputs,
    };
    enum err err = results_open(&outputs->results, &options, why);

    if (err == ERR_OK) outputs->sinks[outputs->sinks_count++] = results_sink(outputs->results);
    return err;
}

enum err run_outputs_open(struct run_outputs *outputs, const struct cli *cli, bool has_stdout,
                          struct err_info *why)
{
    enum err err;

    *outputs = (struct run_outputs){.json_lines = cli->json_lines,
                                    .live = !cli->quiet && live_is_possible(STDERR_FILENO)};
    err = open_results(outputs, cli, why);
    if (err == ERR_OK && has_stdout) err = open_console(outputs, cli, why);
    return err;
}

/* The last lines of JSON on stdout, and on stderr. */
static enum err end_lines(const struct run_outputs *outputs, const struct result *result,
                          struct err_info *why)
{
    struct arena arena;
    struct text text;
    enum err err;

    arena_init(&arena, 0);
    text_init(&text, &arena);
    report_thresholds_lines(result->test, &text);
    run_json_report(result, &text);
    err = output_stream(STDOUT_FILENO, &text, why);
    arena_release(&arena);
    put_line(outputs, "end", result_end_name(result->end));
    return err;
}

static enum err end_results(struct run_outputs *outputs, const struct result *result,
                            struct err_info *why)
{
    struct results_last last = {
        .end_wall_ns = result->started_wall_ns + result->test->last->until_ns,
        .reason = result_end_name(result->end),
        .error = result->broken != NULL ? result->broken->message : NULL,
        .ledger = &result->ledger,
    };

    return results_end(outputs->results, &last, why);
}

bool run_outputs_write(struct run_outputs *outputs, const struct result *result,
                       void (*tell)(const struct err_info *why))
{
    struct err_info why;
    bool done = true;

    if (end_results(outputs, result, &why) != ERR_OK) {
        tell(&why);
        done = false;
    }
    if (outputs->console == NULL) return done;
    if (run_console_end(outputs->console, &why) != ERR_OK) {
        tell(&why);
        done = false;
    }
    if (!outputs->json_lines) return done;
    if (end_lines(outputs, result, &why) == ERR_OK) return done;
    tell(&why);
    return false;
}

void run_outputs_release(struct run_outputs *outputs)
{
    run_console_free(outputs->console);
    results_free(outputs->results);
    *outputs = (struct run_outputs){0};
}
