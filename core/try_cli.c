#include "core/try_cli.h"

#include <stdio.h>
#include <unistd.h>

#include "core/base/quote.h"
#include "core/exit.h"
#include "core/output.h"
#include "core/run_cli.h"
#include "core/subcommand.h"
#include "core/try_plan.h"
#include "core/try_run.h"

enum { ARENA_BYTES_MAX = 1 << 30 };

static int no_memory(const struct try_line *line)
{
    (void)fprintf(stderr, "pelt: no memory for '%s'\n", quote(line->file).text);
    return EXIT_CODE_ERROR;
}

/* Sets the role of those that the filters choose; false without memory. */
static bool choose(const struct try_line *line, const struct testfile *test, enum try_role *roles,
                   struct arena *arena)
{
    for (uint32_t i = 0; i < test->endpoints_count; i++) {
        bool matches = line->filters_count == 0;

        for (uint32_t f = 0; f < line->filters_count && !matches; f++) {
            if (!try_filter_matches(&line->filters[f], &test->endpoints[i], i, arena, &matches)) {
                return false;
            }
        }
        roles[i] = matches ? TRY_CHOSEN : TRY_LEFT_OUT;
    }
    return true;
}

/* Tells of chosen endpoints that can never be called, and leaves them out; EXIT_CODE_OK if there
 * are none, and something is chosen at all. */
static int refuse(const struct try_line *line, const struct try_graph *graph, enum try_role *roles,
                  struct arena *arena)
{
    uint32_t chosen = 0, refused = 0;
    struct text out;

    text_init(&out, arena);
    for (uint32_t i = 0; i < graph->test->endpoints_count; i++) {
        if (roles[i] != TRY_CHOSEN) continue;
        chosen++;
        if (graph->scores[i] != TRY_NONE) continue;
        refused++;
        roles[i] = TRY_LEFT_OUT;
        text_printf(&out, "pelt: %s: can never be called: ", quote(line->file).text);
        try_graph_chain(graph, i, &out);
        text_add_str(&out, "\n");
    }
    if (chosen == 0) {
        text_printf(&out, "pelt: %s: no endpoint is what --include says\n", quote(line->file).text);
    }
    (void)subcommand_print(STDERR_FILENO, &out);
    return chosen == 0 || refused > 0 ? EXIT_CODE_ERROR : EXIT_CODE_OK;
}

static int print_plan(const struct try_line *line, const struct try_graph *graph,
                      const enum try_role *roles, struct arena *arena)
{
    struct output output;
    struct err_info why;
    struct text out;

    text_init(&out, arena);
    if (line->json) {
        try_plan_json(graph, roles, &out);
    } else {
        try_plan_human(graph, roles, &out);
    }
    if (line->output == NULL) return subcommand_print(STDOUT_FILENO, &out);
    if (output_open(&output, line->output, &why) == ERR_OK &&
        output_write(&output, &out, &why) == ERR_OK) {
        return EXIT_CODE_OK;
    }
    (void)fprintf(stderr, "pelt: %s\n", why.message);
    return EXIT_CODE_OUTPUT;
}

static int try_file(const struct try_line *line, struct run_test *run, struct arena *arena)
{
    const struct testfile *test = run->testfile;
    struct try_graph graph;
    enum try_role *roles = arena_array(arena, test->endpoints_count, sizeof(*roles));
    int code, printed;

    if (roles == NULL || !try_graph_make(&graph, test, arena) ||
        !choose(line, test, roles, arena)) {
        return no_memory(line);
    }
    code = refuse(line, &graph, roles, arena);
    if (code != EXIT_CODE_OK && !line->plan) return code;
    if (!try_graph_choose(&graph, roles, line->all_feeders, arena)) return no_memory(line);
    if (!line->plan) return try_run(line, &graph, roles, run, arena);
    printed = print_plan(line, &graph, roles, arena);
    return printed == EXIT_CODE_OK ? code : printed;
}

static int try_with(int argc, char **argv, struct arena *arena)
{
    struct run_test run = {0};
    struct try_line line;
    struct text help;
    int code = try_line_read(argc, argv, arena, &line);

    if (code != EXIT_CODE_OK) return code;
    if (line.help) {
        text_init(&help, arena);
        text_add_str(&help, try_usage);
        return subcommand_print(STDOUT_FILENO, &help);
    }
    plan_init(&run.cli.plan);
    run.cli.plan.seed = run_test_seed();
    run.testfile = run_test_load(line.file, run.cli.plan.seed, line.json);
    code = run.testfile == NULL ? EXIT_CODE_ERROR : try_file(&line, &run, arena);
    run_test_release(&run);
    return code;
}

int try_main(int argc, char **argv)
{
    struct arena arena;
    int code;

    arena_init(&arena, ARENA_BYTES_MAX);
    code = try_with(argc, argv, &arena);
    arena_release(&arena);
    return code;
}
