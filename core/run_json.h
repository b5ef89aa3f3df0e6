/* run_json: the buckets of a test file's run for programs, an object per line (docs/running.md).
 * Pure: a bucket in, text out. Keys are promises, as those of the report.
 *
 * Threads: any. */
#ifndef CORE_RUN_JSON_H
#define CORE_RUN_JSON_H

#include "core/base/text.h"
#include "core/bucket.h"

struct result;

/* Appends the line that comes first. */
void run_json_start(const char *file, struct text *out);

/* Appends a line for each provider, one for each group in which something ended, and one of the
 * ledger. `start_wall_ns` is the start of the run. */
void run_json_bucket(const struct bucket *bucket, uint64_t start_wall_ns, struct text *out);

/* Appends the totals: a line for each group and one of the ledger, from the last bucket of a
 * run. */
void run_json_test(const struct bucket *last, uint64_t start_wall_ns, struct text *out);

/* Appends the report (core/report.h) as a line of its own. */
void run_json_report(const struct result *result, struct text *out);

/* Appends a line for people, on stderr: `type` is "warn", "end" or "fatal". The program's name
 * before the line is left away. */
void run_json_line(const char *type, const char *line, struct text *out);

#endif
