/* `pelt check FILE`: reads a test file as a run would, says all that is wrong with it, and what it
 * would do. Diagnostics go to stderr, as a compiler's do; with --format json everything is one
 * JSON object per line on stdout. */
#include "core/check_cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/load.h"
#include "config/schema.h"
#include "core/base/clock.h"
#include "core/base/quote.h"
#include "core/base/units.h"
#include "core/exit.h"
#include "core/mod_interval.h"
#include "core/subcommand.h"

enum { DIAGS_BYTES_MAX = 64 * 1024 * 1024 };

struct check_line {
    const char *file;
    const char *key; /* Of --help KEY. */
    bool json;
    bool help;
    bool reference;
};

static const char usage[] =
    "usage: pelt check FILE [--format human|json]\n"
    "       pelt check --help KEY\n"
    "\n"
    "Reads a test file and all that it includes, and says what is wrong with it: every\n"
    "error with its line, and what is legal but surely not meant as warnings.\n"
    "\n"
    "  -f, --format FORMAT  human (default), or json: an object per line on stdout\n"
    "  -h, --help [KEY]     this text, or what a key of the test file means, for instance\n"
    "                       peak_load or config.client.request_timeout\n"
    "      --reference      the whole reference of the test file, Markdown\n"
    "\n"
    "Exit status: 0 the file is right, 1 it is not, 64 wrong command line, 74 the output could\n"
    "not be written.\n";

static const char *environment(void *context, const char *name)
{
    (void)context;
    return getenv(name);
}

enum option { FORMAT, HELP, REFERENCE };

static const struct subcommand_option line_options[] = {
    [FORMAT] = {"format", "human or json", 'f'},
    [HELP] = {"help", "[KEY]", 'h'},
    [REFERENCE] = {"reference", NULL, 0},
};

/* Reads the command line; EXIT_CODE_OK if it is right. */
static int read_line(int argc, char **argv, struct check_line *ret_line)
{
    struct subcommand_line line =
        subcommand_begin("check", line_options, COUNT(line_options), argc, argv);
    const char *value;
    int option;

    while ((option = subcommand_next(&line, &value)) != SUBCOMMAND_END) {
        if (option == SUBCOMMAND_WRONG) return EXIT_CODE_USAGE;
        if (option == HELP) {
            ret_line->help = true;
            ret_line->key = value;
            return EXIT_CODE_OK;
        }
        if (option == REFERENCE) {
            ret_line->reference = true;
            continue;
        }
        ret_line->json = strcmp(value, "json") == 0;
        if (!ret_line->json && strcmp(value, "human") != 0) {
            return subcommand_wants(&line, option, value);
        }
    }
    ret_line->file = line.file;
    if (line.file != NULL || ret_line->reference) return EXIT_CODE_OK;
    return subcommand_wrong("check", "no file given", NULL);
}

/* --help, --help KEY, --reference. */
static int print_help(const struct check_line *line, struct text *out)
{
    const char *like;

    if (line->reference) {
        schema_reference(out);
    } else if (line->key == NULL) {
        text_add_str(out, usage);
    } else if (!schema_help(line->key, out)) {
        like = schema_help_nearest(line->key);
        (void)fprintf(stderr, "pelt: unknown key '%s'%s%s%s\n", quote(line->key).text,
                      like == NULL ? "" : "; did you mean '", like == NULL ? "" : like,
                      like == NULL ? "" : "'?");
        return EXIT_CODE_USAGE;
    }
    return subcommand_print(STDOUT_FILENO, out);
}

/* Hits of all endpoints with a rate; false when memory is refused. */
static bool count_hits(const struct testfile *file, struct arena *arena, uint64_t *ret_hits)
{
    struct mod_interval mod;

    *ret_hits = 0;
    for (uint32_t i = 0; i < file->endpoints_count; i++) {
        const struct testfile_endpoint *endpoint = &file->endpoints[i];

        if (!endpoint->has_peak_load) continue;
        if (!mod_interval_init(&mod, arena, endpoint->stages, endpoint->stages_count)) return false;
        *ret_hits += mod_interval_hits(&mod);
    }
    return true;
}

