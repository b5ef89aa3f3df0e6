/* report_loggers: what became of the lines of a test file's loggers, for both reports. Private to
 * them. Nothing is said where there are none. Pure. */
#ifndef CORE_REPORT_LOGGERS_H
#define CORE_REPORT_LOGGERS_H

#include "core/base/err.h"
#include "core/base/text.h"
#include "core/result.h"

/* Which logger ended the test. */
void report_killer(const struct result *result, struct text *out);

/* "loggers" with what follows, a line each. */
void report_loggers(const struct result *result, struct text *out);

/* Tells which loggers' lines are not all where they belong; false if there are such. As with
 * reports on stdout, a reader that has gone does not want the rest. */
MUST_USE bool report_loggers_lost(const struct result *result,
                                  void (*tell)(const struct err_info *why));

/* The key "loggers" in the object that `json` is in. */
void report_loggers_json(const struct result *result, struct json *json);

#endif
