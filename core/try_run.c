#include "core/try_run.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/quote.h"
#include "core/engine.h"
#include "core/exit.h"
#include "core/logger.h"
#include "core/output.h"
#include "core/results_dir.h"
#include "core/signals.h"
#include "core/try_fates.h"
#include "core/try_print.h"
#include "core/try_records.h"
#include "io/wake.h"

enum {
    POLL_MS_MAX = 60 * 1000,
    DESCRIPTORS = 4096,           /* More than it opens connections. */
    GRACE_NS = 1000 * 1000 * 1000 /* From the end of the time to that of patience. */
};

/* A run on its way. */
struct trying {
    const struct try_line *line;
    struct try_model model;
    struct try_mask mask;
    struct try_print print;
    struct try_records records;
    struct trial trial;
    struct runner_observer observer;
    struct output output; /* With a file. */
    struct err_info why;
    int signal_fd;
    uint64_t until_ns; /* It is stopped then, at the latest. */
    bool interrupted;
    bool timed_out;
    bool write_failed;
};

static void tell(const struct err_info *why)
{
    (void)fprintf(stderr, "pelt: %s\n", why->message);
}

/* Prints what has come. */
static void print_records(struct trying *trying)
{
    const struct runner_seen *seen;

    while ((seen = try_records_take(&trying->records)) != NULL) {
        struct arena arena;
        struct err_info why;
        struct text out;

        arena_init(&arena, 0);
        text_init(&out, &arena);
        if (trying->line->json) {
            try_print_json(&trying->print, seen, &out);
        } else {
            try_print_human(&trying->print, seen, &out);
        }
        if (trying->line->output != NULL) {
            output_add(&trying->output, &out);
        } else if (!trying->write_failed && output_stream(STDOUT_FILENO, &out, &why) != ERR_OK) {
            trying->write_failed = true;
            tell(&why);
        }
        arena_release(&arena);
    }
}

static int wait_ms(const struct trying *trying)
{
    uint64_t now_ns = clock_now_ns();
    uint64_t left_ns = trying->until_ns - min_u64(trying->until_ns, now_ns);

    return (int)min_u64(left_ns / NS_PER_MS + 1, POLL_MS_MAX);
}

/* Ends the run at once. */
static void stop(struct engine *engine)
{
    engine_stop(engine);
    engine_stop(engine);
}

static void take_signal(struct trying *trying, struct engine *engine)
{
    struct signalfd_siginfo info;

    if (read(trying->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info)) return;
    if (trying->interrupted) _exit(EXIT_CODE_INTERRUPTED);
    trying->interrupted = true;
    stop(engine);
}

/* Prints until the run is over. */
static void follow(struct trying *trying, struct engine *engine)
{
    struct pollfd fds[] = {{.fd = engine_done_fd(engine), .events = POLLIN},
                           {.fd = trying->records.fd, .events = POLLIN},
                           {.fd = trying->signal_fd, .events = POLLIN}};

    while (fds[0].revents == 0) {
        if (poll(fds, COUNT(fds), wait_ms(trying)) < 0 && errno != EINTR) return;
        if (fds[1].revents & POLLIN) wake_clear(trying->records.fd);
        print_records(trying);
        if (fds[2].revents & POLLIN) take_signal(trying, engine);
        if (!trying->timed_out && clock_now_ns() >= trying->until_ns) {
            trying->timed_out = true;
            stop(engine);
        }
    }
}

/* Tells of lines of loggers that are not where they belong. */
static void look_at_logs(struct trying *trying, const struct run_test *run)
{
    uint32_t count = run->loggers == NULL ? 0 : loggers_count(run->loggers);

    for (uint32_t i = 0; i < count; i++) {
        struct logger_figures figures;

        loggers_figures(run->loggers, i, &figures);
        if (figures.lost == 0) continue;
        (void)fprintf(stderr, "pelt: logger '%s': %" PRIu64 " lines are not in '%s'%s%s\n",
                      quote(figures.name).text, figures.lost, quote(figures.to).text,
                      figures.error == 0 ? "" : ": ",
                      figures.error == 0 ? "" : strerror(figures.error));
        trying->write_failed = true;
    }
}

/* EXIT_CODE_OK, or what the run came to. */
static int finish(struct trying *trying, struct engine *engine, const struct run_test *run)
{
    const struct result *result = NULL;
    struct err_info why;

    if (engine_finish(engine, &result, &why) != ERR_OK) {
        tell(&why);
        return EXIT_CODE_ERROR;
    }
    print_records(trying);
    look_at_logs(trying, run);
    if (result->end == END_KILLED) {
        (void)fprintf(stderr, "pelt: ended by the logger '%s'\n",
                      quote(loggers_killer(run->loggers)).text);
        return EXIT_CODE_KILLED;
    }
    if (result->end != END_BROKEN) return EXIT_CODE_OK;
    tell(result->broken);
    return EXIT_CODE_ERROR;
}

/* Says what was not as it should be; returns the exit code of what was. */
static int judge(struct trying *trying)
{
    struct try_verdict verdict;
    struct err_info why;
    struct arena arena;
    struct text out;

    arena_init(&arena, 0);
    text_init(&out, &arena);
    verdict = try_fates_tell(&trying->model, &trying->trial,
                             trying->timed_out || !trying->trial.is_over, &out);
    if (out.len > 0 || out.failed) (void)!output_stream(STDERR_FILENO, &out, &why);
    arena_release(&arena);
    if (trying->interrupted) return EXIT_CODE_INTERRUPTED;
    if (verdict.failed > 0) return EXIT_CODE_ERROR;
    return trying->line->strict && verdict.not_called > 0 ? EXIT_CODE_ERROR : EXIT_CODE_OK;
}

