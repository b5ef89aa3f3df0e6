/* results_lines: lines of a results file on their way from the coordinator, who has the figures, to
 * the thread that writes. Histograms travel as counts, not as text: compressing them takes time
 * that the coordinator does not have.
 *
 * A line is one compact JSON object. Where a histogram belongs it has an empty string, a hole, and
 * beside the text stands what is to be filled in.
 *
 * Threads: one owner at a time. */
#ifndef CORE_RESULTS_LINES_H
#define CORE_RESULTS_LINES_H

#include "core/base/hist.h"
#include "core/base/text.h"

/* What a line is for, when not all of them can be written. */
enum results_kind {
    RESULTS_HEAD,   /* A file that has to be begun anew has it again: header, tag groups. */
    RESULTS_BUCKET, /* Belongs to one file alone. */
    RESULTS_END,    /* The last line; has room kept for it. */
};

enum {
    RESULTS_LINES_BYTES_MAX = 64 << 20,
    RESULTS_COUNT_BITS = 48, /* A word of a hole: the bucket above, the count below. */
};

struct results_hole {
    struct results_hole *next;
    size_t at;             /* In the text: between the quotes. */
    const uint64_t *words; /* [count]; words of one bucket add up. */
    uint32_t count;
};

struct results_lines {
    struct arena arena; /* Holds this struct. */
    struct text text;   /* Each line ends with a line end. */
    struct json json;
    enum results_kind kind; /* Of all these lines. */
    struct results_hole *first, *last;
};

/* No lines yet; NULL when there is no memory. results_lines_free() gives it back. */
MUST_USE struct results_lines *results_lines_new(enum results_kind kind);
void results_lines_free(struct results_lines *lines);

/* Starts a line: an object that is to be filled by way of the writer that is returned, and ended
 * by json_end(). Once memory is gone lines->text.failed is set. */
struct json *results_line(struct results_lines *lines);

/* Writes the value of a key: a histogram. */
void results_line_hist(struct results_lines *lines, const struct hist_view *view);

/* Makes of `view` what went into a hole: buckets and pages, no other figures. */
void results_hole_view(const struct results_hole *hole, struct hist_view *view);

#endif
