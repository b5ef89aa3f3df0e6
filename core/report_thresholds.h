/* report_thresholds: what became of a test file's thresholds, for people and for programs.
 *
 * Threads: main, after the run. */
#ifndef CORE_REPORT_THRESHOLDS_H
#define CORE_REPORT_THRESHOLDS_H

#include "core/base/text.h"
#include "core/result_test.h"

/* Appends a line for each; nothing for a run without. `test` may be NULL. */
void report_thresholds_text(const struct result_test *test, struct text *out);

/* Puts them under the key `thresholds`, unless there are none. `test` may be NULL. */
void report_thresholds_json(const struct result_test *test, struct json *json);

/* Appends a line of JSON for each. */
void report_thresholds_lines(const struct result_test *test, struct text *out);

#endif
