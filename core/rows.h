/* rows: one row for each request that ended, for short runs (--requests-out).
 *
 * Each worker writes rows of its own, into memory that was taken and touched before the run. Rows
 * beyond are counted and not kept.
 *
 * Threads: the worker writes; read after it ended. */
#ifndef CORE_ROWS_H
#define CORE_ROWS_H

#include "core/base/arena.h"
#include "core/base/defs.h"
#include "io/failed.h"

/* Times are of the monotonic clock; 0: it did not come to that. */
struct row {
    uint64_t due_ns;
    uint64_t sent_ns;
    uint64_t first_ns; /* Its first byte was there. */
    uint64_t done_ns;  /* It was answered, or had failed. */
    uint64_t body_bytes;
    uint32_t connection; /* Number among the worker's connections, from 1; 0: none. */
    uint16_t request;    /* Index into the plan's requests. */
    uint16_t end;        /* The status, or ROW_FAILED + the class. */
};

enum { ROW_FAILED = 1000 };

struct rows {
    struct row *rows; /* [max] */
    uint64_t count, max;
    uint64_t not_kept;
};

/* Takes memory for `max` rows (0: none, and `rows` stays off) from `arena`, and touches it; false
 * when that refuses. */
MUST_USE bool rows_init(struct rows *rows, uint64_t max, struct arena *arena);

/* Whether rows are wanted. */
static inline bool rows_are_on(const struct rows *rows)
{
    return rows->max != 0;
}

static inline void rows_add(struct rows *rows, const struct row *row)
{
    if (unlikely(rows->count == rows->max)) {
        rows->not_kept++;
        return;
    }
    rows->rows[rows->count++] = *row;
}

#endif
