/* sources: addresses of this machine that connections come from, in turn. Made before the run,
 * never changed; all workers read them.
 *
 * A socket is bound to the address alone: its port is chosen when it connects, so that every
 * source has all local ports once per destination (ip(7), IP_BIND_ADDRESS_NO_PORT).
 *
 * Threads: sources_add() and sources_check() before there are workers; the rest any. */
#ifndef IO_SOURCES_H
#define IO_SOURCES_H

#include "core/base/arena.h"
#include "io/resolve.h"

enum { SOURCES_FAMILIES = 2 }; /* IPv4 and IPv6. */

struct sources {
    struct {
        struct address *list; /* [count], in the order given. */
        uint32_t count;
    } of[SOURCES_FAMILIES];
};

/* Makes `sources` empty, with room for `count_max` of either family in `arena`; false when that
 * refuses. */
MUST_USE bool sources_init(struct sources *sources, struct arena *arena, uint32_t count_max);

/* Adds a numeric address, within count_max; false when it is none. */
MUST_USE bool sources_add(struct sources *sources, const char *text);

/* How many there are for a destination of this family. */
uint32_t sources_count(const struct sources *sources, int family);

/* The one whose turn it is, by `turn` modulo their number, which is not 0. */
const struct address *sources_at(const struct sources *sources, int family, uint64_t turn);

/* Tries each of them: ERR_NETWORK names the first that this machine does not have, or from which
 * no way leads to the first address of its family in `addresses`. Sends nothing. */
MUST_USE enum err sources_check(const struct sources *sources, const struct addresses *addresses,
                                struct err_info *why);

#endif
