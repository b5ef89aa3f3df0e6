/* expr_scope: what compiling an expression or a template takes and gives: the names it may use, the
 * list of what it needs, and what was wrong.
 *
 * Threads: used while a test file is loaded, by one thread. */
#ifndef CONFIG_EXPR_SCOPE_H
#define CONFIG_EXPR_SCOPE_H

#include "config/json.h"
#include "config/value.h"
#include "core/base/arena.h"
#include "core/base/defs.h"

/* What a name stands for. */
enum expr_name_kind {
    EXPR_CONSTANT, /* A var: its value is known. */
    EXPR_PROVIDER, /* env->providers[index], or a pop of its own where the scope pops. */
    EXPR_DECLARE,  /* env->declares[index] */
    EXPR_LOCAL,    /* env->locals[index]: arrays of `with`, captures. */
    EXPR_FOR_EACH,
    EXPR_ERROR,
    EXPR_REQUEST,
    EXPR_RESPONSE,
    EXPR_STATS,
};

struct expr_name {
    enum expr_name_kind kind;
    uint32_t index;     /* Of providers, declares and locals; the scope's own numbers, dense. */
    struct value value; /* Of constants: must live as long as what is compiled. */
};

/* The names that may be used at one place of a test file. The callbacks get `context`. */
struct expr_scope {
    /* Looks a name up. `is_provider`: it was written as provider["name"], so only a provider
     * counts. False when there is none: the name is then told as an unknown one. */
    bool (*find)(void *context, const char *name, size_t len, bool is_provider,
                 struct expr_name *ret_name);
    /* The number of the counter of that name, made on first use; false when there is no room.
     * NULL where counter() may not stand. */
    bool (*counter)(void *context, const char *name, size_t len, uint32_t *ret_index);
    /* The environment variable for env(), or NULL when it is not set. NULL: env() may not stand. */
    const char *(*environment)(void *context, const char *name);
    void *context;
    bool pops; /* In `declare`: each mention of a provider pops, collect() collects. */
};

/* Fields of the special variables, each needed as a whole or for one member. */
enum expr_field_kind {
    EXPR_REQUEST_METHOD,
    EXPR_REQUEST_URL, /* Object: href, origin, protocol, … */
    EXPR_REQUEST_HEADERS,
    EXPR_REQUEST_HEADERS_ALL,
    EXPR_REQUEST_BODY,
    EXPR_REQUEST_START_LINE,
    EXPR_RESPONSE_STATUS,
    EXPR_RESPONSE_HEADERS,
    EXPR_RESPONSE_HEADERS_ALL,
    EXPR_RESPONSE_START_LINE,
    EXPR_STATS_RTT,
    EXPR_STATS_DUE_LAG,
    EXPR_STATS_CONNECT,
    EXPR_STATS_TLS,
    EXPR_STATS_TTFB,
    EXPR_FIELDS_COUNT,
};

struct expr_field {
    enum expr_field_kind kind;
    const char *member; /* Of URL and headers (then in lower case): only this one. NULL: whole. */
    uint32_t member_len;
};

/* A name that is used, once per kind and index. */
struct expr_use {
    enum expr_name_kind kind; /* PROVIDER, DECLARE or LOCAL. */
    uint32_t index;
};

/* A mention that pops. */
struct expr_mention {
    uint32_t provider;
    bool collected; /* It stands inside collect(). */
};

/* What expressions and templates read: collected over as many as are compiled with the same one,
 * for instance all of an endpoint. Lists grow in the arena. */
struct expr_needs {
    struct arena *arena;
    struct json_paths *body; /* Paths into response.body; NULL while there are none. */
    struct expr_use *uses;
    uint32_t uses_count;
    struct expr_mention *mentions; /* Of scopes that pop. */
    uint32_t mentions_count;
    struct expr_field *fields; /* Each kind and member once. */
    uint32_t fields_count;
    bool for_each;
    bool error;
    bool random;   /* Reads env->rng. */
    bool wall;     /* Reads env->wall_ns. */
    bool counters; /* Reads env->counters. */
};

/* Empty, growing in `arena`. */
void expr_needs_init(struct expr_needs *needs, struct arena *arena);

/* Where a text stands in its file. Offsets count bytes of `text` from 0. */
struct expr_source {
    const char *text; /* Borrowed as long as what is compiled from it. */
    size_t len;
    uint32_t line; /* Of its first byte, from 1. */
    uint32_t column;
};

/* Something wrong, or surely not meant. The strings are good for the call only. */
struct expr_problem {
    uint32_t line, column; /* As if the text stood in the file as it is, line for line. */
    uint32_t offset;       /* In the source text. */
    uint32_t len;          /* Bytes that are meant, from there; at least 1 but at its end. */
    bool is_warning;
    const char *message;
    const char *unknown; /* The name, or function, that is not known, for a suggestion; or NULL. */
    bool unknown_is_function;
};

/* All that compiling takes. */
struct expr_unit {
    struct arena *arena; /* Gets what is compiled. */
    const struct expr_scope *scope;
    struct expr_needs *needs; /* Added to. */
    void (*problem)(void *context, const struct expr_problem *problem);
    void *problem_context;
};

/* The name of function number `i`, in alphabetical order, or NULL after the last. */
const char *expr_function_name(size_t i);

#endif
