/* report_waits: which providers a test file's requests waited for, for both reports. Private to
 * them. Nothing is said where nobody waited. Pure. */
#ifndef CORE_REPORT_WAITS_H
#define CORE_REPORT_WAITS_H

#include "core/base/text.h"
#include "core/result_test.h"

/* "waits" with what follows, a line each. `test` may be NULL. */
void report_waits(const struct result_test *test, struct text *out);

/* The key "waits" in the object that `json` is in. `test` may be NULL. */
void report_waits_json(const struct result_test *test, struct json *json);

#endif
