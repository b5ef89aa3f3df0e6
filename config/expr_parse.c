/* Recursive descent, the operators by their precedence:
 *   ||   &&   == != < > <= >=   + -   * / %   unary ! -
 * all of them left associative. */
#include <stdio.h>
#include <string.h>

#include "config/expr_compile.h"
#include "config/json_scan.h"
#include "core/base/check.h"
#include "core/base/quote.h"

static const struct {
    uint32_t sign;
    uint8_t level; /* Higher binds tighter. */
    uint8_t op;
} binaries[] = {
    {SIGN('|', '|'), 1, OP_OR},      {SIGN('&', '&'), 2, OP_AND},
    {SIGN('=', '='), 3, OP_EQUAL},   {SIGN('!', '='), 3, OP_UNEQUAL},
    {SIGN(0, '<'), 3, OP_LESS},      {SIGN('<', '='), 3, OP_LESS_EQUAL},
    {SIGN(0, '>'), 3, OP_GREATER},   {SIGN('>', '='), 3, OP_GREATER_EQUAL},
    {SIGN(0, '+'), 4, OP_ADD},       {SIGN(0, '-'), 4, OP_SUBTRACT},
    {SIGN(0, '*'), 5, OP_MULTIPLY},  {SIGN(0, '/'), 5, OP_DIVIDE},
    {SIGN(0, '%'), 5, OP_REMAINDER},
};

struct expr *expr_node(struct expr_compiler *compiler, enum expr_op op, uint32_t offset,
                       const struct expr *const *below, size_t below_count)
{
    struct expr *expr;
    uint8_t depth = 0;

    for (size_t i = 0; i < below_count; i++) {
        if (below[i]->depth >= depth) depth = (uint8_t)(below[i]->depth + 1);
    }
    if (depth > EXPR_DEPTH_MAX) {
        expr_wrong(compiler, offset, 1, "too many levels in this expression");
        return NULL;
    }
    expr = arena_alloc(compiler->unit->arena, sizeof(*expr), _Alignof(struct expr));
    if (expr == NULL) {
        expr_no_memory(compiler);
        return NULL;
    }
    expr->op = (uint8_t)op;
    expr->depth = depth;
    expr->kinds = EXPR_KIND_ANY;
    expr->offset = offset;
    return expr;
}

const struct expr *expr_node_constant(struct expr_compiler *compiler, uint32_t offset,
                                      const struct value *value)
{
    struct expr *expr = expr_node(compiler, OP_CONSTANT, offset, NULL, 0);

    if (expr == NULL) return NULL;
    expr->constant = *value;
    expr->kinds = EXPR_KIND(value->kind);
    return expr;
}

const struct expr *expr_fold(struct expr_compiler *compiler, const struct expr *expr)
{
    struct scratch scratch;
    struct expr_env env = {.scratch = &scratch};
    struct value value;
    void *memory;

    scratch_init(&scratch, compiler->fold, sizeof(compiler->fold));
    if (expr_eval(expr, &env, &value) != EXPR_OK) return expr; /* It fails when it is run. */
    memory = arena_alloc(compiler->unit->arena, value_pack_bytes(&value), SCRATCH_ALIGN);
    if (memory == NULL) {
        expr_no_memory(compiler);
        return NULL;
    }
    value = value_pack(&value, memory);
    return expr_node_constant(compiler, expr->offset, &value);
}

static bool is_constant(const struct expr *expr)
{
    return expr->op == OP_CONSTANT;
}

/* What the parser expected and did not find. */
static const struct expr *unexpected(struct expr_compiler *compiler, const char *expected)
{
    const struct token *token = &compiler->token;

    if (compiler->failed || token->kind == TOKEN_WRONG) return NULL;
    if (token->kind == TOKEN_END) {
        expr_wrong(compiler, token->offset, 0, "%s is missing at the end", expected);
    } else {
        expr_wrong(compiler, token->offset, token->len, "%s is missing before '%s'", expected,
                   quote_len(compiler->source->text + token->offset, token->len).text);
    }
    return NULL;
}

static bool take_sign(struct expr_compiler *compiler, uint32_t sign, const char *expected)
{
    if (!expr_is_sign(compiler, sign)) {
        (void)unexpected(compiler, expected);
        return false;
    }
    expr_next(compiler);
    return true;
}

static const struct expr *parse_level(struct expr_compiler *compiler, int level);

