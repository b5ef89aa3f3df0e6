/* engine: one run of a plan: threads started, joined, and what they found.
 *
 * engine_start() returns at once; the caller keeps its signals and its loop and watches
 * engine_done_fd(). No global state: several engines may run in one process.
 *
 * Threads: all functions from the thread that started it. */
#ifndef CORE_ENGINE_H
#define CORE_ENGINE_H

#include "core/bucket.h"
#include "core/result.h"

struct engine;

struct testfile;
struct run_crews;
struct data_file;
struct loggers;
struct runner_observer;
struct trial;

/* A test file to be run; all must outlive the engine. */
struct engine_test {
    const struct testfile *test;
    const struct run_crews *crews;
    const struct data_file *files;          /* By provider; those that read none have fd -1. */
    bool reads_files;                       /* Some provider does. */
    const struct runner_observer *observer; /* As in core/runner.h. */
    struct loggers *loggers; /* NULL: nothing is logged. The engine starts and ends them. */
    struct trial *trial;     /* The same. */
};

struct engine_options {
    const struct plan *plan;        /* Must outlive the engine. */
    const struct engine_test *test; /* The plan is that of a test file; else NULL. */
    bool quiet;                     /* No lines on stderr while it runs. */
    bool terse;                     /* Only those that are warnings. */
    bool verbose;                   /* More lines: addresses, rings, processors. */
    bool live;                      /* A live line on stderr, which must be a terminal. */
    bool colours;                   /* The live line may have colours. */
    struct record *record; /* Gets the series as it comes; borrowed until engine_finish() has
                              returned. NULL: none. */
    const struct bucket_sink *sinks; /* Get the buckets of a test file; [sinks_count]; as long. */
    uint32_t sinks_count;
    bool json_lines; /* Lines on stderr are JSON, an object each. */
    bool rates;      /* result.per_s is wanted. */
};

/* Starts resolving, then the workers, then the run. ERR_LIMIT, ERR_MEMORY at once; what fails
 * later is told by engine_finish(). */
MUST_USE enum err engine_start(struct engine **ret_engine, const struct engine_options *options,
                               struct err_info *why);

/* Becomes readable when the run is over. */
int engine_done_fd(const struct engine *engine);

/* The first time: nothing more becomes due, outstanding answers are awaited. The second time: the
 * run ends at once. Async-signal-safe. */
void engine_stop(struct engine *engine);

/* Waits for the end, joins all threads, and hands out what was found; `ret_result` lives until
 * engine_free(). ERR_RESOLVE, ERR_LIMIT, ERR_KERNEL …: there was no run. */
MUST_USE enum err engine_finish(struct engine *engine, const struct result **ret_result,
                                struct err_info *why);

/* After engine_finish(). NULL is fine. */
void engine_free(struct engine *engine);

#endif
