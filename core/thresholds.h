/* thresholds: the conditions of a test file, held against what its run found.
 *
 * A threshold without tags is about all requests, one with tags about the groups whose tags are as
 * it says, '*' standing for any text. A latency of which nothing was measured meets no threshold;
 * nor does one below a bound if it is known only to be "at least" that, because of requests that
 * have none (core/report_latency.h).
 *
 * Threads: main, after the run. */
#ifndef CORE_THRESHOLDS_H
#define CORE_THRESHOLDS_H

#include "core/result.h"
#include "core/result_test.h"

struct testfile;

/* Judges all thresholds of `test` into `ret_test`, whose `last` bucket and the result's other
 * figures are complete. Memory from `arena`; false when that refuses. */
MUST_USE bool thresholds_judge(const struct testfile *test, const struct result *result,
                               struct arena *arena, struct result_test *ret_test);

#endif
