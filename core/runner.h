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
struct result_dropped;
struct worker_load;
struct loggers;
struct trial;
struct barter;

/* An exchange at its end, as an observer sees it. All is good for the call only. */
struct runner_seen {
    uint32_t endpoint; /* Of the test. */
    const char *sent;  /* The request's bytes; NULL: it was not sent. */
    size_t sent_len;
    const char *head; /* The answer's, with the empty line; NULL: none came. */
    size_t head_len;
    const char *body;
    size_t body_len;
    bool body_is_cut; /* It was too large to be kept whole. */
    uint16_t status;  /* 0: no answer. */
    uint64_t due_ns, sent_ns, done_ns;
    const char *failed; /* The name of its class of failure (io/failed.h); NULL: it has not. */
    const char *error;  /* Why it could not be built; NULL: it was. */
};

/* Called on the worker's thread at the end of each exchange, before its values go back. */
struct runner_observer {
    void *self;
    void (*seen)(void *self, const struct runner_seen *seen);
};

/* What all workers of a test share, made before they are. */
struct runner_options {
    const struct testfile *test;
    const struct data_file *files;  /* By provider of the test; [providers_count]. */
    struct reader *reader;          /* NULL: no file is read. */
    const uint32_t *crews;          /* By endpoint: how many workers share it … */
    const uint32_t *owners;         /* … and if it is one: which. */
    const uint32_t *provider_crews; /* The same of providers. */
    const uint32_t *provider_owners;
    struct loggers *loggers;                /* NULL: nothing is logged. */
    uint64_t memory_bytes;                  /* For values and requests on their way. */
    const struct runner_observer *observer; /* NULL: none. */
    const struct barter *barter; /* Of components that are split; NULL: values stay apart. */
    struct trial *trial; /* It is run for its answers (core/runner_trial.h); NULL: it is not. */
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

/* Who waits for whose value. Zeroed, the first one is next. */
struct runner_wait {
    uint32_t next_endpoint, next_place;
    uint32_t endpoint, provider; /* Of the test. */
};

/* The next one who waits; false when there is none left. Worker's thread. */
bool runner_next_wait(const struct runner *runner, struct runner_wait *wait);

/* The chain of those who waited for each other when nothing could go on; NULL: that was not. Valid
 * once the worker has ended. */
const char *runner_deadlock(const struct runner *runner);

/* Adds values that came to nothing in this worker's part of provider `index` (0-based). Once the
 * worker has ended. */
void runner_add_dropped(const struct runner *runner, uint32_t index, struct result_dropped *sum);

/* The first provider that was used up while somebody waited for it; NULL: none was. As above. */
const char *runner_ran_dry(const struct runner *runner);

#endif
