/* report_health: the verdict and what it rests on, as lines for people. Private to the text
 * report. Pure. */
#ifndef CORE_REPORT_HEALTH_H
#define CORE_REPORT_HEALTH_H

#include "core/base/text.h"
#include "core/result.h"

/* "verdict" with its reasons and notes, a line or more each. */
void report_verdict(const struct result *result, struct text *out);

/* "health": what is known of loop lag, foreign CPU, steal, retransmits. */
void report_health(const struct result *result, struct text *out);

/* `words` behind a label of the report, in as many lines of 80 columns as it takes, with a line
 * end. */
void report_wrapped(struct text *out, const char *label, const char *words);

#endif
