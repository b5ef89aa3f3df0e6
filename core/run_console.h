/* run_console: what `pelt run` prints on stdout while a test file runs: the buckets, for people or
 * as JSON (core/run_text.h, core/run_json.h), and the totals.
 *
 * Buckets are written by a thread of their own, so that a slow reader of stdout holds nobody up;
 * while one is RUN_CONSOLE_BYTES behind, buckets are left away and counted. The last one is never
 * left away: it is written by run_console_end().
 *
 * Threads: main, but for what its sink does on the coordinator's. */
#ifndef CORE_RUN_CONSOLE_H
#define CORE_RUN_CONSOLE_H

#include "core/base/err.h"
#include "core/bucket.h"

struct run_console;

/* Room for several buckets of as many groups as there may be, with tags of some length. */
enum { RUN_CONSOLE_BYTES = 16 << 20 };

struct run_console_options {
    const char *file; /* The test file, as it was named. Must outlive the console. */
    bool json;
    bool erases; /* A live line may stand where text is to stand: stdout is its terminal too. */
};

/* Starts its thread. ERR_MEMORY, ERR_LIMIT. */
MUST_USE enum err run_console_new(struct run_console **ret_console,
                                  const struct run_console_options *options, struct err_info *why);

/* Who gives it buckets; good until run_console_free(). */
struct bucket_sink run_console_sink(struct run_console *console);

/* After the run: waits until all is written, the last bucket and the totals too. ERR_FILE when
 * something could not be, ERR_MEMORY; a reader that has gone is no error. Once. */
MUST_USE enum err run_console_end(struct run_console *console, struct err_info *why);

/* NULL is fine. */
void run_console_free(struct run_console *console);

#endif
