/* Evaluation: one switch over the node's kind. It recurses over the tree, whose depth the compiler
 * has bounded. */
#include "config/expr.h"

#include <string.h>

#include "config/expr_compile.h"
#include "config/json_paths.h"
#include "core/base/check.h"

const char *expr_error_text(enum expr_error error)
{
    switch (error) {
    case EXPR_OK: return "no error";
    case EXPR_WAIT: return "waiting for a value";
    case EXPR_INDEXING: return "indexing into json";
    case EXPR_FULL: return "the memory for expressions is used up";
    case EXPR_TOO_LARGE: return "the result of an expression is too large";
    case EXPR_REGEX_LIMIT: return "a regular expression took too long";
    case EXPR_TEXT: return "a line end in a header";
    case EXPR_URL: return "no URL that can be sent to";
    case EXPR_FILE: return "a file of the body cannot be read";
    case EXPR_FIELD: return "a field of the request or response is not to be had";
    }
    UNREACHABLE("error of an expression");
}

enum expr_error expr_fail(struct expr_env *env, const struct expr *at, enum expr_error error)
{
    env->error_offset = at->offset;
    return error;
}

enum expr_error expr_text(struct expr_env *env, const struct expr *at, const struct value *value,
                          struct value *ret_string)
{
    struct buf buf;

    if (value->kind == VALUE_STRING) {
        *ret_string = *value;
        return EXPR_OK;
    }
    buf = scratch_open(env->scratch);
    value_write(value, &buf);
    if (!scratch_close(env->scratch, &buf)) return expr_fail(env, at, EXPR_FULL);
    *ret_string = value_string(buf.data, buf.len);
    return EXPR_OK;
}

/* A step with a computed index. */
static const struct value *dynamic_step(const struct value *container, const struct value *index)
{
    struct json_step step = {.name = NULL};
    char digits[VALUE_NUMBER_BYTES];
    struct buf buf;

    if (index->kind == VALUE_INT && index->integer >= 0 && index->integer < UINT32_MAX) {
        step.index = (uint32_t)index->integer;
        return json_step_get(container, &step);
    }
    if (index->kind == VALUE_STRING) {
        step.name = index->string;
        step.len = index->len;
        return json_step_get(container, &step);
    }
    if (!value_is_number(index)) return NULL;
    buf_init(&buf, digits, sizeof(digits));
    value_write(index, &buf);
    step.name = digits;
    step.len = (uint32_t)buf.len;
    return json_step_get(container, &step);
}

static bool is_length(const struct json_step *step)
{
    return step->name != NULL && step->len == 6 && memcmp(step->name, "length", 6) == 0;
}

enum expr_error expr_take_step(struct expr_env *env, const struct expr *path,
                               const struct expr_step *step, struct value *value)
{
    const struct value *next;

    if (step->index == NULL && value->kind != VALUE_OBJECT && is_length(&step->step)) {
        if (value->kind == VALUE_ARRAY) {
            *value = value_int(value->len);
            return EXPR_OK;
        }
        if (value->kind == VALUE_STRING) {
            *value = value_int((int64_t)value_chars(value));
            return EXPR_OK;
        }
    }
    if (value->kind != VALUE_OBJECT && value->kind != VALUE_ARRAY) {
        *value = value_null();
        if (env->indexing_is_null) return EXPR_OK;
        env->error_offset = step->offset;
        return EXPR_INDEXING;
    }
    if (step->index == NULL) {
        next = json_step_get(value, &step->step);
    } else {
        struct value index;
        enum expr_error error = expr_eval(step->index, env, &index);

        if (error != EXPR_OK) return error;
        next = dynamic_step(value, &index);
    }
    (void)path;
    *value = next != NULL ? *next : value_null();
    return EXPR_OK;
}

static enum expr_error eval_path(const struct expr *expr, struct expr_env *env,
                                 struct value *ret_value)
{
    struct value value;
    enum expr_error error = expr_eval(expr->base, env, &value);

    for (uint32_t i = 0; i < expr->steps_count && error == EXPR_OK; i++) {
        error = expr_take_step(env, expr, &expr->steps[i], &value);
    }
    if (error == EXPR_OK) *ret_value = value;
    return error;
}

static enum expr_error eval_body(const struct expr *expr, struct expr_env *env,
                                 struct value *ret_value)
{
    const struct json_result *result;

    if (env->body == NULL) {
        *ret_value = value_null();
        return EXPR_OK;
    }
    result = &env->body[expr->index];
    if (result->found == JSON_INDEXING && !env->indexing_is_null) {
        return expr_fail(env, expr, EXPR_INDEXING);
    }
    *ret_value = result->found == JSON_FOUND ? result->value : value_null();
    return EXPR_OK;
}

