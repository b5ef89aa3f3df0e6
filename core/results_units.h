/* results_units: lines of a results file that are kept until they are on disk, in the words in
 * which they stand there.
 *
 * Threads: one owner. */
#ifndef CORE_RESULTS_UNITS_H
#define CORE_RESULTS_UNITS_H

#include "core/base/arena.h"
#include "core/results_disk.h"

enum { RESULTS_UNITS_BYTES_MAX = 64 << 20 };

struct results_unit;

struct results_units {
    struct arena arena;
    struct results_unit *first, *last;
};

/* No units, and up to RESULTS_UNITS_BYTES_MAX for them. results_units_release() gives it back. */
void results_units_init(struct results_units *units);
void results_units_release(struct results_units *units);

/* Keeps an object, of which `data` ends with '}'; a `line` gets its CRC and a line end. False when
 * there is no room. */
MUST_USE bool results_units_add(struct results_units *units, bool line, const char *data,
                                size_t len);

/* Appends what is not yet written, up to the first that the disk refuses, and keeps room for `keep`
 * bytes behind each. 0, or the errno. */
MUST_USE int results_units_write(const struct results_units *units, struct results_disk *disk,
                                 size_t keep);

/* What is written is on disk. */
void results_units_synced(const struct results_units *units);

/* Whether all of them are on disk. */
bool results_units_are_synced(const struct results_units *units);

/* They are to be written again: those that are not on disk, or `all`. */
void results_units_unwrite(const struct results_units *units, bool all);

/* Forgets what is on disk. */
void results_units_forget(struct results_units *units);

#endif
