/* report_latency: the latency tables and the spectrum of the report for people. Private to
 * report_text.c. */
#ifndef CORE_REPORT_LATENCY_H
#define CORE_REPORT_LATENCY_H

#include "core/base/defs.h"
#include "core/base/text.h"
#include "core/result.h"

enum { REPORT_TIME_BYTES = 40 };

/* A latency with three digits and a unit into `buf` of REPORT_TIME_BYTES, ">=" before it if
 * `at_least`. */
void report_time(char *buf, uint64_t ns, bool at_least);

/* True if requests that are left out, were they slow, would have moved the percentile `share`. */
bool report_at_least(double share, double left_out_share);

/* Appends the table, a row from due and a row from sent (a row without a sample is left away);
 * a percentile above 1 - left_out_share, and the maximum if anything is left out, with ">=". */
void report_latency_table(const struct result *result, double left_out_share, struct text *out);

/* Appends the table of phases, if anything is known of them: all of them if `all`, else only where
 * they say something that the latencies do not. */
void report_phases(const struct result *result, bool all, struct text *out);

/* Appends the latencies from sent of each status, if there are several. */
void report_statuses(const struct result *result, struct text *out);

/* Appends the spectrum: for rising shares of the requests, the latency that they stayed within
 * and how many requests that is, from due and from sent; the last step is all of them. */
void report_latency_spectrum(const struct result *result, double left_out_share, struct text *out);

#endif