/* A constant step from the value in brackets. */
static bool constant_step(struct expr_compiler *compiler, const struct value *value,
                          struct expr_step *step)
{
    char digits[VALUE_NUMBER_BYTES];
    int len;

    if (value->kind == VALUE_STRING) {
        step->step = (struct json_step){.name = value->string, .len = value->len};
        return true;
    }
    if (value->kind != VALUE_INT) {
        expr_wrong(compiler, step->offset, 1, "what is in brackets must be a string or a number");
        return false;
    }
    if (value->integer >= 0 && value->integer < UINT32_MAX) {
        step->step = (struct json_step){.index = (uint32_t)value->integer};
        return true;
    }
    /* No array has it; an object may. */
    len = snprintf(digits, sizeof(digits), "%lld", (long long)value->integer);
    step->step.len = (uint32_t)len;
    step->step.name = arena_copy(compiler->unit->arena, digits, step->step.len);
    if (step->step.name == NULL) expr_no_memory(compiler);
    return step->step.name != NULL;
}

/* After a '.' or '['. */
static bool parse_step(struct expr_compiler *compiler, bool is_bracket, struct expr_step *step)
{
    struct token token = compiler->token;
    const struct expr *index;

    *step = (struct expr_step){.offset = token.offset};
    if (!is_bracket) {
        if (token.kind != TOKEN_NAME) {
            (void)unexpected(compiler, "a name");
            return false;
        }
        step->step.name = compiler->source->text + token.offset;
        step->step.len = token.len;
        expr_next(compiler);
        return true;
    }
    index = parse_level(compiler, 1);
    if (index == NULL || !take_sign(compiler, SIGN(0, ']'), "a ']'")) return false;
    if (is_constant(index)) return constant_step(compiler, &index->constant, step);
    step->index = index;
    return true;
}

static bool parse_steps(struct expr_compiler *compiler, struct expr_step *steps,
                        uint32_t *ret_count)
{
    uint32_t count = 0;

    while (expr_is_sign(compiler, SIGN(0, '.')) || expr_is_sign(compiler, SIGN(0, '['))) {
        bool is_bracket = expr_is_sign(compiler, SIGN(0, '['));

        if (count == EXPR_STEPS_MAX) {
            expr_wrong(compiler, compiler->token.offset, 1, "a path has at most %d steps",
                       EXPR_STEPS_MAX);
            return false;
        }
        expr_next(compiler);
        if (!parse_step(compiler, is_bracket, &steps[count])) return false;
        count++;
    }
    *ret_count = count;
    return true;
}

/* The arguments of a call, after its '(', to behind its ')'. */
static bool parse_args(struct expr_compiler *compiler, const struct expr **args,
                       uint32_t *ret_count)
{
    uint32_t count = 0;

    if (expr_is_sign(compiler, SIGN(0, ')'))) {
        expr_next(compiler);
        *ret_count = 0;
        return true;
    }
    for (;;) {
        if (count == EXPR_ARGS_MAX) {
            expr_wrong(compiler, compiler->token.offset, 1, "a call has at most %d arguments",
                       EXPR_ARGS_MAX);
            return false;
        }
        args[count] = parse_level(compiler, 1);
        if (args[count] == NULL) return false;
        count++;
        if (!expr_is_sign(compiler, SIGN(0, ','))) break;
        expr_next(compiler);
    }
    *ret_count = count;
    return take_sign(compiler, SIGN(0, ')'), "a ',' or ')'");
}

const struct value *expr_constant_text(struct expr_compiler *compiler, const struct expr *arg)
{
    if (is_constant(arg) && arg->constant.kind == VALUE_STRING) return &arg->constant;
    expr_wrong(compiler, arg->offset, 1, "this must be a string that is known at load");
    return NULL;
}

static bool constant_count(struct expr_compiler *compiler, const struct expr *arg,
                           uint32_t *ret_count)
{
    const struct value *value = expr_is_constant(arg);

    if (value == NULL || value->kind != VALUE_INT || value->integer < 0 ||
        value->integer > EXPR_ELEMENTS_MAX) {
        expr_wrong(compiler, arg->offset, 1,
                   "this must be a whole number from 0 to %d that is known at load",
                   EXPR_ELEMENTS_MAX);
        return false;
    }
    *ret_count = (uint32_t)value->integer;
    return true;
}

