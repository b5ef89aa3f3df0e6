/* runner: a worker's load when it runs a test file: endpoints with rates of their own, and values
 * that flow into requests and out of answers (docs/test-file.md).
 *
 * Threads: the worker's. */
#ifndef CORE_RUNNER_H
#define CORE_RUNNER_H

#include "config/testfile.h"
#include "core/base/err.h"
#include "core/data_file.h"
#include "core/reader.h"

struct runner;
struct worker;
struct worker_load;
struct loggers;

/* What all workers of a test share, made before they are. */
struct runner_options {
    const struct testfile *test;
    const struct data_file *files;  /* By provider of the test; [providers_count]. */
    struct reader *reader;          /* NULL: no file is read. */
    const uint32_t *crews;          /* By endpoint: how many workers share it … */
    const uint32_t *owners;         /* … and if it is one: which. */
    const uint32_t *provider_crews; /* The same of providers. */
    const uint32_t *provider_owners;
    struct loggers *loggers; /* NULL: nothing is logged. */
    uint64_t memory_bytes;   /* For values and requests on their way. */
};

/* Makes the runner of a worker whose pools are there; all its memory comes from the worker's arena.
 * ERR_MEMORY, ERR_CONFIG. */
MUST_USE enum err runner_new(struct runner **ret_runner, struct worker *worker,
                             const struct runner_options *options, struct err_info *why);

extern const struct worker_load runner_load;

/* Why the run has to end, if it has to: a bad record of a data file, say. ERR_OK while all is well.
 */
enum err runner_failure(const struct runner *runner, struct err_info *ret_why);

/* True once a logger with `kill` has ended the test. */
bool runner_is_killed(const struct runner *runner);

#endif
