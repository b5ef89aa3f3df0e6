/* Functions on containers and numbers. */
#include <string.h>

#include "config/funcs.h"
#include "config/json_scan.h"

/* Makes the array of what has been written to `elements`. */
static enum expr_error make_array(struct expr_env *env, const struct expr *call,
                                  const struct value *elements, size_t count,
                                  struct value *ret_value)
{
    if (!value_array(elements, count, ret_value)) return expr_fail(env, call, EXPR_TOO_LARGE);
    return EXPR_OK;
}

/* The string's next character, from `at` on. */
static struct value next_char(const struct value *string, uint32_t at)
{
    uint32_t end = at + 1;

    while (end < string->len && ((unsigned char)string->string[end] & 0xc0) == 0x80) {
        end++;
    }
    return value_string(string->string + at, end - at);
}

FUNC_EVAL(entries)
{
    const struct value *of = &args[0];
    size_t count = of->len; /* Of a string the bytes: enough for its characters. */
    struct value *rows, *cells;
    uint32_t at = 0, row = 0;

    if (of->kind != VALUE_OBJECT && of->kind != VALUE_ARRAY && of->kind != VALUE_STRING) {
        *ret_value = *of;
        return EXPR_OK;
    }
    rows = scratch_alloc(env->scratch, count * sizeof(*rows));
    cells = rows == NULL ? NULL : scratch_alloc(env->scratch, 2 * count * sizeof(*cells));
    if (cells == NULL) return expr_fail(env, call, EXPR_FULL);
    for (; at < of->len; row++) {
        struct value *pair = &cells[2 * (size_t)row];

        pair[0] = value_int(row);
        if (of->kind == VALUE_STRING) {
            pair[1] = next_char(of, at);
            at += pair[1].len;
        } else if (of->kind == VALUE_ARRAY) {
            pair[1] = of->elements[at++];
        } else {
            pair[0] = of->members[at].key;
            pair[1] = of->members[at++].value;
        }
        if (!value_array(pair, 2, &rows[row])) return expr_fail(env, call, EXPR_TOO_LARGE);
    }
    return make_array(env, call, rows, row, ret_value);
}

FUNC_EVAL(keys)
{
    const struct value *of = &args[0];
    struct value *keys;

    *ret_value = value_null();
    if (of->kind != VALUE_OBJECT && of->kind != VALUE_ARRAY) return EXPR_OK;
    keys = scratch_alloc(env->scratch, of->len * sizeof(*keys));
    if (keys == NULL) return expr_fail(env, call, EXPR_FULL);
    for (uint32_t i = 0; i < of->len; i++) {
        keys[i] = of->kind == VALUE_OBJECT ? of->members[i].key : value_int(i);
    }
    return make_array(env, call, keys, of->len, ret_value);
}

FUNC_EVAL(values)
{
    const struct value *of = &args[0];
    struct value *values;

    *ret_value = of->kind == VALUE_ARRAY ? *of : value_null();
    if (of->kind != VALUE_OBJECT) return EXPR_OK;
    values = scratch_alloc(env->scratch, of->len * sizeof(*values));
    if (values == NULL) return expr_fail(env, call, EXPR_FULL);
    for (uint32_t i = 0; i < of->len; i++) {
        values[i] = of->members[i].value;
    }
    return make_array(env, call, values, of->len, ret_value);
}

FUNC_EVAL(length)
{
    const struct value *of = &args[0];

    (void)env;
    (void)call;
    if (of->kind == VALUE_STRING) {
        *ret_value = value_int((int64_t)value_chars(of));
    } else if (of->kind == VALUE_ARRAY || of->kind == VALUE_OBJECT) {
        *ret_value = value_int(of->len);
    } else {
        *ret_value = value_null();
    }
    return EXPR_OK;
}

/* The first number of which no other is `better`. */
static enum expr_error choose(const struct expr *call, const struct value *args,
                              enum value_order better, struct value *ret_value)
{
    struct value best = value_null();

    for (uint32_t i = 0; i < call->args_count; i++) {
        if (!value_is_number(&args[i])) continue;
        if (best.kind == VALUE_NULL || value_compare(&args[i], &best) == better) best = args[i];
    }
    *ret_value = best;
    return EXPR_OK;
}

FUNC_EVAL(max)
{
    (void)env;
    return choose(call, args, VALUE_GREATER, ret_value);
}

FUNC_EVAL(min)
{
    (void)env;
    return choose(call, args, VALUE_LESS, ret_value);
}

/* Digits with an optional sign, and nothing else. */
static struct value read_int(const char *text, size_t len)
{
    size_t sign = len > 0 && (text[0] == '+' || text[0] == '-'), at = sign;
    struct value number;

    if (at == len) return value_null();
    for (size_t i = at; i < len; i++) {
        if (!json_is_digit(text[i])) return value_null();
    }
    while (at + 1 < len && text[at] == '0') {
        at++;
    }
    if (len - at > 19) return value_null();
    if (sign == 1 && text[0] == '-') {
        char copy[20] = "-";

        memcpy(copy + 1, text + at, len - at);
        number = json_number(copy, len - at + 1);
    } else {
        number = json_number(text + at, len - at);
    }
    return number.kind == VALUE_INT ? number : value_null();
}

