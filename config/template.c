#include "config/template.h"

#include <string.h>

#include "config/expr_compile.h"

/* Constant text, or an expression. */
struct span {
    const struct expr *expr; /* NULL: text. */
    const char *text;        /* Terminated. */
    uint32_t len;
    enum template_escape escape;
};

struct template
{
    struct span *spans;
    uint32_t spans_count;
};

void template_begin(struct template_builder *builder, const struct expr_unit *unit)
{
    *builder = (struct template_builder){.unit = unit};
    builder->template =
        arena_alloc(unit->arena, sizeof(struct template), _Alignof(struct template));
    builder->failed = builder->template == NULL;
}

static struct span *add_span(struct template_builder *builder)
{
    struct template *template = builder->template;

    if (builder->failed) return NULL;
    if (!expr_grow(builder->unit->arena, &template->spans, template->spans_count,
                   sizeof(*template->spans))) {
        builder->failed = true;
        return NULL;
    }
    return &template->spans[template->spans_count++];
}

void template_add_text(struct template_builder *builder, const char *text, size_t len)
{
    struct template *template = builder->template;
    struct span *last;
    char *joined;

    if (builder->failed || len == 0) return;
    if (len > VALUE_STRING_MAX) {
        builder->failed = true;
        return;
    }
    last = template->spans_count > 0 ? &template->spans[template->spans_count - 1] : NULL;
    if (last == NULL || last->expr != NULL) {
        last = add_span(builder);
        if (last == NULL) return;
        *last = (struct span){.text = ""};
    }
    /* Templates are short and made once: joining copies. */
    joined = arena_alloc(builder->unit->arena, last->len + len + 1, 1);
    if (joined == NULL) {
        builder->failed = true;
        return;
    }
    memcpy(joined, last->text, last->len);
    memcpy(joined + last->len, text, len);
    joined[last->len + len] = '\0';
    last->text = joined;
    last->len += (uint32_t)len;
}

/* The text of a value as it is to stand in the template. */
static enum expr_error write_escaped(const struct value *text, enum template_escape escape,
                                     struct buf *buf)
{
    switch (escape) {
    case TEMPLATE_PLAIN: break;
    case TEMPLATE_JSON: value_write_escaped(text->string, text->len, buf); return EXPR_OK;
    case TEMPLATE_HEADER:
        for (uint32_t i = 0; i < text->len; i++) {
            char c = text->string[i];

            if (c == '\r' || c == '\n' || c == '\0') return EXPR_TEXT;
        }
        break;
    }
    buf_add(buf, text->string, text->len);
    return EXPR_OK;
}

static enum expr_error write_value(const struct value *value, enum template_escape escape,
                                   struct expr_env *env, struct buf *buf)
{
    struct scratch *scratch = env->scratch;
    char *before = scratch->at;
    enum expr_error error;
    struct value text;
    struct buf rest;

    if (value->kind == VALUE_STRING) return write_escaped(value, escape, buf);
    if (escape == TEMPLATE_PLAIN || value->kind <= VALUE_DOUBLE) {
        value_write(value, buf); /* Numbers and words need no escapes. */
        return EXPR_OK;
    }
    rest = scratch_open(scratch);
    value_write(value, &rest);
    if (!scratch_close(scratch, &rest)) return EXPR_FULL;
    text = value_string(rest.data, rest.len);
    error = write_escaped(&text, escape, buf);
    scratch->at = before;
    return error;
}

/* Text of a constant, which becomes a part of the text around it. False: it stays a span, and fails
 * when it is rendered. */
static bool add_constant(struct template_builder *builder, const struct value *value,
                         enum template_escape escape)
{
    size_t bytes = 6 * (value_pack_bytes(value) + VALUE_NUMBER_BYTES) + 4096;
    char *memory = arena_alloc(builder->unit->arena, bytes, SCRATCH_ALIGN);
    char *temporary = arena_alloc(builder->unit->arena, bytes, SCRATCH_ALIGN);
    struct scratch scratch;
    struct expr_env env = {.scratch = &scratch};
    struct buf buf;

    if (memory == NULL || temporary == NULL) return false;
    scratch_init(&scratch, temporary, bytes);
    buf_init(&buf, memory, bytes);
    if (write_value(value, escape, &env, &buf) != EXPR_OK || buf.full) return false;
    template_add_text(builder, buf.data, buf.len);
    return true;
}

void template_add_expr(struct template_builder *builder, const struct expr *expr,
                       enum template_escape escape)
{
    struct span *span;

