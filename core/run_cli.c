#include "core/run_cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "config/load.h"
#include "core/base/clock.h"
#include "core/base/quote.h"
#include "core/base/units.h"
#include "core/data_file.h"
#include "core/exit.h"
#include "core/logger.h"
#include "core/output.h"
#include "core/preflight.h"
#include "core/results_dir.h"
#include "core/run_json.h"
#include "core/run_line.h"

enum { DIAGS_BYTES_MAX = 64 * 1024 * 1024 };

static const char *environment(void *context, const char *name)
{
    (void)context;
    return getenv(name);
}

/* The same as diags_human(), but for the lines of the file, as lines of JSON. */
static void add_json_lines(const struct diags *diags, struct text *out)
{
    char line[1024];

    for (uint32_t i = 0; i < diags->count; i++) {
        const struct diag *diag = &diags->list[i];
        const char *file = diags->sources[diag->place.source].name;

        if (diag->place.line > 0) {
            (void)snprintf(line, sizeof(line), "%s:%u:%u: %s", file, diag->place.line,
                           diag->place.column, diag->message);
        } else {
            (void)snprintf(line, sizeof(line), "%s: %s", file, diag->message);
        }
        run_json_line(diag->level == DIAG_ERROR ? "fatal" : "warn", line, out);
    }
}

uint64_t run_test_seed(void)
{
    uint64_t seed = 0;

    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed)) {
        seed = clock_wall_ns();
    }
    return seed & ((UINT64_C(1) << 53) - 1);
}

struct testfile *run_test_load(const char *path, uint64_t seed, bool json)
{
    struct testfile_options options = {
        .environment = environment, .wall_ns = clock_wall_ns(), .seed = seed};
    struct testfile *testfile;
    struct arena arena;
    struct diags diags;
    struct text out;
    struct err_info why;

    arena_init(&arena, DIAGS_BYTES_MAX);
    diags_init(&diags, &arena);
    text_init(&out, &arena);
    testfile = testfile_load(path, &options, &diags);
    if (json) {
        add_json_lines(&diags, &out);
    } else {
        diags_human(&diags, &out);
    }
    if (out.len > 0) (void)!output_stream(STDERR_FILENO, &out, &why);
    arena_release(&arena);
    return testfile;
}

