/* report_rows: the rows of all workers as comma-separated values, in the order in which requests
 * ended. What each column means stands in docs/report.md. */
#ifndef CORE_REPORT_ROWS_H
#define CORE_REPORT_ROWS_H

#include "core/output.h"
#include "core/result.h"

/* Replaces the file's content by the rows of `result`, piece by piece, and closes it. ERR_FILE when
 * not all of it could be written, ERR_MEMORY. */
MUST_USE enum err report_rows(const struct result *result, struct output *output,
                              struct err_info *why);

#endif