/* EXIT_CODE_OK, or that of an output that is not whole. */
static int close_output(struct trying *trying)
{
    uint32_t lost = load_relaxed(&trying->records.lost);
    struct err_info why;

    if (lost > 0) {
        (void)fprintf(stderr, "pelt: no memory to print %u of the requests\n", lost);
        trying->write_failed = true;
    }
    if (output_close(&trying->output, &why) != ERR_OK) {
        tell(&why);
        trying->write_failed = true;
    }
    return trying->write_failed ? EXIT_CODE_OUTPUT : EXIT_CODE_OK;
}

static int run_engine(struct trying *trying, const struct run_test *run)
{
    struct engine_options options = {.plan = &run->cli.plan, .test = &run->test, .quiet = true};
    struct engine *engine = NULL;
    struct err_info why;
    int code, closed;

    trying->until_ns = clock_now_ns() + trying->line->timeout_ns + GRACE_NS;
    if (engine_start(&engine, &options, &why) != ERR_OK) {
        tell(&why);
        return EXIT_CODE_ERROR;
    }
    follow(trying, engine);
    code = finish(trying, engine, run);
    engine_free(engine);
    if (code == EXIT_CODE_OK) code = judge(trying);
    closed = close_output(trying);
    return code == EXIT_CODE_OK ? closed : code;
}

/* What the runner is told of the run. */
static bool make_trial(struct trying *trying, struct arena *arena)
{
    const struct testfile *test = &trying->model.test;
    bool *chosen = arena_array(arena, test->endpoints_count, sizeof(*chosen));

    trying->trial.fates = arena_array(arena, test->endpoints_count, sizeof(struct trial_fate));
    trying->trial.was_fed = arena_array(arena, test->providers_count, sizeof(bool));
    trying->trial.chosen = chosen;
    trying->trial.scores = trying->model.scores;
    for (uint32_t i = 0; chosen != NULL && i < test->endpoints_count; i++) {
        chosen[i] = trying->model.roles[i] == TRY_CHOSEN;
    }
    trying->observer = (struct runner_observer){.self = &trying->records, .seen = try_records_add};
    return chosen != NULL && trying->trial.fates != NULL && trying->trial.was_fed != NULL;
}

static enum err open_loggers(struct trying *trying, struct run_test *run)
{
    struct loggers_options options = {
        .test = &trying->model.test, .directory = trying->line->results_dir, .workers = 1};
    enum err err = ERR_OK;

    if (options.directory != NULL) err = results_dir_make(options.directory, &trying->why);
    if (err == ERR_OK) err = loggers_new(&run->loggers, &options, &trying->why);
    run->test.loggers = run->loggers;
    trying->write_failed = err == ERR_FILE;
    return err;
}

static enum err prepare(struct trying *trying, const struct try_graph *graph,
                        const enum try_role *roles, struct run_test *run, struct arena *arena)
{
    const struct run_machine machine = {.cpus = 1, .descriptors = DESCRIPTORS};
    const struct try_line *line = trying->line;
    struct plan *plan = &run->cli.plan;
    struct err_info *why = &trying->why;
    enum err err;

    if (!try_model_make(&trying->model, graph, roles, line->loggers, line->timeout_ns, arena) ||
        !try_mask_make(&trying->mask, run->testfile, line->show_secrets, arena) ||
        !make_trial(trying, arena)) {
        return err_set(why, ERR_MEMORY, ENOMEM, "no memory for the run");
    }
    err = run_plan_make(plan, &trying->model.test, &machine, &run->crews, why);
    if (err == ERR_OK) err = run_test_open_files(run, why);
    if (err != ERR_OK) return err;
    if (line->loggers && trying->model.test.loggers_count > 0) err = open_loggers(trying, run);
    if (err != ERR_OK) return err;
    err = output_open(&trying->output, line->output, why);
    trying->write_failed = err != ERR_OK;
    if (err != ERR_OK) return err;
    plan->io = line->io;
    plan->drain_ns = 0;
    trying->print = (struct try_print){.test = &trying->model.test,
                                       .mask = &trying->mask,
                                       .skips_request_body = line->skip_request_body,
                                       .skips_response_body = line->skip_response_body};
    run->test.test = &trying->model.test;
    run->test.crews = &run->crews;
    run->test.files = run->files;
    run->test.trial = &trying->trial;
    run->test.observer = &trying->observer;
    return try_records_open(&trying->records, why);
}

int try_run(const struct try_line *line, const struct try_graph *graph, const enum try_role *roles,
            struct run_test *run, struct arena *arena)
{
    struct trying trying = {.line = line, .output = {.fd = -1}, .signal_fd = -1};
    enum err err = prepare(&trying, graph, roles, run, arena);
    int code;

    if (err != ERR_OK) {
        (void)fprintf(stderr, "pelt: %s: %s\n", quote(line->file).text, trying.why.message);
        code = trying.write_failed ? EXIT_CODE_OUTPUT : EXIT_CODE_ERROR;
    } else {
        trying.signal_fd = signals_take();
        code = run_engine(&trying, run);
        if (trying.signal_fd >= 0) (void)close(trying.signal_fd);
        try_records_release(&trying.records);
    }
    return code;
}
