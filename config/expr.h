/* expr: the expressions of test files (docs/expressions.md): compiled at load, evaluated by
 * workers.
 *
 * Compiling resolves every name through a scope, folds what is constant, and writes into a
 * struct expr_needs what the expression reads. Evaluating takes an environment, gives back a value
 * in 16 bytes, and takes memory (from the environment's scratch) only where a string or a container
 * is built. Errors of evaluation are values of enum expr_error.
 *
 * Threads: compiled expressions never change; an environment has one owner. */
#ifndef CONFIG_EXPR_H
#define CONFIG_EXPR_H

#include "config/expr_scope.h"
#include "config/json.h"
#include "config/value.h"
#include "core/base/rng.h"

struct expr; /* Compiled; lives in the unit's arena. */

/* Compiles `source`. NULL when it is wrong; everything that is wrong has then been told to
 * unit->problem. Warnings may have been told in any case. */
MUST_USE const struct expr *expr_compile(const struct expr_unit *unit,
                                         const struct expr_source *source);

/* Expressions made of others, for the JSON shapes of `select`. The lists are copied, what they
 * point to is borrowed and must live as long. NULL when the arena is full or the depth too great;
 * told as above. */
MUST_USE const struct expr *expr_constant(const struct expr_unit *unit, const struct value *value);
MUST_USE const struct expr *expr_array(const struct expr_unit *unit,
                                       const struct expr *const *elements, size_t count);
/* `keys` are strings, none twice. */
MUST_USE const struct expr *expr_object(const struct expr_unit *unit, const struct value *keys,
                                        const struct expr *const *values, size_t count);

/* The value of a constant expression, else NULL. */
const struct value *expr_is_constant(const struct expr *expr);

/* The kinds of values it can have: a set of bits 1 << enum value_kind. */
uint32_t expr_kinds(const struct expr *expr);

/* How an evaluation ended. */
enum expr_error {
    EXPR_OK,
    EXPR_WAIT,        /* env->pop has no value yet: evaluate again when it has. */
    EXPR_INDEXING,    /* "indexing into json": a step into what is no container. */
    EXPR_FULL,        /* The scratch is full. */
    EXPR_TOO_LARGE,   /* An array, string or depth passes its maximum. */
    EXPR_REGEX_LIMIT, /* A regular expression took too much time or memory. */
    EXPR_TEXT,  /* A template's text may not stand where it is to stand (line end in a header). */
    EXPR_URL,   /* What was made is no URL that can be sent to. */
    EXPR_FILE,  /* A file of a body cannot be read. */
    EXPR_FIELD, /* env->field failed. */
};

/* "indexing into json" and so on; static, never NULL. */
const char *expr_error_text(enum expr_error error);

/* What an evaluation sees. All is borrowed and not changed unless said. What the expression does
 * not need (struct expr_needs) may be left zeroed. */
struct expr_env {
    /* By the indices that the scope gave. */
    const struct value *providers;
    const struct value *declares;
    const struct value *locals;

    struct value for_each; /* An array. */
    struct value error;    /* An object. */

    /* By the numbers of needs->body; NULL: there is no response, its body reads as null. */
    const struct json_result *body;

    /* Gives a field of request, response or stats; null where there was none. Memory from
     * env->scratch. */
    enum expr_error (*field)(void *context, const struct expr_field *field, struct scratch *scratch,
                             struct value *ret_value);

    /* Only for scopes that pop: gives value `nth` (from 0) that mention `mention` takes in this
     * evaluation, popping it from its provider if it has not been yet. An evaluation that ended
     * with EXPR_WAIT is begun anew with the same `rng` and asks for the same values again. */
    enum expr_error (*pop)(void *context, uint32_t mention, uint32_t nth, struct value *ret_value);
    uint32_t *popped; /* [needs->mentions_count]; written; zero it before every evaluation. */
    void *context;    /* Of field and pop. */

    struct scratch *scratch; /* Written: built values are taken from its bottom. */
    struct rng *rng;         /* Written. */
    uint64_t wall_ns;        /* Wall clock, since the Unix epoch. */
    int64_t *counters;       /* Written: by index of the scope; the next value of each. */
    int64_t counter_step;    /* Added to a counter when it is read. */
    uint32_t worker;         /* From 0. */
    bool indexing_is_null;   /* Loggers and tags: a step into no container is null, no error. */

    uint32_t error_offset; /* Written with an error: where in the source text. */
};

/* Evaluates. On an error `ret_value` is untouched and env->error_offset written; what was taken of
 * the scratch stays taken. */
MUST_USE enum expr_error expr_eval(const struct expr *expr, struct expr_env *env,
                                   struct value *ret_value);

#endif
