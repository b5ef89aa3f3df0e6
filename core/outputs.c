#include "core/outputs.h"

#include <unistd.h>

#include "core/report.h"
#include "core/report_loggers.h"
#include "core/report_rows.h"

static enum err open_record(struct outputs *outputs, struct err_info *why)
{
    int fds[RECORD_FILES] = {[RECORD_CSV] = outputs->csv.fd, [RECORD_HDR] = outputs->hdr.fd};

    if (outputs->csv.fd < 0 && outputs->hdr.fd < 0) return ERR_OK;
    return record_new(&outputs->record, fds, why);
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
    if (err == ERR_OK && cli->test != NULL) {
        err = run_outputs_open(&outputs->run, cli, outputs->json.fd != STDOUT_FILENO, why);
    }
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

/* Text on stderr, where nobody can be told of a failure. */
static void print_aside(const struct text *text)
{
    struct err_info ignored;

    (void)!output_stream(STDERR_FILENO, text, &ignored);
}

bool outputs_begin(const struct cli *cli, void (*tell)(const struct err_info *why))
{
    struct err_info why;
    struct arena arena;
    struct text head, notes;
    enum err err;

    if (cli->format != CLI_FORMAT_WRK) return true;
    arena_init(&arena, 0);
    text_init(&head, &arena);
    text_init(&notes, &arena);
    report_wrk_notes(&cli->wrk, &cli->plan, &notes);
    if (!cli->quiet) print_aside(&notes);
    report_wrk_head(&cli->wrk, &head);
    err = output_stream(STDOUT_FILENO, &head, &why);
    if (err != ERR_OK) tell(&why);
    arena_release(&arena);
    return err == ERR_OK;
}

/* What wrk's form has no place for: all of our report, or that it says little of the server. */
static void print_besides(const struct cli *cli, const struct result *result, struct arena *arena)
{
    const struct verdict *verdict = &result->verdict;
    struct text text;

    text_init(&text, arena);
    if (cli->verbose) {
        report_text(result, cli->spectrum, &text);
    } else if (!cli->quiet) {
        for (uint32_t i = 0; verdict->client_limited && i < verdict->reasons.count; i++) {
            text_printf(&text, "pelt: %s: %s\n", verdict_state(verdict), verdict->reasons.text[i]);
        }
    }
    print_aside(&text);
}

/* The report for people on stdout. */
static enum err print_report(const struct cli *cli, const struct result *result,
                             struct arena *arena, struct err_info *why)
{
    struct text text;
    enum err err;

    text_init(&text, arena);
    if (cli->format == CLI_FORMAT_WRK) {
        report_wrk(&cli->wrk, result, arena, &text);
    } else {
        report_text(result, cli->spectrum, &text);
    }
    err = output_stream(STDOUT_FILENO, &text, why);
    if (cli->format == CLI_FORMAT_WRK) print_besides(cli, result, arena);
    return err;
}

bool outputs_write(struct outputs *outputs, const struct cli *cli, const struct result *result,
                   void (*tell)(const struct err_info *why))
{
    struct failures failures = {.tell = tell};
    struct err_info why;
    struct arena arena;
    struct text text;

    arena_init(&arena, 0);
    if (cli->test != NULL) {
        failures.any |= !run_outputs_write(&outputs->run, result, tell);
    }
    if (outputs->json.fd != STDOUT_FILENO && !cli->json_lines) {
        note(&failures, print_report(cli, result, &arena, &why), &why);
    }
    if (outputs->json.path != NULL) {
        text_init(&text, &arena);
        report_json(result, false, &text);
        note(&failures, output_write(&outputs->json, &text, &why), &why);
    }
    arena_release(&arena);
    end_record(outputs, &failures);
    failures.any |= !report_loggers_lost(result, tell);
    note(&failures, report_rows(result, &outputs->requests, &why), &why);
    return !failures.any;
}

void outputs_release(struct outputs *outputs)
{
    struct output *const files[] = {&outputs->json, &outputs->csv, &outputs->hdr,
                                    &outputs->requests};

    record_free(outputs->record);
    outputs->record = NULL;
    run_outputs_release(&outputs->run);
    for (size_t i = 0; i < COUNT(files); i++) {
        /* Nothing is in them that has not been told of. */
        if (files[i]->fd > STDERR_FILENO) (void)close(files[i]->fd);
        files[i]->fd = -1;
    }
}
