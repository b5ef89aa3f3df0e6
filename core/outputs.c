#include "core/outputs.h"

#include <unistd.h>

#include "config/testfile.h"
#include "core/base/clock.h"
#include "core/engine.h"
#include "core/live.h"
#include "core/report.h"
#include "core/report_rows.h"
#include "core/run_json.h"

static enum err open_record(struct outputs *outputs, struct err_info *why)
{
    int fds[RECORD_FILES] = {[RECORD_CSV] = outputs->csv.fd, [RECORD_HDR] = outputs->hdr.fd};

    if (outputs->csv.fd < 0 && outputs->hdr.fd < 0) return ERR_OK;
    return record_new(&outputs->record, fds, why);
}

/* The buckets of a test file go to stdout, unless that is for the report alone. */
static enum err open_console(struct outputs *outputs, const struct cli *cli, struct err_info *why)
{
    struct run_console_options options = {
        .file = cli->test_path,
        .json = cli->json_lines,
        .erases = !cli->quiet && live_is_possible(STDERR_FILENO) && isatty(STDOUT_FILENO) == 1,
    };
    enum err err;

    if (cli->test == NULL || outputs->json.fd == STDOUT_FILENO) return ERR_OK;
    err = run_console_new(&outputs->console, &options, why);
    if (err == ERR_OK) outputs->sinks[outputs->sinks_count++] = run_console_sink(outputs->console);
    return err;
}

/* Says that the results file cannot be written, while the run goes on. */
static void say_line(void *self, const char *line)
{
    const struct cli *cli = ((const struct outputs *)self)->cli;
    bool live = !cli->quiet && live_is_possible(STDERR_FILENO);
    struct err_info why;
    struct arena arena;
    struct text text;

    if (cli->silent) return;
    arena_init(&arena, 0);
    text_init(&text, &arena);
    if (cli->json_lines) {
        run_json_line("warn", line, &text);
    } else {
        text_printf(&text, "%s%s\n", live ? LIVE_ERASE : "", line);
    }
    (void)!output_stream(STDERR_FILENO, &text, &why); /* Nobody else could be told. */
    arena_release(&arena);
}

/* The results file of a test. */
static enum err open_results(struct outputs *outputs, const struct cli *cli, struct err_info *why)
{
    struct results_options options = {.test_path = cli->test_path,
                                      .dir = cli->results_dir,
                                      .name = cli->results_name,
                                      .form = cli->results_form,
                                      .now_wall_ns = clock_wall_ns(),
                                      .say = say_line};
    enum err err;

    if (cli->test == NULL) return ERR_OK;
    outputs->cli = cli;
    options.self = outputs;
    options.bucket_size_ns = cli->test->test->general.bucket_size_ns;
    err = results_open(&outputs->results, &options, why);
    if (err == ERR_OK) outputs->sinks[outputs->sinks_count++] = results_sink(outputs->results);
    return err;
}

enum err outputs_open(struct outputs *outputs, const struct cli *cli, struct err_info *why)
{
    struct {
        struct output *output;
        const char *path;
    } files[] = {{&outputs->json, cli->json_path},
                 {&outputs->csv, cli->csv_path},
                 {&outputs->hdr, cli->hdr_path},
                 {&outputs->requests, cli->requests_path}};
    enum err err = ERR_OK;

    *outputs = (struct outputs){.json.fd = -1, .csv.fd = -1, .hdr.fd = -1, .requests.fd = -1};
    for (size_t i = 0; err == ERR_OK && i < COUNT(files); i++) {
        err = output_open(files[i].output, files[i].path, why);
    }
    if (err == ERR_OK) err = open_record(outputs, why);
    if (err == ERR_OK) err = open_console(outputs, cli, why);
    if (err == ERR_OK) err = open_results(outputs, cli, why);
    if (err != ERR_OK) outputs_release(outputs);
    return err;
}

/* Where failures go, and whether there was one. */
struct failures {
    void (*tell)(const struct err_info *why);
    bool any;
};

static void note(struct failures *failures, enum err err, const struct err_info *why)
{
    if (err == ERR_OK) return;
    failures->tell(why);
    failures->any = true;
}

/* What the record wrote is complete, or not. */
static void end_record(struct outputs *outputs, struct failures *failures)
{
    const struct output *const files[RECORD_FILES] = {
        [RECORD_CSV] = &outputs->csv, [RECORD_HDR] = &outputs->hdr};
    struct err_info why;

    if (outputs->record == NULL) return;
    record_end(outputs->record);
    for (int i = 0; i < RECORD_FILES; i++) {
        enum record_file file = (enum record_file)i;

        if (files[i]->path == NULL) continue;
        note(failures, record_result(outputs->record, file, files[i]->path, &why), &why);
    }
    note(failures, output_close(&outputs->csv, &why), &why);
    note(failures, output_close(&outputs->hdr, &why), &why);
}

/* The last line of the results file. */
static void end_results(struct outputs *outputs, const struct result *result,
                        struct failures *failures)
{
    struct results_last last = {.end_wall_ns = clock_wall_ns(),
                                .reason = result_end_name(result->end),
                                .ledger = &result->ledger};
    struct err_info why;

    if (outputs->results == NULL) return;
    if (result->end == END_BROKEN) last.error = result->broken->message;
    note(failures, results_end(outputs->results, &last, &why), &why);
}

/* The report on stdout: for people, or the last line of JSON. */
static void add_report(const struct cli *cli, const struct result *result, struct text *out)
{
    if (cli->json_lines) {
        run_json_report(result, out);
    } else {
        report_text(result, cli->spectrum, out);
    }
}

bool outputs_write(struct outputs *outputs, const struct cli *cli, const struct result *result,
                   void (*tell)(const struct err_info *why))
{
    struct failures failures = {.tell = tell};
    struct err_info why;
    struct arena arena;
    struct text text;

    arena_init(&arena, 0);
    text_init(&text, &arena);
    if (outputs->console != NULL) note(&failures, run_console_end(outputs->console, &why), &why);
    if (outputs->json.fd != STDOUT_FILENO) {
        add_report(cli, result, &text);
        note(&failures, output_stream(STDOUT_FILENO, &text, &why), &why);
    }
    if (outputs->json.path != NULL) {
        text_init(&text, &arena);
        report_json(result, false, &text);
        note(&failures, output_write(&outputs->json, &text, &why), &why);
    }
    arena_release(&arena);
    end_record(outputs, &failures);
    end_results(outputs, result, &failures);
    note(&failures, report_rows(result, &outputs->requests, &why), &why);
    return !failures.any;
}

void outputs_release(struct outputs *outputs)
{
    struct output *const files[] = {&outputs->json, &outputs->csv, &outputs->hdr,
                                    &outputs->requests};

    record_free(outputs->record);
    outputs->record = NULL;
    run_console_free(outputs->console);
    outputs->console = NULL;
    results_free(outputs->results);
    outputs->results = NULL;
    for (size_t i = 0; i < COUNT(files); i++) {
        /* Nothing is in them that has not been told of. */
        if (files[i]->fd > STDERR_FILENO) (void)close(files[i]->fd);
        files[i]->fd = -1;
    }
}
