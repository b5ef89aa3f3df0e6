/* jsonpath: queries on values (RFC 9535). Private to config/.
 *
 * Deviations: the pattern of match() and search() must be a literal, since it is compiled at load.
 *
 * Threads: compiled queries never change. */
#ifndef CONFIG_JSONPATH_H
#define CONFIG_JSONPATH_H

#include "config/value.h"
#include "core/base/arena.h"

struct jsonpath; /* Compiled; lives in its arena. */

struct jsonpath_error {
    size_t offset;     /* In the query. */
    char message[128]; /* Terminated. */
};

/* Compiles segments: what follows "$" in a query, or the name in `name.items.*`. NULL when they are
 * wrong. */
MUST_USE const struct jsonpath *jsonpath_compile(struct arena *arena, const char *text, size_t len,
                                                 struct jsonpath_error *ret_error);

/* How a query ended. */
enum jsonpath_result {
    JSONPATH_OK,
    JSONPATH_FULL, /* The scratch is full. */
    JSONPATH_WORK, /* It took more than JSONPATH_WORK_MAX steps. */
};

enum { JSONPATH_WORK_MAX = 4 * 1000 * 1000 };

/* An array of the values that the query finds in `root`, in the RFC's order. */
MUST_USE enum jsonpath_result jsonpath_eval(const struct jsonpath *path, const struct value *root,
                                            struct scratch *scratch, struct value *ret_array);

#endif