static const struct expr *make_collect(struct expr_compiler *compiler, uint32_t offset,
                                       const struct expr *const *args, uint32_t count)
{
    uint32_t min, max;
    struct expr *expr;

    CHECK(count >= 2);
    if (!constant_count(compiler, args[1], &min)) return NULL;
    max = min + 1;
    if (count == 3) {
        if (!constant_count(compiler, args[2], &max)) return NULL;
        if (max <= min) {
            expr_wrong(compiler, args[2]->offset, 1,
                       "the maximum must be greater than the minimum");
            return NULL;
        }
    }
    if (!compiler->unit->scope->pops) return args[0];
    if (count == 3) compiler->unit->needs->random = true;
    expr = expr_node(compiler, OP_COLLECT, offset, args, 1);
    if (expr == NULL) return NULL;
    expr->kinds = EXPR_KIND(VALUE_ARRAY);
    expr->item = args[0];
    expr->min = min;
    expr->max = max;
    return expr;
}

static const struct expr *const *copy_args(struct expr_compiler *compiler,
                                           const struct expr *const *args, uint32_t count)
{
    const struct expr **copy =
        arena_array(compiler->unit->arena, count, sizeof(const struct expr *));

    if (copy == NULL) {
        expr_no_memory(compiler);
    } else if (count > 0) {
        memcpy(copy, args, count * sizeof(const struct expr *));
    }
    return copy;
}

static const struct expr *make_if(struct expr_compiler *compiler, uint32_t offset,
                                  const struct expr *const *args, uint32_t count)
{
    struct expr *expr;

    CHECK(count == 3);
    if (is_constant(args[0])) return value_is_true(&args[0]->constant) ? args[1] : args[2];
    expr = expr_node(compiler, OP_IF, offset, args, count);
    if (expr == NULL) return NULL;
    expr->args = copy_args(compiler, args, count);
    expr->args_count = count;
    expr->kinds = args[1]->kinds | args[2]->kinds;
    return expr->args == NULL ? NULL : expr;
}

static const struct expr *make_call(struct expr_compiler *compiler, uint32_t offset,
                                    const struct expr_function *function,
                                    const struct expr *const *args, uint32_t count)
{
    struct expr *expr = expr_node(compiler, OP_CALL, offset, args, count);
    bool constant = (function->flags & FUNCTION_PURE) != 0;

    if (expr == NULL) return NULL;
    expr->args = copy_args(compiler, args, count);
    if (expr->args == NULL) return NULL;
    expr->args_count = count;
    expr->function = function;
    expr->kinds = function->kinds;
    if (function->flags & FUNCTION_RANDOM) compiler->unit->needs->random = true;
    if (function->flags & FUNCTION_WALL) compiler->unit->needs->wall = true;
    if (function->prepare != NULL && !function->prepare(compiler, expr)) return NULL;
    if (expr->op != OP_CALL) return expr; /* It has become something else. */
    for (uint32_t i = 0; i < count; i++) {
        constant = constant && is_constant(args[i]);
    }
    return constant ? expr_fold(compiler, expr) : expr;
}

static bool is_word(const struct expr_compiler *compiler, const struct token *token,
                    const char *word)
{
    return token->len == strlen(word) &&
           memcmp(compiler->source->text + token->offset, word, token->len) == 0;
}

/* json_path(): its argument is a query and no expression. */
static const struct expr *parse_json_path(struct expr_compiler *compiler)
{
    struct token query = compiler->token;
    const struct expr *expr;

    if (query.kind != TOKEN_STRING) return unexpected(compiler, "a query in quotes");
    expr_next(compiler);
    if (!take_sign(compiler, SIGN(0, ')'), "a ')'")) return NULL;
    expr = expr_json_path(compiler, &query);
    return expr;
}

