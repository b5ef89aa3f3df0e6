/* results_forms: what stands in a results file, in the two forms that it has (docs/results.md).
 *
 * Each function adds whole lines; memory that is refused marks lines->text.failed.
 *
 * Threads: any. */
#ifndef CORE_RESULTS_FORMS_H
#define CORE_RESULTS_FORMS_H

#include "core/bucket.h"
#include "core/results_lines.h"

/* What a file begins with. */
struct results_header {
    const char *test; /* The test file's name, without directories and its last ending. */
    const char *version;
    uint64_t start_wall_ns; /* When the run began. */
    uint64_t bucket_size_ns;
};

/* What it ends with. */
struct results_last {
    uint64_t end_wall_ns;
    const char *reason; /* As result_end_name() has it. */
    const char *error;  /* What the test could not go on for; NULL: it went to its end. */
    uint64_t buckets;   /* How many there were. */
    uint64_t groups;
    const struct ledger *ledger; /* Of all of the run. */
};

void results_pelt_header(struct results_lines *lines, const struct results_header *header);
void results_pelt_group(struct results_lines *lines, const struct bucket_group *group);
void results_pelt_bucket(struct results_lines *lines, const struct bucket *bucket);
void results_pelt_last(struct results_lines *lines, const struct results_last *last);

/* What both forms have: answers by status, as an object. */
void results_statuses(struct json *json, const struct bucket_figures *figures);
MUST_USE bool results_has_statuses(const struct bucket_figures *figures);

/* This form has no last line. */
void results_pewpew_header(struct results_lines *lines, const struct results_header *header);
void results_pewpew_group(struct results_lines *lines, const struct bucket_group *group);
void results_pewpew_bucket(struct results_lines *lines, const struct bucket *bucket);

#endif
