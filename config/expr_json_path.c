/* json_path(): "name.items.*.id", or "$.name.items.*.id" as RFC 9535 writes it, where $ holds all
 * names. The first plain names of the query are steps as everywhere, so that of a response's body
 * only the part is kept that the rest of the query looks at. */
#include <string.h>

#include "config/expr_compile.h"
#include "config/json_scan.h"

static bool is_name_byte(char c, bool first)
{
    unsigned char byte = (unsigned char)c;

    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
           byte >= 0x80 || (!first && json_is_digit(c)) || byte == '-' || byte == '$';
}

static uint32_t plain_name_len(const char *text, uint32_t len)
{
    uint32_t i = 0;

    while (i < len && is_name_byte(text[i], i == 0)) {
        i++;
    }
    return i;
}

/* The length of ".name" at the beginning of `text`, if it is one. */
static uint32_t plain_step_len(const char *text, uint32_t len)
{
    uint32_t name;

    if (len < 2 || text[0] != '.' || text[1] == '.' || text[1] == '-') return 0;
    name = plain_name_len(text + 1, len - 1);
    if (name == 0 || memchr(text + 1, '-', name) != NULL) return 0;
    if (memchr(text + 1, '$', name) != NULL) return 0;
    if (name == 6 && memcmp(text + 1, "length", 6) == 0) return 0;
    return name + 1;
}

/* The steps that can be taken before the query begins: all but the last segment, which the query
 * takes, as it tells null from nothing. */
static uint32_t leading_steps(const char *text, uint32_t len, uint32_t offset,
                              struct expr_step *steps, uint32_t *ret_count)
{
    uint32_t at = 0, count = 0, step;

    while (count < EXPR_STEPS_MAX && (step = plain_step_len(text + at, len - at)) > 0) {
        if (at + step == len) break;
        steps[count++] = (struct expr_step){.step = {.name = text + at + 1, .len = step - 1},
                                            .offset = offset + at + 1};
        at += step;
    }
    *ret_count = count;
    return at;
}

static bool in_set(const struct token *name, const char *text, const char *special)
{
    return name->len == strlen(special) && memcmp(text, special, name->len) == 0;
}

const struct expr *expr_json_path(struct expr_compiler *compiler, const struct token *query)
{
    const char *text = compiler->source->text + query->offset + 1;
    uint32_t len = query->len - 2, offset = query->offset + 1, begin = 0, count, used;
    struct expr_step steps[EXPR_STEPS_MAX];
    struct token name = {.kind = TOKEN_NAME};
    struct jsonpath_error error;
    const struct expr *base;
    struct expr *expr;

    if (len > 1 && text[0] == '$' && text[1] == '.') begin = 2;
    name.offset = offset + begin;
    name.len = plain_name_len(text + begin, len - begin);
    if (name.len == 0) {
        expr_wrong(compiler, offset, 1, "a query begins with a name, as in 'response.body.*'");
        return NULL;
    }
    begin += name.len;
    used = leading_steps(text + begin, len - begin, offset + begin, steps, &count);
    if (count == 0 && begin < len &&
        (in_set(&name, text + begin - name.len, "response") ||
         in_set(&name, text + begin - name.len, "request") ||
         in_set(&name, text + begin - name.len, "stats"))) {
        /* Do not make the whole of them for one member. */
        used = plain_step_len(text + begin, len - begin);
        if (used > 0) {
            steps[0] = (struct expr_step){.step = {.name = text + begin + 1, .len = used - 1},
                                          .offset = offset + begin + 1};
            count = 1;
        }
    }
    base = expr_resolve(compiler, &name, steps, count);
    if (base == NULL) return NULL;
    expr = expr_node(compiler, OP_JSONPATH, query->offset, &base, 1);
    if (expr == NULL) return NULL;
    expr->base = base;
    expr->jsonpath =
        jsonpath_compile(compiler->unit->arena, text + begin + used, len - begin - used, &error);
    expr->kinds = EXPR_KIND(VALUE_ARRAY);
    if (expr->jsonpath == NULL) {
        expr_wrong(compiler, offset + begin + used + (uint32_t)error.offset, 1, "%s",
                   error.message);
        return NULL;
    }
    return base->op == OP_CONSTANT ? expr_fold(compiler, expr) : expr;
}
