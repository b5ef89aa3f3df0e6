/* report_wrk: what a run found, in the form in which wrk 4 prints it, byte for byte apart from the
 * figures, for all that reads wrk's output. docs/wrk.md says what each figure is.
 *
 * Pure, as core/report.h. */
#ifndef CORE_REPORT_WRK_H
#define CORE_REPORT_WRK_H

#include "core/base/text.h"
#include "core/result.h"

/* What the report says of the command line, and how it is to be. */
struct report_wrk {
    const char *url; /* As given. */
    uint64_t threads, connections;
    uint64_t duration_ns; /* TIME_NEVER: `requests` end the run. */
    uint64_t requests;
    uint64_t timeout_ns;
    bool distribution; /* The percentiles too. */
    bool corrected;    /* By wrk's arithmetic (core/wrk_stats.h). */
};

/* Appends what wrk prints when a run begins. */
void report_wrk_head(const struct report_wrk *wrk, struct text *out);

/* Appends the lines for stderr, where what follows is not what wrk would do: none, or one each. */
void report_wrk_notes(const struct report_wrk *wrk, const struct plan *plan, struct text *out);

/* Appends what it prints after it; result->per_s must be there. `scratch` is for what is not needed
 * afterwards; when it refuses, `out` has failed. */
void report_wrk(const struct report_wrk *wrk, const struct result *result, struct arena *scratch,
                struct text *out);

#endif
