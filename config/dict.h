/* dict: which number belongs to a name. A hash table in an arena, for the anchors, keys and
 * providers of test files.
 *
 * Threads: one owner; any may look up once it is filled. */
#ifndef CONFIG_DICT_H
#define CONFIG_DICT_H

#include "core/base/arena.h"

enum { DICT_NONE = UINT32_MAX }; /* No number of a name. */

struct dict_slot {
    const char *text; /* Borrowed; NULL: free. */
    uint32_t len;
    uint32_t hash;
    uint32_t number;
};

struct dict {
    struct arena *arena;     /* Borrowed. */
    struct dict_slot *slots; /* [mask + 1], at most three quarters in use; NULL while empty. */
    uint32_t mask;
    uint32_t count;
};

/* Makes `dict` empty. Nothing to release. */
void dict_init(struct dict *dict, struct arena *arena);

/* The number of the `len` bytes at `text`, or DICT_NONE. */
uint32_t dict_find(const struct dict *dict, const char *text, size_t len);

/* Gives `text`, which must outlive the table, the number; one that it had is replaced. False when
 * memory is refused. */
MUST_USE bool dict_put(struct dict *dict, const char *text, size_t len, uint32_t number);

#endif