/* A call, from its '(' on. */
static const struct expr *parse_call(struct expr_compiler *compiler, const struct token *name)
{
    const struct expr_function *function =
        expr_function_find(compiler->source->text + name->offset, name->len);
    const struct expr *args[EXPR_ARGS_MAX];
    bool outer = compiler->collecting, parsed;
    uint32_t count;

    if (function == NULL) {
        expr_unknown(compiler, name, true);
        return NULL;
    }
    expr_next(compiler);
    if (is_word(compiler, name, "json_path")) return parse_json_path(compiler);
    compiler->collecting |= is_word(compiler, name, "collect");
    parsed = parse_args(compiler, args, &count);
    compiler->collecting = outer;
    if (!parsed) return NULL;
    if (count < function->args_min || count > function->args_max) {
        if (function->args_min == function->args_max) {
            expr_wrong(compiler, name->offset, name->len, "%s() takes %d argument%s, not %u",
                       function->name, function->args_min, function->args_min == 1 ? "" : "s",
                       count);
        } else {
            expr_wrong(compiler, name->offset, name->len, "%s() takes %d to %d arguments, not %u",
                       function->name, function->args_min, function->args_max, count);
        }
        return NULL;
    }
    if (is_word(compiler, name, "collect")) {
        return make_collect(compiler, name->offset, args, count);
    }
    if (is_word(compiler, name, "if")) return make_if(compiler, name->offset, args, count);
    return make_call(compiler, name->offset, function, args, count);
}

static const struct expr *parse_name(struct expr_compiler *compiler)
{
    struct token name = compiler->token;
    struct expr_step steps[EXPR_STEPS_MAX];
    struct value value = value_null();
    uint32_t count;

    expr_next(compiler);
    if (expr_is_sign(compiler, SIGN(0, '('))) return parse_call(compiler, &name);
    if (is_word(compiler, &name, "true") || is_word(compiler, &name, "false")) {
        value = value_bool(name.len == 4);
    } else if (!is_word(compiler, &name, "null")) {
        if (!parse_steps(compiler, steps, &count)) return NULL;
        return expr_resolve(compiler, &name, steps, count);
    }
    return expr_node_constant(compiler, name.offset, &value);
}

static const struct expr *parse_number(struct expr_compiler *compiler, bool negative)
{
    struct token token = compiler->token;
    char text[64];
    struct value value;

    if (token.len + 1 >= sizeof(text)) {
        expr_wrong(compiler, token.offset, token.len, "the number is too long");
        return NULL;
    }
    text[0] = '-';
    memcpy(text + 1, compiler->source->text + token.offset, token.len);
    value = json_number(negative ? text : text + 1, token.len + negative);
    expr_next(compiler);
    return expr_node_constant(compiler, token.offset, &value);
}

static const struct expr *parse_primary(struct expr_compiler *compiler)
{
    struct token token = compiler->token;
    const struct expr *expr;

    switch (token.kind) {
    case TOKEN_NAME: return parse_name(compiler);
    case TOKEN_NUMBER: return parse_number(compiler, false);
    case TOKEN_STRING: expr_next(compiler); return template_string(compiler, &token);
    case TOKEN_SIGN:
        if (token.sign != SIGN(0, '(')) break;
        expr_next(compiler);
        expr = parse_level(compiler, 1);
        if (expr == NULL || !take_sign(compiler, SIGN(0, ')'), "a ')'")) return NULL;
        return expr;
    case TOKEN_END:
    case TOKEN_WRONG: break;
    }
    return unexpected(compiler, "a value");
}

/* A value with the steps that follow it. */
static const struct expr *parse_path(struct expr_compiler *compiler)
{
    const struct expr *base = parse_primary(compiler);
    struct expr_step steps[EXPR_STEPS_MAX];
    uint32_t count;

    if (base == NULL || !parse_steps(compiler, steps, &count)) return NULL;
    return count == 0 ? base : expr_path(compiler, base, steps, count);
}

static const struct expr *parse_unary(struct expr_compiler *compiler)
{
    bool is_minus = expr_is_sign(compiler, SIGN(0, '-'));
    uint32_t offset = compiler->token.offset;
    const struct expr *below;
    struct expr *expr;

    if (!is_minus && !expr_is_sign(compiler, SIGN(0, '!'))) return parse_path(compiler);
    if (compiler->nesting == EXPR_DEPTH_MAX) {
        expr_wrong(compiler, offset, 1, "too many levels in this expression");
        return NULL;
    }
    expr_next(compiler);
    if (is_minus && compiler->token.kind == TOKEN_NUMBER) return parse_number(compiler, true);
    compiler->nesting++;
    below = parse_unary(compiler);
    compiler->nesting--;
    if (below == NULL) return NULL;
    if (is_minus && (below->kinds & EXPR_KIND_NUMBER) == 0) {
        expr_warn(compiler, offset, 1, "'-' of what is no number is always null");
    }
    expr = expr_node(compiler, is_minus ? OP_NEGATE : OP_NOT, offset, &below, 1);
    if (expr == NULL) return NULL;
    expr->left = below;
    expr->kinds = is_minus ? EXPR_KIND_NUMBER | EXPR_KIND(VALUE_NULL) : EXPR_KIND(VALUE_BOOL);
    return is_constant(below) ? expr_fold(compiler, expr) : expr;
}

