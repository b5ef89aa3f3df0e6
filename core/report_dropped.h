/* report_dropped: which providers of a test file lost values, and why, for both reports. Private to
 * them. Nothing is said where none was lost. Pure. */
#ifndef CORE_REPORT_DROPPED_H
#define CORE_REPORT_DROPPED_H

#include "core/base/text.h"
#include "core/result_test.h"

/* "dropped" with what follows, a line for each provider. `test` may be NULL. */
void report_dropped(const struct result_test *test, struct text *out);

/* The key "dropped" in the object that `json` is in. `test` may be NULL. */
void report_dropped_json(const struct result_test *test, struct json *json);

#endif