static enum expr_error eval_field(const struct expr *expr, struct expr_env *env,
                                  struct value *ret_value)
{
    enum expr_error error;

    if (env->field == NULL) return expr_fail(env, expr, EXPR_FIELD);
    error = env->field(env->context, &expr->field, env->scratch, ret_value);
    return error == EXPR_OK ? EXPR_OK : expr_fail(env, expr, error);
}

static enum expr_error eval_pop(const struct expr *expr, struct expr_env *env,
                                struct value *ret_value)
{
    enum expr_error error;

    if (env->pop == NULL || env->popped == NULL) return expr_fail(env, expr, EXPR_FIELD);
    error = env->pop(env->context, expr->index, env->popped[expr->index], ret_value);
    if (error != EXPR_OK) return expr_fail(env, expr, error);
    env->popped[expr->index]++;
    return EXPR_OK;
}

static enum expr_error eval_array(const struct expr *expr, struct expr_env *env,
                                  struct value *ret_value)
{
    struct value *elements = scratch_alloc(env->scratch, expr->args_count * sizeof(*elements));

    if (elements == NULL) return expr_fail(env, expr, EXPR_FULL);
    for (uint32_t i = 0; i < expr->args_count; i++) {
        enum expr_error error = expr_eval(expr->args[i], env, &elements[i]);

        if (error != EXPR_OK) return error;
    }
    if (!value_array(elements, expr->args_count, ret_value)) {
        return expr_fail(env, expr, EXPR_TOO_LARGE);
    }
    return EXPR_OK;
}

static enum expr_error eval_object(const struct expr *expr, struct expr_env *env,
                                   struct value *ret_value)
{
    struct value_member *members = scratch_alloc(env->scratch, expr->args_count * sizeof(*members));

    if (members == NULL) return expr_fail(env, expr, EXPR_FULL);
    for (uint32_t i = 0; i < expr->args_count; i++) {
        enum expr_error error = expr_eval(expr->args[i], env, &members[i].value);

        if (error != EXPR_OK) return error;
        members[i].key = expr->keys[i];
    }
    if (!value_object(members, expr->args_count, ret_value)) {
        return expr_fail(env, expr, EXPR_TOO_LARGE);
    }
    return EXPR_OK;
}

static bool compare(enum expr_op op, const struct value *a, const struct value *b)
{
    enum value_order order;

    if (op == OP_EQUAL) return value_equal(a, b);
    if (op == OP_UNEQUAL) return !value_equal(a, b);
    order = value_compare(a, b);
    switch (op) {
    case OP_LESS: return order == VALUE_LESS;
    case OP_LESS_EQUAL: return order == VALUE_LESS || order == VALUE_SAME;
    case OP_GREATER: return order == VALUE_GREATER;
    default: return order == VALUE_GREATER || order == VALUE_SAME;
    }
}

static enum expr_error eval_binary(const struct expr *expr, struct expr_env *env,
                                   struct value *ret_value)
{
    struct value left, right;
    enum expr_error error = expr_eval(expr->left, env, &left);

    if (error == EXPR_OK) error = expr_eval(expr->right, env, &right);
    if (error != EXPR_OK) return error;
    if (expr->op >= OP_EQUAL) {
        *ret_value = value_bool(compare(expr->op, &left, &right));
    } else {
        *ret_value = expr_arithmetic(expr->op, &left, &right);
    }
    return EXPR_OK;
}

static enum expr_error eval_logic(const struct expr *expr, struct expr_env *env,
                                  struct value *ret_value)
{
    bool is_or = expr->op == OP_OR, result;
    struct value side;
    enum expr_error error = expr_eval(expr->left, env, &side);

    if (error != EXPR_OK) return error;
    result = value_is_true(&side);
    if (result != is_or || expr->both) {
        error = expr_eval(expr->right, env, &side);
        if (error != EXPR_OK) return error;
        result = is_or ? result || value_is_true(&side) : result && value_is_true(&side);
    }
    *ret_value = value_bool(result);
    return EXPR_OK;
}

static enum expr_error eval_unary(const struct expr *expr, struct expr_env *env,
                                  struct value *ret_value)
{
    struct value value;
    enum expr_error error = expr_eval(expr->left, env, &value);

    if (error != EXPR_OK) return error;
    *ret_value = expr->op == OP_NOT ? value_bool(!value_is_true(&value)) : expr_negate(&value);
    return EXPR_OK;
}

static enum expr_error eval_if(const struct expr *expr, struct expr_env *env,
                               struct value *ret_value)
{
    struct value value;
    enum expr_error error = expr_eval(expr->args[0], env, &value);

    if (error != EXPR_OK) return error;
    return expr_eval(expr->args[value_is_true(&value) ? 1 : 2], env, ret_value);
}

