/* report_latency: the latency table and spectrum of the report for people. Private to
 * report_text.c. */
#ifndef CORE_REPORT_LATENCY_H
#define CORE_REPORT_LATENCY_H

#include "core/base/defs.h"
#include "core/base/text.h"
#include "core/result.h"

/* Appends the table, a row from due and a row from sent (a row without a sample is left away);
 * a percentile above 1 - left_out_share, and the maximum if anything is left out, with ">=". */
void report_latency_table(const struct result *result, double left_out_share, struct text *out);

/* Appends the spectrum: for rising shares of the requests, the latency that they stayed within
 * and how many requests that is, from due and from sent; the last step is all of them. */
void report_latency_spectrum(const struct result *result, double left_out_share, struct text *out);

#endif
