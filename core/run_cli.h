/* run_cli: `pelt run FILE`: a test file read, planned, and made ready to be run.
 *
 * Threads: main. */
#ifndef CORE_RUN_CLI_H
#define CORE_RUN_CLI_H

#include "core/cli.h"
#include "core/engine.h"
#include "core/run_plan.h"

/* A test file on its way to the engine. */
struct run_test {
    struct cli cli; /* What the command line says; its plan is the test\'s. */
    struct testfile *testfile;
    struct run_crews crews;
    struct data_file *files; /* By provider; in the plan's arena. */
    struct loggers *loggers; /* NULL: there are none. */
    struct engine_test test;
};

/* Reads `pelt run …` (argv[0] is "run"). Returns -1 when `ret_run` is ready, which the caller
 * gives back with run_test_release(); else an exit code: all that was wrong, or the help, has
 * been printed. `cpus` as for cli_parse(). */
int run_test_read(int argc, char **argv, uint32_t cpus, struct run_test *ret_run);

/* Another seed each time, so that two runs, or two machines, do not draw the same: below 2^53, so
 * that JSON carries it. */
uint64_t run_test_seed(void);

/* Reads a test file; what is wrong with it, or surely not meant, is printed. NULL if it is wrong.
 * `seed` is for what is drawn at random, unless the file gives one; `json`: as lines of JSON. */
struct testfile *run_test_load(const char *path, uint64_t seed, bool json);

/* Opens the data files of run->testfile, with memory of the plan's arena. As data_file_open(). */
MUST_USE enum err run_test_open_files(struct run_test *run, struct err_info *why);

void run_test_release(struct run_test *run);

#endif
