/* main: the program. Reads the command line, starts a run, waits for signals, prints. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "core/check_cli.h"
#include "core/cli.h"
#include "core/cli_wrk.h"
#include "core/engine.h"
#include "core/exit.h"
#include "core/live.h"
#include "core/output.h"
#include "core/outputs.h"
#include "core/preflight.h"
#include "core/run_cli.h"
#include "core/run_json.h"
#include "core/serve.h"
#include "core/signals.h"
#include "core/try_cli.h"
#include "io/cpu.h"

static void print_error(const struct err_info *why)
{
    bool hint = why->code == ERR_USAGE && strstr(why->message, "--help") == NULL;

    (void)fprintf(stderr, "pelt: %s%s\n", why->message, hint ? " (see pelt --help)" : "");
}

/* The same as JSON. */
static void print_error_json(const struct err_info *why)
{
    struct err_info ignored;
    struct arena arena;
    struct text text;

    arena_init(&arena, 0);
    text_init(&text, &arena);
    run_json_line("fatal", why->message, &text);
    (void)!output_stream(STDERR_FILENO, &text, &ignored);
    arena_release(&arena);
}

/* Prints an error in the form that the command line asks for. */
static void tell_error(const struct cli *cli, const struct err_info *why)
{
    if (cli->json_lines) {
        print_error_json(why);
    } else {
        print_error(why);
    }
}

/* Until the run is over: a first signal stops it, a second ends it, a third ends us. */
static void wait_for_end(struct engine *engine, int signal_fd, bool live)
{
    struct pollfd fds[] = {{.fd = engine_done_fd(engine), .events = POLLIN},
                           {.fd = signal_fd, .events = POLLIN}};
    int stops = 0;

    for (;;) {
        struct signalfd_siginfo info;

        if (poll(fds, COUNT(fds), -1) < 0 && errno != EINTR) return;
        if (fds[0].revents != 0) return;
        if (!(fds[1].revents & POLLIN)) continue;
        if (read(signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info)) continue;
        if (++stops <= 2) {
            engine_stop(engine);
            continue;
        }
        if (live) (void)fputs(LIVE_ERASE, stderr);
        _exit(EXIT_CODE_INTERRUPTED);
    }
}

/* Writes all results. Returns the exit code: that of the run; of a good one EXIT_CODE_OUTPUT when
 * it could not be written down, and with --strict EXIT_CODE_CLIENT_LIMITED when the client was the
 * limit. */
static int write_result(const struct cli *cli, const struct result *result, struct outputs *outputs)
{
    bool written =
        outputs_write(outputs, cli, result, cli->json_lines ? print_error_json : print_error);
    int code = result_exit_code(result);

    if (result->end == END_BROKEN && !cli->silent) tell_error(cli, result->broken);
    if (result->end == END_DEADLOCK && !cli->silent) {
        struct err_info why;

        (void)!err_set(&why, ERR_CONFIG, 0, "nothing can go on: %s", result->deadlock);
        tell_error(cli, &why);
    }
    /* wrk ends well, whatever became of the requests. */
    if (cli->as_wrk && code != EXIT_CODE_LEDGER) code = EXIT_CODE_OK;
    if (code != EXIT_CODE_OK) return code;
    if (!written) return EXIT_CODE_OUTPUT;
    return cli->strict && result->verdict.client_limited ? EXIT_CODE_CLIENT_LIMITED : code;
}

static int finish(const struct cli *cli, struct engine *engine, struct outputs *outputs)
{
    const struct result *result = NULL;
    struct err_info why;

    if (engine_finish(engine, &result, &why) == ERR_OK) return write_result(cli, result, outputs);
    if (!cli->silent) tell_error(cli, &why);
    return why.errno_value == EINTR ? EXIT_CODE_INTERRUPTED : EXIT_CODE_ERROR;
}