FUNC_EVAL(parse_int)
{
    const struct value *of = &args[0];
    struct value whole;

    (void)env;
    (void)call;
    *ret_value = value_null();
    if (of->kind == VALUE_INT) {
        *ret_value = *of;
    } else if (of->kind == VALUE_DOUBLE) {
        whole = expr_number(of->real);
        if (whole.kind == VALUE_INT) *ret_value = whole;
    } else if (of->kind == VALUE_STRING) {
        *ret_value = read_int(of->string, of->len);
    }
    return EXPR_OK;
}

/* As JSON writes it, but the sign may be '+', and on one side of the point digits may be missing.
 * `number` has room for two bytes more than `text`. */
static struct value read_float(const char *text, size_t len, char *number)
{
    size_t at = 0, to = 0, points = 0;
    struct value value;

    if (at < len && (text[at] == '+' || text[at] == '-')) {
        if (text[at] == '-') number[to++] = '-';
        at++;
    }
    while (at + 1 < len && text[at] == '0' && json_is_digit(text[at + 1])) {
        at++;
    }
    if (at + 1 < len && text[at] == '.' && json_is_digit(text[at + 1])) number[to++] = '0';
    for (; at < len; at++) {
        bool bare = text[at] == '.' && (at + 1 == len || !json_is_digit(text[at + 1]));

        points += text[at] == '.';
        if (bare && (at == 0 || !json_is_digit(text[at - 1]))) return value_null();
        if (!bare) number[to++] = text[at];
    }
    if (points > 1) return value_null();
    if (to == 0 || json_number_len(number, to) != to) return value_null();
    value = json_number(number, to);
    return value_double(value_as_double(&value));
}

FUNC_EVAL(parse_float)
{
    const struct value *of = &args[0];
    char *number;

    *ret_value = value_null();
    if (value_is_number(of)) {
        *ret_value = value_double(value_as_double(of));
    } else if (of->kind == VALUE_STRING) {
        number = scratch_push(env->scratch, of->len + (size_t)2);
        if (number == NULL) return expr_fail(env, call, EXPR_FULL);
        *ret_value = read_float(of->string, of->len, number);
        scratch_pop(env->scratch, of->len + (size_t)2);
    }
    return EXPR_OK;
}

FUNC_PREPARE(random)
{
    const struct value *from = expr_is_constant(call->args[0]);
    const struct value *to = expr_is_constant(call->args[1]);

    if (from == NULL || to == NULL || value_compare(from, to) == VALUE_LESS) return true;
    expr_wrong(compiler, call->offset, 6,
               "random() takes two numbers, the first less than the second");
    return false;
}

FUNC_EVAL(random)
{
    double from, to, real;

    (void)call;
    *ret_value = value_null();
    if (!value_is_number(&args[0]) || value_compare(&args[0], &args[1]) != VALUE_LESS) {
        return EXPR_OK;
    }
    if (args[0].kind == VALUE_INT && args[1].kind == VALUE_INT) {
        uint64_t span = (uint64_t)args[1].integer - (uint64_t)args[0].integer;

        *ret_value = value_int((int64_t)((uint64_t)args[0].integer + rng_below(env->rng, span)));
        return EXPR_OK;
    }
    from = value_as_double(&args[0]);
    to = value_as_double(&args[1]);
    real = from + rng_double(env->rng) * (to - from);
    *ret_value = value_double(real < to ? real : from); /* Rounding may reach the end. */
    return EXPR_OK;
}

FUNC_EVAL(range)
{
    uint64_t count;
    struct value *elements;
    int64_t from = args[0].integer, step;

    *ret_value = value_null();
    if (args[0].kind != VALUE_INT || args[1].kind != VALUE_INT) return EXPR_OK;
    step = from <= args[1].integer ? 1 : -1;
    count = step > 0 ? (uint64_t)args[1].integer - (uint64_t)from
                     : (uint64_t)from - (uint64_t)args[1].integer;
    if (count > EXPR_ELEMENTS_MAX) return expr_fail(env, call, EXPR_TOO_LARGE);
    elements = scratch_alloc(env->scratch, count * sizeof(*elements));
    if (elements == NULL) return expr_fail(env, call, EXPR_FULL);
    for (uint64_t i = 0; i < count; i++) {
        elements[i] = value_int(from + (int64_t)i * step);
    }
    return make_array(env, call, elements, count, ret_value);
}

FUNC_PREPARE(repeat)
{
    if (call->args_count == 2) compiler->unit->needs->random = true;
    return true;
}

FUNC_EVAL(repeat)
{
    int64_t count = args[0].integer;
    struct value *elements;

    *ret_value = value_null();
    if (args[0].kind != VALUE_INT || count < 0) return EXPR_OK;
    if (call->args_count == 2) {
        if (args[1].kind != VALUE_INT || args[1].integer <= count) return EXPR_OK;
        count += (int64_t)rng_below(env->rng, (uint64_t)(args[1].integer - count));
    }
    if (count > EXPR_ELEMENTS_MAX) return expr_fail(env, call, EXPR_TOO_LARGE);
    elements = scratch_alloc(env->scratch, (size_t)count * sizeof(*elements));
    if (elements == NULL) return expr_fail(env, call, EXPR_FULL);
    for (int64_t i = 0; i < count; i++) {
        elements[i] = value_null();
    }
    return make_array(env, call, elements, (size_t)count, ret_value);
}
