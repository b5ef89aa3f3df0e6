/* run_text: the buckets of a test file's run for people (docs/running.md). Pure: a bucket in, text
 * out.
 *
 * Threads: any. */
#ifndef CORE_RUN_TEXT_H
#define CORE_RUN_TEXT_H

#include "core/base/text.h"
#include "core/bucket.h"

/* Appends what a bucket holds: providers, the figures of each group in which something ended,
 * connections, the ledger. */
void run_text_bucket(const struct bucket *bucket, struct text *out);

/* Appends the totals of each group, from the last bucket of a run. */
void run_text_test(const struct bucket *last, struct text *out);

#endif