static enum expr_error eval_collect(const struct expr *expr, struct expr_env *env,
                                    struct value *ret_value)
{
    uint32_t count = expr->min;
    struct value *elements;

    if (expr->max - expr->min > 1) {
        count += (uint32_t)rng_below(env->rng, expr->max - expr->min);
    }
    elements = scratch_alloc(env->scratch, count * sizeof(*elements));
    if (elements == NULL) return expr_fail(env, expr, EXPR_FULL);
    for (uint32_t i = 0; i < count; i++) {
        enum expr_error error = expr_eval(expr->item, env, &elements[i]);

        if (error != EXPR_OK) return error;
    }
    if (!value_array(elements, count, ret_value)) return expr_fail(env, expr, EXPR_TOO_LARGE);
    return EXPR_OK;
}

static enum expr_error eval_call(const struct expr *expr, struct expr_env *env,
                                 struct value *ret_value)
{
    struct value args[EXPR_ARGS_MAX];

    for (uint32_t i = 0; i < expr->args_count; i++) {
        enum expr_error error = expr_eval(expr->args[i], env, &args[i]);

        if (error != EXPR_OK) return error;
    }
    return expr->function->eval(env, expr, args, ret_value);
}

static enum expr_error eval_template(const struct expr *expr, struct expr_env *env,
                                     struct value *ret_value)
{
    struct value text = value_string("", 0);
    enum expr_error error = template_text(expr->template, env, &text);

    if (error == EXPR_OK) *ret_value = text;
    return error;
}

static enum expr_error eval_jsonpath(const struct expr *expr, struct expr_env *env,
                                     struct value *ret_value)
{
    bool indexing_is_null = env->indexing_is_null;
    struct value root;
    enum expr_error error;

    env->indexing_is_null = true; /* Where there is nothing, nothing is found. */
    error = expr_eval(expr->base, env, &root);
    env->indexing_is_null = indexing_is_null;
    if (error != EXPR_OK) return error;
    switch (jsonpath_eval(expr->jsonpath, &root, env->scratch, ret_value)) {
    case JSONPATH_OK: return EXPR_OK;
    case JSONPATH_FULL: return expr_fail(env, expr, EXPR_FULL);
    case JSONPATH_WORK: return expr_fail(env, expr, EXPR_TOO_LARGE);
    }
    UNREACHABLE("result of a query");
}

enum expr_error expr_eval(const struct expr *expr, struct expr_env *env, struct value *ret_value)
{
    switch ((enum expr_op)expr->op) {
    case OP_CONSTANT: *ret_value = expr->constant; return EXPR_OK;
    case OP_PROVIDER: *ret_value = env->providers[expr->index]; return EXPR_OK;
    case OP_DECLARE: *ret_value = env->declares[expr->index]; return EXPR_OK;
    case OP_LOCAL: *ret_value = env->locals[expr->index]; return EXPR_OK;
    case OP_FOR_EACH: *ret_value = env->for_each; return EXPR_OK;
    case OP_ERROR: *ret_value = env->error; return EXPR_OK;
    case OP_POP: return eval_pop(expr, env, ret_value);
    case OP_FIELD: return eval_field(expr, env, ret_value);
    case OP_BODY: return eval_body(expr, env, ret_value);
    case OP_ARRAY: return eval_array(expr, env, ret_value);
    case OP_OBJECT: return eval_object(expr, env, ret_value);
    case OP_PATH: return eval_path(expr, env, ret_value);
    case OP_NOT:
    case OP_NEGATE: return eval_unary(expr, env, ret_value);
    case OP_ADD:
    case OP_SUBTRACT:
    case OP_MULTIPLY:
    case OP_DIVIDE:
    case OP_REMAINDER:
    case OP_EQUAL:
    case OP_UNEQUAL:
    case OP_LESS:
    case OP_LESS_EQUAL:
    case OP_GREATER:
    case OP_GREATER_EQUAL: return eval_binary(expr, env, ret_value);
    case OP_AND:
    case OP_OR: return eval_logic(expr, env, ret_value);
    case OP_IF: return eval_if(expr, env, ret_value);
    case OP_COLLECT: return eval_collect(expr, env, ret_value);
    case OP_CALL: return eval_call(expr, env, ret_value);
    case OP_TEMPLATE: return eval_template(expr, env, ret_value);
    case OP_JSONPATH: return eval_jsonpath(expr, env, ret_value);
    }
    UNREACHABLE("kind of a node");
}

const struct value *expr_is_constant(const struct expr *expr)
{
    return expr->op == OP_CONSTANT ? &expr->constant : NULL;
}

uint32_t expr_kinds(const struct expr *expr)
{
    return expr->kinds;
}