static int run_into(const struct cli *cli, struct outputs *outputs, int signal_fd)
{
    struct engine_options options = {
        .plan = &cli->plan,
        .test = cli->test,
        .quiet = cli->quiet,
        .terse = cli->terse,
        .verbose = cli->verbose,
        .live = !cli->quiet && !cli->as_wrk && live_is_possible(STDERR_FILENO),
        .colours = live_wants_colours(),
        .record = outputs->record,
        .sinks = outputs->run.sinks,
        .sinks_count = outputs->run.sinks_count,
        .json_lines = cli->json_lines,
        .rates = cli->format == CLI_FORMAT_WRK,
    };
    struct engine *engine = NULL;
    struct err_info why;
    int code;

    if (engine_start(&engine, &options, &why) != ERR_OK) {
        tell_error(cli, &why);
        return EXIT_CODE_ERROR;
    }
    wait_for_end(engine, signal_fd, options.live);
    code = finish(cli, engine, outputs);
    engine_free(engine);
    return code;
}

static int run(const struct cli *cli)
{
    int signal_fd = signals_take(), code;
    struct outputs outputs;
    struct err_info why;
    enum err err;

    preflight_raise_descriptors();
    err = outputs_open(&outputs, cli, &why);
    if (err != ERR_OK) {
        tell_error(cli, &why);
        return err == ERR_FILE ? EXIT_CODE_OUTPUT : EXIT_CODE_ERROR;
    }
    code = outputs_begin(cli, print_error) ? run_into(cli, &outputs, signal_fd) : EXIT_CODE_OUTPUT;
    outputs_release(&outputs);
    if (signal_fd >= 0) (void)close(signal_fd);
    return code;
}

static void write_about(const struct cli *cli, struct text *out)
{
    if (cli->help) {
        cli_help(out);
    } else if (cli->version) {
        cli_version(out);
    } else if (cli->man) {
        cli_man(out);
    } else {
        cli_completions(cli->shell, out);
    }
}

/* What the program says about itself. */
static int print_about(const struct cli *cli)
{
    struct err_info why;
    struct arena arena;
    struct text text;
    enum err err;

    arena_init(&arena, 0);
    text_init(&text, &arena);
    write_about(cli, &text);
    err = output_stream(STDOUT_FILENO, &text, &why);
    if (err != ERR_OK) print_error(&why);
    arena_release(&arena);
    return err == ERR_OK ? EXIT_CODE_OK : EXIT_CODE_OUTPUT;
}

static int run_test(int argc, char **argv)
{
    uint32_t cpus[CPUS_MAX];
    struct run_test test;
    int code = run_test_read(argc, argv, cpu_allowed(cpus, CPUS_MAX), &test);

    if (code != -1) return code;
    code = run(&test.cli);
    run_test_release(&test);
    return code;
}

static int run_as_wrk(int argc, char **argv, uint32_t cpus)
{
    struct cli cli;
    int code = cli_wrk_parse(argc, argv, cpus, &cli);

    if (code != -1) return code;
    code = run(&cli);
    cli_release(&cli);
    return code;
}

int main(int argc, char **argv)
{
    uint32_t cpus[CPUS_MAX];
    struct err_info why;
    struct cli cli;
    int code;

    output_hold_streams();
    if (cli_is_wrk(argv[0])) return run_as_wrk(argc, argv, cpu_allowed(cpus, CPUS_MAX));
    if (argc > 1 && strcmp(argv[1], "serve") == 0) return serve_main(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "check") == 0) return check_main(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "run") == 0) return run_test(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "try") == 0) return try_main(argc - 1, argv + 1);
    if (cli_parse(argc, argv, cpu_allowed(cpus, CPUS_MAX), &cli, &why) != ERR_OK) {
        print_error(&why);
        return exit_code_of(why.code);
    }
    code = cli_is_about(&cli) ? print_about(&cli) : run(&cli);
    cli_release(&cli);
    return code;
}
