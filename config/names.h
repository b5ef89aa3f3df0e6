/* names: which number belongs to a name. A hash table in an arena, for the anchors, keys and
 * providers of test files.
 *
 * Threads: one owner; any may look up once it is filled. */
#ifndef CONFIG_NAMES_H
#define CONFIG_NAMES_H

#include "core/base/arena.h"

enum { NAMES_NONE = UINT32_MAX }; /* No number of a name. */

struct names_slot {
    const char *text; /* Borrowed; NULL: free. */
    uint32_t len;
    uint32_t hash;
    uint32_t number;
};

struct names {
    struct arena *arena;      /* Borrowed. */
    struct names_slot *slots; /* [mask + 1], at most three quarters in use; NULL while empty. */
    uint32_t mask;
    uint32_t count;
};

/* Makes `names` empty. Nothing to release. */
void names_init(struct names *names, struct arena *arena);

/* The number of the `len` bytes at `text`, or NAMES_NONE. */
uint32_t names_find(const struct names *names, const char *text, size_t len);

/* Gives `text`, which must outlive the table, the number; one that it had is replaced. False when
 * memory is refused. */
MUST_USE bool names_put(struct names *names, const char *text, size_t len, uint32_t number);

#endif
