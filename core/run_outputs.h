/* run_outputs: what the run of a test file leaves behind besides what every run does: the buckets
 * on stdout and in the results file, thresholds, the end as a line of JSON.
 *
 * Threads: main. */
#ifndef CORE_RUN_OUTPUTS_H
#define CORE_RUN_OUTPUTS_H

#include "core/cli.h"
#include "core/result.h"
#include "core/results.h"
#include "core/run_console.h"

enum { RUN_SINKS_MAX = 2 };

struct run_outputs {
    bool json_lines;
    bool live;                   /* stderr has a live line. */
    struct run_console *console; /* NULL: stdout is not for it. */
    struct results *results;
    struct bucket_sink sinks[RUN_SINKS_MAX]; /* Who wants buckets; [sinks_count]. */
    uint32_t sinks_count;
};

/* Opens all, in the results directory, which is there; stdout is for the buckets only if
 * `has_stdout`. `cli` must outlive it. ERR_FILE, ERR_CONFIG, ERR_MEMORY, ERR_LIMIT;
 * run_outputs_release() then gives back what there is. */
MUST_USE enum err run_outputs_open(struct run_outputs *outputs, const struct cli *cli,
                                   bool has_stdout, struct err_info *why);

/* After the run: all that is still to be written, but the report for people. Each failure is given
 * to `tell`; false if there was one. */
MUST_USE bool run_outputs_write(struct run_outputs *outputs, const struct result *result,
                                void (*tell)(const struct err_info *why));

/* A zeroed one is fine. */
void run_outputs_release(struct run_outputs *outputs);

#endif
