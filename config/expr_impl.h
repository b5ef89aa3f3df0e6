/* expr_impl: what the parts of the expressions share: the nodes, the compiler, and how functions
 * and operators fail. Private to config/. */
#ifndef CONFIG_EXPR_IMPL_H
#define CONFIG_EXPR_IMPL_H

#include "config/expr.h"
#include "config/jsonpath.h"
#include "config/template.h"

enum {
    EXPR_DEPTH_MAX = 100, /* Nodes above one another: evaluating is recursive. */
    EXPR_ARGS_MAX = 32,
    EXPR_STEPS_MAX = 64,         /* Of one path. */
    EXPR_ELEMENTS_MAX = 1 << 20, /* Of an array that a function makes. */
    EXPR_TEXT_MAX = 1 << 24,     /* Bytes of a source text. */
};

#define EXPR_KIND(kind)  (1U << (kind))
#define EXPR_KIND_NUMBER (EXPR_KIND(VALUE_INT) | EXPR_KIND(VALUE_DOUBLE))
#define EXPR_KIND_ANY    ((1U << (VALUE_OBJECT + 1)) - 1)

enum expr_op {
    OP_CONSTANT,
    OP_PROVIDER,
    OP_POP, /* Of a provider, by mention. */
    OP_DECLARE,
    OP_LOCAL,
    OP_FOR_EACH,
    OP_ERROR,
    OP_FIELD,
    OP_BODY,
    OP_ARRAY,
    OP_OBJECT,
    OP_PATH,
    OP_NOT,
    OP_NEGATE,
    OP_ADD,
    OP_SUBTRACT,
    OP_MULTIPLY,
    OP_DIVIDE,
    OP_REMAINDER,
    OP_EQUAL,
    OP_UNEQUAL,
    OP_LESS,
    OP_LESS_EQUAL,
    OP_GREATER,
    OP_GREATER_EQUAL,
    OP_AND,
    OP_OR,
    OP_IF,
    OP_COLLECT,
    OP_CALL,
    OP_TEMPLATE,
    OP_JSONPATH,
};

struct expr_function;

/* A step of a path: constant, or the value of `index`. */
struct expr_step {
    struct json_step step;
    const struct expr *index; /* NULL: constant. */
    uint32_t offset;
};

struct expr {
    uint8_t op;    /* enum expr_op */
    uint8_t depth; /* Nodes below, at most EXPR_DEPTH_MAX. */
    bool both;     /* AND, OR: the right side is evaluated in any case, as it pops. */
    uint32_t kinds;
    uint32_t offset; /* In the source text. */
    union {
        struct value constant;
        uint32_t index; /* Of PROVIDER, POP, DECLARE, LOCAL, BODY. */
        struct expr_field field;
        struct {
            const struct expr *left, *right; /* NOT, NEGATE: left only. */
        };
        struct { /* CALL, IF, ARRAY; OBJECT with keys. */
            const struct expr *const *args;
            uint32_t args_count;
            const struct expr_function *function;
            const void *data; /* What the function prepared. */
            const struct value *keys;
        };
        struct {
            const struct expr *base;
            const struct expr_step *steps;
            uint32_t steps_count;
            const struct jsonpath *jsonpath;
        };
        struct {
            const struct expr *item; /* collect(item, min, max), max exclusive */
            uint32_t min, max;
        };
        const struct template *template;
    };
};

enum { FUNCTION_PURE = 1, FUNCTION_RANDOM = 2, FUNCTION_WALL = 4 };

struct expr_compiler;

struct expr_function {
    const char *name;
    uint8_t args_min, args_max;
    uint8_t flags;
    uint8_t kinds; /* Of its results. */
    /* Looks at the arguments when the call is compiled; false: it has told what is wrong. */
    bool (*prepare)(struct expr_compiler *compiler, struct expr *call);
    enum expr_error (*eval)(struct expr_env *env, const struct expr *call, const struct value *args,
                            struct value *ret_value);
};

/* NULL if there is none of that name. */
const struct expr_function *expr_function_find(const char *name, size_t len);

/* Writes where, and returns `error`. */
enum expr_error expr_fail(struct expr_env *env, const struct expr *at, enum expr_error error);

/* `value` as a string, which may lie in the scratch. */
MUST_USE enum expr_error expr_text(struct expr_env *env, const struct expr *at,
                                   const struct value *value, struct value *ret_string);

/* One step from a value, as a path takes it. */
MUST_USE enum expr_error expr_take_step(struct expr_env *env, const struct expr *path,
                                        const struct expr_step *step, struct value *value);

/* Operators on values (expr_number.c). */
struct value expr_arithmetic(enum expr_op op, const struct value *a, const struct value *b);
struct value expr_negate(const struct value *value);

/* A whole double that an int64 holds becomes an int. */
struct value expr_number(double real);

#endif
