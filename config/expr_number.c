/* Arithmetic: numbers only, null for all else and for a division by zero. Whole numbers stay whole
 * while they fit into 64 bits, and what is whole becomes so. */
#include <math.h>

#include "config/expr_impl.h"
#include "core/base/check.h"

struct value expr_number(double real)
{
    if (fabs(real) < VALUE_INT_END && trunc(real) == real) return value_int((int64_t)real);
    return value_double(real);
}

static bool int_arithmetic(enum expr_op op, int64_t a, int64_t b, struct value *ret_value)
{
    int64_t result;

    switch (op) {
    case OP_ADD:
        if (__builtin_add_overflow(a, b, &result)) return false;
        break;
    case OP_SUBTRACT:
        if (__builtin_sub_overflow(a, b, &result)) return false;
        break;
    case OP_MULTIPLY:
        if (__builtin_mul_overflow(a, b, &result)) return false;
        break;
    case OP_DIVIDE:
        if (b == -1) return int_arithmetic(OP_SUBTRACT, 0, a, ret_value);
        if (a % b != 0) return false;
        result = a / b;
        break;
    default: /* OP_REMAINDER */ result = b == -1 ? 0 : a % b; break;
    }
    *ret_value = value_int(result);
    return true;
}

struct value expr_arithmetic(enum expr_op op, const struct value *a, const struct value *b)
{
    struct value value;
    double x, y;

    CHECK(op >= OP_ADD && op <= OP_REMAINDER);
    if (!value_is_number(a) || !value_is_number(b)) return value_null();
    y = value_as_double(b);
    if (y == 0 && (op == OP_DIVIDE || op == OP_REMAINDER)) return value_null();
    if (a->kind == VALUE_INT && b->kind == VALUE_INT &&
        int_arithmetic(op, a->integer, b->integer, &value)) {
        return value;
    }
    x = value_as_double(a);
    switch (op) {
    case OP_ADD: return expr_number(x + y);
    case OP_SUBTRACT: return expr_number(x - y);
    case OP_MULTIPLY: return expr_number(x * y);
    case OP_DIVIDE: return expr_number(x / y);
    default: return expr_number(fmod(x, y));
    }
}

struct value expr_negate(const struct value *value)
{
    struct value zero = value_int(0);

    return expr_arithmetic(OP_SUBTRACT, &zero, value);
}