    if (builder->failed) return;
    if (expr->op == OP_CONSTANT && add_constant(builder, &expr->constant, escape)) return;
    span = add_span(builder);
    if (span != NULL) *span = (struct span){.expr = expr, .escape = escape};
}

const struct template *template_end(struct template_builder *builder)
{
    return builder->failed ? NULL : builder->template;
}

/* ${…}: the expression, and behind its brace. */
static bool parse_expression(struct expr_compiler *compiler, struct template_builder *builder,
                             enum template_escape escape)
{
    uint32_t begin = compiler->at;
    const struct expr *expr;

    compiler->at += 2;
    expr_next(compiler);
    expr = expr_parse(compiler);
    if (expr == NULL) return false;
    if (!expr_is_sign(compiler, SIGN(0, '}'))) {
        if (!compiler->failed) {
            expr_wrong(compiler, begin, 2, "the '${' that begins here is not ended by a '}'");
        }
        return false;
    }
    compiler->at = compiler->token.offset + 1;
    template_add_expr(builder, expr, escape);
    return true;
}

/* What a backslash and the character behind it become inside a string: the quote loses it, three
 * letters are control characters, all else stays as it is. */
static void add_escape(struct template_builder *builder, const char *text, char quote)
{
    static const char letters[] = "n\nr\rt\t";

    for (size_t i = 0; i + 1 < sizeof(letters); i += 2) {
        if (text[1] == letters[i]) {
            template_add_text(builder, &letters[i + 1], 1);
            return;
        }
    }
    template_add_text(builder, text + (text[1] == quote), text[1] == quote ? 1 : 2);
}

/* Backslashes at `at` that end before "${": the last of an odd number makes it literal. */
static uint32_t backslashes(const char *text, uint32_t at, uint32_t end)
{
    uint32_t count = 0;

    while (at + count < end && text[at + count] == '\\') {
        count++;
    }
    at += count;
    return at + 1 < end && text[at] == '$' && text[at + 1] == '{' ? count : 0;
}

void template_parse(struct expr_compiler *compiler, char quote, struct template_builder *builder,
                    enum template_escape escape)
{
    const char *text = compiler->source->text;
    uint32_t from = compiler->at, end = compiler->end;

    while (compiler->at < end) {
        uint32_t at = compiler->at, count = backslashes(text, at, end);

        if (count % 2 == 1) {
            template_add_text(builder, text + from, at + count - 1 - from);
            template_add_text(builder, "${", 2);
            from = compiler->at = at + count + 2;
        } else if (count > 0) {
            compiler->at += count;
        } else if (text[at] == '\\' && quote != 0 && at + 1 < end) {
            template_add_text(builder, text + from, at - from);
            add_escape(builder, text + at, quote);
            from = compiler->at = at + 2;
        } else if (text[at] == '$' && at + 1 < end && text[at + 1] == '{') {
            template_add_text(builder, text + from, at - from);
            if (!parse_expression(compiler, builder, escape)) {
                builder->failed = true;
                return;
            }
            from = compiler->at;
        } else {
            compiler->at++;
        }
    }
    template_add_text(builder, text + from, end - from);
}

void template_add(struct template_builder *builder, const struct expr_source *source,
                  enum template_escape escape)
{
    struct expr_compiler compiler;
    struct template_builder part;

    /* A part of its own, so that problems are told of all of them. */
    expr_compiler_init(&compiler, builder->unit, source);
    if (source->len > EXPR_TEXT_MAX) {
        compiler.end = 0;
        expr_wrong(&compiler, 0, 1, "the text is too long");
    }
    template_begin(&part, builder->unit);
    template_parse(&compiler, 0, &part, escape);
    if (part.failed || compiler.failed) {
        builder->failed = true;
        return;
    }
    for (uint32_t i = 0; i < part.template->spans_count; i++) {
        const struct span *span = &part.template->spans[i];

        if (span->expr != NULL) {
            template_add_expr(builder, span->expr, span->escape);
        } else {
            template_add_text(builder, span->text, span->len);
        }
    }
}

const struct template *template_compile(const struct expr_unit *unit,
                                        const struct expr_source *source)
{
    struct template_builder builder;

    template_begin(&builder, unit);
    template_add(&builder, source, TEMPLATE_PLAIN);
    return template_end(&builder);
}

bool template_is_constant(const struct template *template, const char **ret_text, size_t *ret_len)
{
    const struct span *span = template->spans;

    if (template->spans_count > 1) return false;
    if (template->spans_count == 1 && span->expr != NULL) return false;
    *ret_text = template->spans_count == 0 ? "" : span->text;
    *ret_len = template->spans_count == 0 ? 0 : span->len;
    return true;
}

