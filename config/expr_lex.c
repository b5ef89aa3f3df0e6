/* Tokens of expressions, and how problems are told. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/expr_compile.h"
#include "config/json_scan.h"
#include "core/base/quote.h"

void expr_compiler_init(struct expr_compiler *compiler, const struct expr_unit *unit,
                        const struct expr_source *source)
{
    compiler->unit = unit;
    compiler->source = source;
    compiler->at = 0;
    compiler->end = (uint32_t)source->len;
    compiler->token = (struct token){.kind = TOKEN_END};
    compiler->nesting = 0;
    compiler->failed = false;
    compiler->collecting = false;
}

/* Fills in the place and tells. */
static void tell(struct expr_compiler *compiler, struct expr_problem *problem)
{
    const struct expr_source *source = compiler->source;

    problem->line = source->line;
    problem->column = source->column;
    for (uint32_t i = 0; i < problem->offset; i++) {
        if (source->text[i] == '\n') {
            problem->line++;
            problem->column = 1;
        } else {
            problem->column++;
        }
    }
    if (problem->len == 0 && problem->offset < source->len) problem->len = 1;
    if (!problem->is_warning) compiler->failed = true;
    if (compiler->unit->problem != NULL) {
        compiler->unit->problem(compiler->unit->problem_context, problem);
    }
}

enum { MESSAGE_BYTES = 240 };

void expr_wrong(struct expr_compiler *compiler, uint32_t offset, uint32_t len, const char *format,
                ...)
{
    char message[MESSAGE_BYTES];
    struct expr_problem problem = {.offset = offset, .len = len, .message = message};
    va_list args;

    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    tell(compiler, &problem);
}

void expr_warn(struct expr_compiler *compiler, uint32_t offset, uint32_t len, const char *format,
               ...)
{
    char message[MESSAGE_BYTES];
    struct expr_problem problem = {
        .offset = offset, .len = len, .message = message, .is_warning = true};
    va_list args;

    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    tell(compiler, &problem);
}

void expr_unknown(struct expr_compiler *compiler, const struct token *token, bool is_function)
{
    char message[MESSAGE_BYTES], name[128];
    struct expr_problem problem = {.offset = token->offset,
                                   .len = token->len,
                                   .message = message,
                                   .unknown = name,
                                   .unknown_is_function = is_function};
    const char *text = compiler->source->text + token->offset;

    (void)snprintf(name, sizeof(name), "%.*s", (int)token->len, text);
    (void)snprintf(message, sizeof(message), "there is no %s '%s'%s",
                   is_function ? "function" : "name", quote_len(text, token->len).text,
                   is_function ? "" : " here");
    tell(compiler, &problem);
}

void expr_no_memory(struct expr_compiler *compiler)
{
    if (!compiler->failed) expr_wrong(compiler, 0, 1, "no memory for this expression");
    compiler->failed = true;
}

static bool starts_name(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || c >= 0x80;
}

static uint32_t name_len(const char *text, uint32_t len)
{
    uint32_t i = 0;

    while (i < len && (starts_name((unsigned char)text[i]) || json_is_digit(text[i]))) {
        i++;
    }
    return i;
}

/* Digits, and what may follow them in a number. */
static uint32_t number_len(const char *text, uint32_t len)
{
    uint32_t i = 0, exponent;

    while (i < len && json_is_digit(text[i])) {
        i++;
    }
    if (i + 1 < len && text[i] == '.' && json_is_digit(text[i + 1])) {
        for (i++; i < len && json_is_digit(text[i]); i++) {
        }
    }
    exponent = i;
    if (exponent < len && (text[exponent] == 'e' || text[exponent] == 'E')) {
        exponent++;
        if (exponent < len && (text[exponent] == '+' || text[exponent] == '-')) exponent++;
        if (exponent < len && json_is_digit(text[exponent])) {
            for (i = exponent; i < len && json_is_digit(text[i]); i++) {
            }
        }
    }
    return i;
}

static void lex_number(struct expr_compiler *compiler, struct token *token, const char *text,
                       uint32_t len)
{
    token->kind = TOKEN_NUMBER;
    token->len = number_len(text, len);
    if (token->len < len && starts_name((unsigned char)text[token->len])) {
        token->len += name_len(text + token->len, len - token->len);
        token->kind = TOKEN_WRONG;
        expr_wrong(compiler, token->offset, token->len, "'%s' is neither a number nor a name",
                   quote_len(text, token->len).text);
    } else if (token->len > 1 && text[0] == '0' && json_is_digit(text[1])) {
        token->kind = TOKEN_WRONG;
        expr_wrong(compiler, token->offset, token->len, "a number does not begin with 0");
    }
}

/* To the same quote; a backslash keeps the next character from closing the string. */
static void lex_string(struct expr_compiler *compiler, struct token *token, const char *text,
                       uint32_t len)
{
    for (uint32_t i = 1; i < len; i++) {
        if (text[i] == '\\') {
            i++;
        } else if (text[i] == text[0]) {
            token->kind = TOKEN_STRING;
            token->len = i + 1;
            return;
        }
    }
    token->kind = TOKEN_WRONG;
    token->len = len;
    expr_wrong(compiler, token->offset, 1, "the string that begins here does not end");
}

static void lex_sign(struct expr_compiler *compiler, struct token *token, const char *text,
                     uint32_t len)
{
    static const char pairs[][3] = {"==", "!=", "<=", ">=", "&&", "||"};
    unsigned char c = (unsigned char)text[0];

    token->kind = TOKEN_SIGN;
    token->len = 1;
    token->sign = SIGN(0, c);
    for (size_t i = 0; i < COUNT(pairs); i++) {
        if (len > 1 && text[0] == pairs[i][0] && text[1] == pairs[i][1]) {
            token->len = 2;
            token->sign = SIGN(c, (unsigned char)text[1]);
            return;
        }
    }
    if (strchr("+-*/%!<>()[].,}", c) != NULL && c != '\0') return;
    token->kind = TOKEN_WRONG;
    if (c == '=' || c == '&' || c == '|') {
        expr_wrong(compiler, token->offset, 1, "a single '%c' means nothing; write '%c%c'", c, c,
                   c);
    } else {
        expr_wrong(compiler, token->offset, 1, "'%s' means nothing in an expression",
                   quote_len(text, 1).text);
    }
}

void expr_next(struct expr_compiler *compiler)
{
    const char *text = compiler->source->text;
    struct token *token = &compiler->token;
    uint32_t left;
    char c;

    while (compiler->at < compiler->end && json_is_space(text[compiler->at])) {
        compiler->at++;
    }
    *token = (struct token){.kind = TOKEN_END, .offset = compiler->at};
    if (compiler->at == compiler->end) return;
    left = compiler->end - compiler->at;
    text += compiler->at;
    c = text[0];
    if (starts_name((unsigned char)c)) {
        token->kind = TOKEN_NAME;
        token->len = name_len(text, left);
    } else if (json_is_digit(c)) {
        lex_number(compiler, token, text, left);
    } else if (c == '"' || c == '\'' || c == '`') {
        lex_string(compiler, token, text, left);
    } else {
        lex_sign(compiler, token, text, left);
    }
    compiler->at += token->len;
}

bool expr_is_sign(const struct expr_compiler *compiler, uint32_t sign)
{
    return compiler->token.kind == TOKEN_SIGN && compiler->token.sign == sign;
}
