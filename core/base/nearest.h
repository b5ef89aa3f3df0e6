/* nearest: which of the known names somebody meant who wrote another: "did you mean".
 *
 * A name is near that begins with what was written, else one within a few slips of it: one letter
 * more, less, other, or two swapped. The longer the name, the more slips. */
#ifndef CORE_BASE_NEAREST_H
#define CORE_BASE_NEAREST_H

#include "core/base/defs.h"

enum { NEAREST_NAME_MAX = 32 }; /* Longer names are near to none. */

struct nearest {
    const char *name; /* What was written; borrowed. */
    size_t len;
    unsigned slips;   /* Of the best so far; to be undercut. */
    const char *best; /* The best so far, or NULL when none is near; borrowed. */
};

/* Looks for what is near to the `len` bytes at `name`, which must outlive the search. */
struct nearest nearest_to(const char *name, size_t len);

/* Offers a known name; true if it is nearer than all before it, and then it is `best`. */
bool nearest_offer(struct nearest *nearest, const char *known);

#endif
