/* report: what a run found, for people and for programs. What each line and key means stands in
 * docs/report.md.
 *
 * Both are pure: a result in, text out. They read the result after the run and write into an
 * arena of the caller; whether that took it all is `out->failed`. */
#ifndef CORE_REPORT_H
#define CORE_REPORT_H

#include "core/base/defs.h"
#include "core/base/text.h"
#include "core/result.h"

/* Appends the report for people: plain ASCII but for what the URL holds, no colours, at most 80
 * columns unless a URL or a percentile that is a lower bound needs more. With `spectrum` the full
 * latency spectrum follows. */
void report_text(const struct result *result, bool spectrum, struct text *out);

/* Appends the report for programs: one JSON object and a line end; on one line if `compact`. */
void report_json(const struct result *result, bool compact, struct text *out);

#endif
