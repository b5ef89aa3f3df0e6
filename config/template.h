/* template: text with ${expression} in it.
 *
 * Compiled into spans: constant text (with all that is constant already in it) and expressions. A
 * template may be put together from several texts, so that a whole request head is one. "\${" is
 * a literal "${"; of several backslashes before "${" an odd number makes it literal, and only the
 * last one goes.
 *
 * Threads: compiled templates never change. */
#ifndef CONFIG_TEMPLATE_H
#define CONFIG_TEMPLATE_H

#include "config/expr.h"

struct template; /* Compiled; lives in the unit's arena. */

/* What becomes of the text of the expressions; what stands between them is taken as it is. */
enum template_escape {
    TEMPLATE_PLAIN,
    TEMPLATE_JSON,   /* Escaped to stand inside a JSON string. */
    TEMPLATE_HEADER, /* CR, LF and NUL are EXPR_TEXT. */
};

/* Compiles one text. NULL when it is wrong, as expr_compile(). */
MUST_USE const struct template *template_compile(const struct expr_unit *unit,
                                                 const struct expr_source *source);

/* The same in parts. A part that is wrong makes template_end() return NULL; the others are still
 * looked at, so that all problems are told. */
struct template_builder {
    const struct expr_unit *unit;
    struct template *template;
    uint32_t capacity;
    bool failed;
};

void template_begin(struct template_builder *builder, const struct expr_unit *unit);
void template_add_text(struct template_builder *builder, const char *text,
                       size_t len); /* Copied. */
void template_add(struct template_builder *builder, const struct expr_source *source,
                  enum template_escape escape);
void template_add_expr(struct template_builder *builder, const struct expr *expr,
                       enum template_escape escape);
MUST_USE const struct template *template_end(struct template_builder *builder);

/* True if there is nothing to evaluate; `ret_text` (terminated too) and `ret_len` are then the
 * text, which lives as long as the template. */
bool template_is_constant(const struct template *template, const char **ret_text, size_t *ret_len);

/* The text with `mark` in the place of each expression, terminated, in `arena`; NULL when that is
 * full. */
MUST_USE const char *template_outline(const struct template *template, const char *mark,
                                      struct arena *arena);

/* Adds the text to `buf`. An error of evaluation as expr_eval(); EXPR_TOO_LARGE when the buffer is
 * full, EXPR_TEXT as above. What is in the buffer is then of no use. What the evaluation takes of
 * the scratch is given back. */
MUST_USE enum expr_error template_render(const struct template *template, struct expr_env *env,
                                         struct buf *buf);

/* The same as a string in the scratch, of which it may fill half: else EXPR_FULL. */
MUST_USE enum expr_error template_text(const struct template *template, struct expr_env *env,
                                       struct value *ret_string);

/* An expression whose value is the text, for shapes with templates in them. NULL as
 * expr_constant(). */
MUST_USE const struct expr *template_expr(const struct expr_unit *unit,
                                          const struct template *template);

#endif