const char *template_outline(const struct template *template, const char *mark, struct arena *arena)
{
    struct text text;

    text_init(&text, arena);
    text_add(&text, "", 0);
    for (uint32_t i = 0; i < template->spans_count; i++) {
        const struct span *span = &template->spans[i];

        if (span->expr != NULL) {
            text_add_str(&text, mark);
        } else {
            text_add(&text, span->text, span->len);
        }
    }
    if (text.failed) return NULL;
    return text.data != NULL ? text.data : "";
}

enum expr_error template_render(const struct template *template, struct expr_env *env,
                                struct buf *buf)
{
    char *before = env->scratch->at;

    for (uint32_t i = 0; i < template->spans_count; i++) {
        const struct span *span = &template->spans[i];
        enum expr_error error;
        struct value value;

        if (span->expr == NULL) {
            buf_add(buf, span->text, span->len);
            continue;
        }
        error = expr_eval(span->expr, env, &value);
        if (error == EXPR_OK) {
            error = write_value(&value, span->escape, env, buf);
            if (error != EXPR_OK) env->error_offset = span->expr->offset;
        }
        env->scratch->at = before;
        if (error != EXPR_OK) return error;
    }
    return buf->full ? EXPR_TOO_LARGE : EXPR_OK;
}

enum expr_error template_text(const struct template *template, struct expr_env *env,
                              struct value *ret_string)
{
    struct scratch *scratch = env->scratch;
    char *before = scratch->at;
    size_t left = scratch_left(scratch), half = left / 2 / SCRATCH_ALIGN * SCRATCH_ALIGN;
    enum expr_error error;
    struct buf buf;

    /* The text grows at the bottom, and evaluations take from the other half. */
    buf_init(&buf, before, half);
    scratch->at += half;
    error = template_render(template, env, &buf);
    scratch->at = before;
    if (error == EXPR_TOO_LARGE && buf.full) return EXPR_FULL;
    if (error != EXPR_OK) return error;
    if (!scratch_close(scratch, &buf)) return EXPR_FULL;
    *ret_string = value_string(buf.data, buf.len);
    return EXPR_OK;
}

/* A node for the template: a constant if it is one. */
static const struct expr *make_expr(struct expr_compiler *compiler, uint32_t offset,
                                    const struct template *template)
{
    const struct expr *below[1];
    struct value value;
    struct expr *expr;
    uint8_t deepest = 0;
    const char *text;
    size_t len;

    if (template_is_constant(template, &text, &len)) {
        value = value_string(text, len);
        return expr_node_constant(compiler, offset, &value);
    }
    below[0] = NULL;
    for (uint32_t i = 0; i < template->spans_count; i++) {
        const struct expr *span = template->spans[i].expr;

        if (span != NULL && (below[0] == NULL || span->depth > deepest)) {
            below[0] = span;
            deepest = span->depth;
        }
    }
    expr = expr_node(compiler, OP_TEMPLATE, offset, below, below[0] != NULL);
    if (expr == NULL) return NULL;
    expr->template = template;
    expr->kinds = EXPR_KIND(VALUE_STRING);
    return expr;
}

const struct expr *template_string(struct expr_compiler *compiler, const struct token *token)
{
    struct token next = compiler->token;
    uint32_t at = compiler->at, end = compiler->end;
    struct template_builder builder;

    if (compiler->nesting == EXPR_DEPTH_MAX) {
        expr_wrong(compiler, token->offset, 1, "too many levels in this expression");
        return NULL;
    }
    compiler->nesting++;
    compiler->at = token->offset + 1;
    compiler->end = token->offset + token->len - 1;
    template_begin(&builder, compiler->unit);
    template_parse(compiler, compiler->source->text[token->offset], &builder, TEMPLATE_PLAIN);
    compiler->nesting--;
    compiler->at = at;
    compiler->end = end;
    compiler->token = next;
    if (builder.failed) {
        if (!compiler->failed) expr_no_memory(compiler);
        return NULL;
    }
    return make_expr(compiler, token->offset, builder.template);
}

const struct expr *template_expr(const struct expr_unit *unit, const struct template *template)
{
    static const struct expr_source nowhere = {.text = "", .line = 1, .column = 1};
    struct expr_compiler compiler;

    expr_compiler_init(&compiler, unit, &nowhere);
    return make_expr(&compiler, 0, template);
}
