/* select: what `provides` and `logs` make of a response: for every combination of the elements of
 * `for_each` that passes `where`, the value of `select`. Several lists make the Cartesian product,
 * the last one fastest; without `for_each` there is one round. A `where` that does not look at
 * for_each is tested once, first.
 *
 * Nested selects (`with`) are made before all of this: each is an array, visible as the local that
 * the scope gave it.
 *
 * Threads: a select never changes once filled in; the environment has one owner. */
#ifndef CONFIG_SELECT_H
#define CONFIG_SELECT_H

#include "config/expr.h"

enum {
    SELECT_LISTS_MAX = 16,
    SELECT_ROUNDS_MAX = 1 << 20, /* Combinations of several lists. */
    SELECT_DEPTH_MAX = 16,
    SELECT_WITH_MAX = 64,
    SELECT_LOCALS_MAX = 256, /* Indices of locals are below. */
};

struct select_with {
    uint32_t local; /* Index of the local that gets the array. */
    const struct select *select;
};

struct select {
    const struct expr *select;
    const struct expr *where;           /* NULL: always true. */
    const struct expr *const *for_each; /* [for_each_count] */
    uint32_t for_each_count;
    const struct select_with *with; /* [with_count], in the order they need one another. */
    uint32_t with_count;
    bool where_is_first; /* `where` does not look at for_each: needs.for_each was false. */
};

/* Gets each value, good until it returns; false: no more, which is no error. */
typedef bool select_emit(void *context, const struct value *value);

/* Runs `select`. `locals` is where `env->locals` points, for the arrays of `with`. An element of
 * for_each that is no array counts as one of itself. What a round takes of the scratch is given
 * back after it. An error of evaluation ends the run. */
MUST_USE enum expr_error select_run(const struct select *select, struct expr_env *env,
                                    struct value *locals, select_emit *emit, void *context);

#endif
