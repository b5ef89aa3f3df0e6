/* report_urls: what the reports say of each URL, where there are several. Private to report_text.c
 * and report_json.c. */
#ifndef CORE_REPORT_URLS_H
#define CORE_REPORT_URLS_H

#include "core/base/text.h"
#include "core/result.h"

/* Appends a table with a row for each, in the order in which they were given: all if `all`, else
 * the first few, and how many more there are. */
void report_urls(const struct result *result, bool all, struct text *out);

/* Appends the key "per_url". */
void report_urls_json(const struct result *result, struct json *json);

#endif