static void add_count(struct text *out, uint32_t count, const char *one, const char *many)
{
    char number[UNITS_TEXT_MAX];

    text_printf(out, ", %s %s", units_grouped(number, count), count == 1 ? one : many);
}

/* One line on what the file would do. */
static void add_summary(const struct testfile *file, const struct diags *diags, struct arena *arena,
                        struct text *out)
{
    char number[UNITS_TEXT_MAX];
    uint64_t hits;

    if (!count_hits(file, arena, &hits)) {
        out->failed = true;
        return;
    }
    text_printf(out, "%s: right%s", diags->sources[0].name, diags->warnings > 0 ? " but" : "");
    if (diags->warnings > 0) {
        text_printf(out, " for %u warning%s", diags->warnings, diags->warnings == 1 ? "" : "s");
    }
    add_count(out, file->endpoints_count, "endpoint", "endpoints");
    add_count(out, file->providers_count, "provider", "providers");
    add_count(out, file->loggers_count, "logger", "loggers");
    if (hits > 0) {
        text_printf(out, ", %s %s", units_grouped(number, hits), hits == 1 ? "hit" : "hits");
    }
    if (file->duration_ns > 0) text_printf(out, " in %s", units_time(number, file->duration_ns));
    text_add(out, "\n", 1);
}

static void add_json_summary(const struct testfile *file, const struct diags *diags,
                             struct arena *arena, struct text *out)
{
    struct json json;
    uint64_t hits = 0;

    if (file != NULL && !count_hits(file, arena, &hits)) out->failed = true;
    json_init(&json, out, true);
    json_object(&json);
    json_put_str(&json, "level", "summary");
    json_put_str(&json, "file", diags->sources[0].name);
    json_put_u64(&json, "errors", diags->errors);
    json_put_u64(&json, "warnings", diags->warnings);
    if (file != NULL) {
        json_put_u64(&json, "endpoints", file->endpoints_count);
        json_put_u64(&json, "providers", file->providers_count);
        json_put_u64(&json, "loggers", file->loggers_count);
        json_put_u64(&json, "hits", hits);
        json_put_u64(&json, "duration_ns", file->duration_ns);
    }
    json_end(&json);
}

static int check_file(const struct check_line *line, struct arena *arena)
{
    struct testfile_options options = {.environment = environment, .wall_ns = clock_wall_ns()};
    struct text out, told;
    struct diags diags;
    struct testfile *file;
    int code;

    options.seed = clock_now_ns();
    text_init(&out, arena);
    text_init(&told, arena);
    diags_init(&diags, arena);
    file = testfile_load(line->file, &options, &diags);
    if (diags.failed) {
        (void)fprintf(stderr, "pelt: no memory for '%s'\n", quote(line->file).text);
        return EXIT_CODE_ERROR;
    }
    if (line->json) {
        diags_json(&diags, &out);
        add_json_summary(file, &diags, arena, &out);
    } else {
        diags_human(&diags, &told);
        if (file != NULL) {
            add_summary(file, &diags, arena, &out);
        } else {
            text_printf(&told, "%u error%s, %u warning%s\n", diags.errors,
                        diags.errors == 1 ? "" : "s", diags.warnings,
                        diags.warnings == 1 ? "" : "s");
        }
    }
    code = subcommand_print(STDERR_FILENO, &told);
    if (code == EXIT_CODE_OK) code = subcommand_print(STDOUT_FILENO, &out);
    if (code == EXIT_CODE_OK && file == NULL) code = EXIT_CODE_ERROR;
    testfile_free(file);
    return code;
}

int check_main(int argc, char **argv)
{
    struct check_line line = {0};
    struct arena arena;
    struct text out;
    int code = read_line(argc, argv, &line);

    if (code != EXIT_CODE_OK) return code;
    arena_init(&arena, DIAGS_BYTES_MAX);
    text_init(&out, &arena);
    code = line.help || line.reference ? print_help(&line, &out) : check_file(&line, &arena);
    arena_release(&arena);
    return code;
}