/* Says why there is no run. */
static PRINTF_LIKE(2, 3) void tell(const struct run_test *run, const char *format, ...)
{
    struct err_info ignored;
    struct arena arena;
    struct text text;
    char line[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    arena_init(&arena, 0);
    text_init(&text, &arena);
    if (run->cli.json_lines) {
        run_json_line("fatal", line, &text);
    } else {
        text_printf(&text, "pelt: %s\n", line);
    }
    (void)!output_stream(STDERR_FILENO, &text, &ignored);
    arena_release(&arena);
}

static struct records_options records_of(const struct testfile_provider *def,
                                         const struct value *names)
{
    return (struct records_options){
        .format = def->format == FORMAT_LINE   ? RECORDS_LINE
                  : def->format == FORMAT_JSON ? RECORDS_JSON
                                               : RECORDS_CSV,
        .parse = def->parse,
        .csv = {.delimiter = def->csv.delimiter,
                .quote = def->csv.quote,
                .escape = def->csv.escape,
                .comment = def->csv.comment,
                .terminator = def->csv.terminator,
                .double_quote = def->csv.double_quote},
        .first_row_names = def->csv.headers == CSV_HEADERS_FIRST,
        .names = names,
        .names_count = names == NULL ? 0 : def->csv.names_count,
    };
}

static enum err open_file(struct run_test *run, uint32_t index, struct err_info *why)
{
    const struct testfile_provider *def = &run->testfile->providers[index];
    struct arena *arena = &run->cli.plan.arena;
    struct value *names = NULL;
    struct records_options options;

    if (def->format == FORMAT_CSV && def->csv.headers == CSV_HEADERS_GIVEN) {
        names = arena_array(arena, def->csv.names_count, sizeof(*names));
        if (names == NULL) return err_set(why, ERR_MEMORY, 0, "no memory for names of columns");
        for (uint32_t i = 0; i < def->csv.names_count; i++) {
            names[i] = value_str(def->csv.names[i]);
        }
    }
    options = records_of(def, names);
    run->test.reads_files = true;
    return data_file_open(&run->files[index], def->file, &options, def->random, arena, why);
}

enum err run_test_open_files(struct run_test *run, struct err_info *why)
{
    uint32_t count = run->testfile->providers_count;

    run->files = arena_array(&run->cli.plan.arena, count, sizeof(*run->files));
    if (run->files == NULL) return err_set(why, ERR_MEMORY, 0, "no memory for data files");
    for (uint32_t i = 0; i < count; i++) {
        run->files[i].fd = -1;
    }
    for (uint32_t i = 0; i < count; i++) {
        enum err err = ERR_OK;

        if (run->testfile->providers[i].kind == PROVIDER_FILE) err = open_file(run, i, why);
        if (err != ERR_OK) return err;
    }
    for (uint32_t i = 0; i < run->testfile->endpoints_count; i++) {
        enum testfile_body_kind kind = run->testfile->endpoints[i].body.kind;

        run->test.reads_files |= kind == BODY_FILES || kind == BODY_MULTIPART;
    }
    return ERR_OK;
}

static enum err open_loggers(struct run_test *run, struct err_info *why)
{
    const struct testfile *test = run->testfile;
    struct loggers_options options = {
        .test = test, .directory = run->cli.results_dir, .workers = run->cli.plan.workers};
    bool takes_stdout = run->cli.json_path != NULL && strcmp(run->cli.json_path, "-") == 0;

    for (uint32_t i = 0; takes_stdout && i < test->loggers_count; i++) {
        if (strcmp(test->loggers[i].to, "stdout") != 0) continue;
        return err_set(why, ERR_CONFIG, 0,
                       "logger '%s' writes to stdout, which '--json -' wants for itself",
                       quote(test->loggers[i].name).text);
    }
    if (test->loggers_count == 0) return ERR_OK;
    return loggers_new(&run->loggers, &options, why);
}

static struct run_machine machine_of(uint32_t cpus)
{
    struct preflight_limits limits;

    preflight_read(&limits, "/proc");
    return (struct run_machine){
        .cpus = cpus,
        .descriptors = limits.descriptors_hard,
        .ports = limits.port_high == 0 ? 0 : limits.port_high - limits.port_low + UINT64_C(1)};
}

/* What is told on stderr, unless the command line says it. */
static void set_level(struct cli *cli, enum testfile_log_level level)
{
    if (cli->quiet || cli->verbose) return;
    cli->silent = level == LOG_OFF;
    cli->quiet = level <= LOG_ERROR;
    cli->terse = level <= LOG_WARN;
    cli->verbose = level >= LOG_DEBUG;
}

static int make(struct run_test *run, const char *path, uint32_t cpus)
{
    struct run_machine machine = machine_of(cpus);
    struct err_info why;
    enum err err;

    run->cli.plan.seed = run_test_seed();
    run->testfile = run_test_load(path, run->cli.plan.seed, run->cli.json_lines);
    if (run->testfile == NULL && run->cli.json_lines) tell(run, "the test file cannot be used");
    if (run->testfile == NULL) return EXIT_CODE_ERROR;
    if (run->cli.plan.pattern_from_ns >= run->testfile->duration_ns) {
        char text[UNITS_TEXT_MAX];

        tell(run, "'--start-at' is not before the end of the load pattern, %s",
             units_time(text, run->testfile->duration_ns));
        return EXIT_CODE_USAGE;
    }
    set_level(&run->cli, run->testfile->general.log_level);
    run->cli.plan.test_file = path;
    err = run_plan_make(&run->cli.plan, run->testfile, &machine, &run->crews, &why);
    if (err == ERR_OK) err = run_test_open_files(run, &why);
    if (err != ERR_OK) {
        tell(run, "%s: %s", quote(path).text, why.message);
        return EXIT_CODE_ERROR;
    }
    if (run->cli.results_dir != NULL && results_dir_make(run->cli.results_dir, &why) != ERR_OK) {
        tell(run, "%s", why.message);
        return EXIT_CODE_OUTPUT;
    }
    err = open_loggers(run, &why);
    if (err != ERR_OK) {
        tell(run, "%s: %s", quote(path).text, why.message);
        return err == ERR_FILE ? EXIT_CODE_OUTPUT : EXIT_CODE_ERROR;
    }
    run->test.test = run->testfile;
    run->test.crews = &run->crews;
    run->test.files = run->files;
    run->test.loggers = run->loggers;
    run->cli.test = &run->test;
    run->cli.test_path = path;
    return -1;
}

int run_test_read(int argc, char **argv, uint32_t cpus, struct run_test *ret_run)
{
    const char *path;
    int code;

    *ret_run = (struct run_test){0};
    plan_init(&ret_run->cli.plan);
    code = run_line_read(argc, argv, &ret_run->cli, &path);
    if (code == EXIT_CODE_OK && ret_run->cli.help) {
        code =
            fputs(run_usage, stdout) < 0 || fflush(stdout) != 0 ? EXIT_CODE_OUTPUT : EXIT_CODE_OK;
    } else if (code == EXIT_CODE_OK) {
        code = make(ret_run, path, cpus);
    }
    if (code != -1) run_test_release(ret_run);
    return code;
}

void run_test_release(struct run_test *run)
{
    for (uint32_t i = 0; run->files != NULL && i < run->testfile->providers_count; i++) {
        data_file_close(&run->files[i]);
    }
    loggers_free(run->loggers); /* They name what the test file holds. */
    testfile_free(run->testfile);
    plan_release(&run->cli.plan);
    *run = (struct run_test){0};
}
