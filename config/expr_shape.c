/* Expressions made of others: the shapes of `select`. */
#include <string.h>

#include "config/expr_compile.h"

static const struct expr_source nowhere = {.text = "", .line = 1, .column = 1};

const struct expr *expr_constant(const struct expr_unit *unit, const struct value *value)
{
    struct expr_compiler compiler;

    expr_compiler_init(&compiler, unit, &nowhere);
    return expr_node_constant(&compiler, 0, value);
}

static const struct expr *shape(const struct expr_unit *unit, enum expr_op op,
                                const struct value *keys, const struct expr *const *values,
                                size_t count)
{
    struct expr_compiler compiler;
    bool constant = true;
    const struct expr **values_copy;
    struct value *keys_copy;
    struct expr *expr;

    expr_compiler_init(&compiler, unit, &nowhere);
    expr = expr_node(&compiler, op, 0, values, count);
    if (expr == NULL) return NULL;
    values_copy = arena_array(unit->arena, count, sizeof(const struct expr *));
    keys_copy = arena_array(unit->arena, keys != NULL ? count : 0, sizeof(*keys_copy));
    if (values_copy == NULL || keys_copy == NULL) {
        expr_no_memory(&compiler);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        values_copy[i] = values[i];
        if (keys != NULL) keys_copy[i] = keys[i];
    }
    expr->args = values_copy;
    expr->args_count = (uint32_t)count;
    expr->keys = keys_copy;
    expr->kinds = EXPR_KIND(op == OP_ARRAY ? VALUE_ARRAY : VALUE_OBJECT);
    for (size_t i = 0; i < count; i++) {
        constant = constant && values[i]->op == OP_CONSTANT;
    }
    return constant ? expr_fold(&compiler, expr) : expr;
}

const struct expr *expr_array(const struct expr_unit *unit, const struct expr *const *elements,
                              size_t count)
{
    return shape(unit, OP_ARRAY, NULL, elements, count);
}

const struct expr *expr_object(const struct expr_unit *unit, const struct value *keys,
                               const struct expr *const *values, size_t count)
{
    return shape(unit, OP_OBJECT, keys, values, count);
}
