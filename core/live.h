/* live: the line that a person watches while a run goes on, as the bytes that draw it.
 *
 * The line is drawn over the one before and leaves the cursor at its beginning, so that the next
 * one, and what others write, start there; what does not fit the terminal's width is left away,
 * field by field from the right.
 *
 * Threads: live_of() on the coordinator, live_draw() on the scribe, the rest anywhere. */
#ifndef CORE_LIVE_H
#define CORE_LIVE_H

#include "core/coord.h"

/* What the line shows. */
struct live {
    uint64_t elapsed_ns;
    uint64_t duration_ns;      /* TIME_NEVER: not known. */
    struct series_sample last; /* The last whole sample, if `has_last`. */
    bool has_last;
    enum series_part part;
    bool colours;       /* Errors may be red. */
    uint64_t in_flight; /* This and the others: at the last reading, since the start. */
    uint64_t failed, shed, open;
};

enum { LIVE_BYTES_MAX = 256 };

/* Takes the line away: what is written next stands in its place. */
#define LIVE_ERASE "\r\033[K"

/* How a run stands at `now_ns`. The coordinator must keep a series. */
struct live live_of(const struct coord *coord, uint64_t now_ns);

/* Writes what draws the line on a terminal of `columns` to `buf`, of LIVE_BYTES_MAX bytes, and
 * returns its length; it is not terminated. */
size_t live_draw(char *buf, const struct live *live, uint32_t columns);

/* Whether `fd` is a terminal that can draw over a line ($TERM says which cannot). */
bool live_is_possible(int fd);

/* Whether the user wants colours: not if $NO_COLOR is set to anything (no-color.org). */
bool live_wants_colours(void);

#endif