/* What is legal but surely not meant. */
static void warn_binary(struct expr_compiler *compiler, const struct token *token, enum expr_op op,
                        const struct expr *const sides[2])
{
    const char *sign = compiler->source->text + token->offset;
    uint32_t a = sides[0]->kinds, b = sides[1]->kinds, both = a & b;
    bool numbers = (a & EXPR_KIND_NUMBER) != 0 && (b & EXPR_KIND_NUMBER) != 0;
    const char *what = NULL;

    if (op == OP_AND || op == OP_OR) return;
    if (op == OP_EQUAL || op == OP_UNEQUAL) {
        if (both == 0 && !numbers) what = op == OP_EQUAL ? "false" : "true";
    } else if (op >= OP_LESS && op <= OP_GREATER_EQUAL) {
        if (!numbers && (both & EXPR_KIND(VALUE_STRING)) == 0) what = "false";
    } else if (!numbers) {
        what = "null";
    }
    if (what == NULL) return;
    expr_warn(compiler, token->offset, token->len, "'%.*s' of these kinds of values is always %s",
              (int)token->len, sign, what);
}

static const struct expr *make_binary(struct expr_compiler *compiler, const struct token *token,
                                      enum expr_op op, const struct expr *const sides[2], bool both)
{
    struct expr *expr = expr_node(compiler, op, token->offset, sides, 2);

    if (expr == NULL) return NULL;
    warn_binary(compiler, token, op, sides);
    expr->left = sides[0];
    expr->right = sides[1];
    expr->both = both;
    expr->kinds = op >= OP_EQUAL ? EXPR_KIND(VALUE_BOOL) : EXPR_KIND_NUMBER | EXPR_KIND(VALUE_NULL);
    return is_constant(sides[0]) && is_constant(sides[1]) ? expr_fold(compiler, expr) : expr;
}

/* The operator at the next token, or -1. */
static int binary_at(const struct expr_compiler *compiler)
{
    if (compiler->token.kind != TOKEN_SIGN) return -1;
    for (size_t i = 0; i < COUNT(binaries); i++) {
        if (binaries[i].sign == compiler->token.sign) return (int)i;
    }
    return -1;
}

/* Operators of this level and above. */
static const struct expr *parse_level(struct expr_compiler *compiler, int level)
{
    const struct expr *sides[2];
    int i;

    if (compiler->nesting == EXPR_DEPTH_MAX) {
        expr_wrong(compiler, compiler->token.offset, 1, "too many levels in this expression");
        return NULL;
    }
    compiler->nesting++;
    sides[0] = parse_unary(compiler);
    while (sides[0] != NULL && (i = binary_at(compiler)) >= 0 && binaries[i].level >= level) {
        struct token token = compiler->token;
        uint32_t mentions = compiler->unit->needs->mentions_count;

        expr_next(compiler);
        sides[1] = parse_level(compiler, binaries[i].level + 1);
        sides[0] = sides[1] == NULL ? NULL
                                    : make_binary(compiler, &token, binaries[i].op, sides,
                                                  compiler->unit->needs->mentions_count > mentions);
    }
    compiler->nesting--;
    return sides[0];
}

const struct expr *expr_parse(struct expr_compiler *compiler)
{
    return parse_level(compiler, 1);
}

const struct expr *expr_compile(const struct expr_unit *unit, const struct expr_source *source)
{
    struct expr_compiler compiler;
    const struct expr *expr;

    expr_compiler_init(&compiler, unit, source);
    if (source->len > EXPR_TEXT_MAX) {
        compiler.end = 0;
        expr_wrong(&compiler, 0, 1, "the expression is too long");
        return NULL;
    }
    expr_next(&compiler);
    expr = expr_parse(&compiler);
    if (expr != NULL && compiler.token.kind != TOKEN_END) {
        expr = unexpected(&compiler, "an operator");
    }
    return compiler.failed ? NULL : expr;
}
