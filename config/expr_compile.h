/* expr_compile: the compiler of expressions, shared by its parts. Private to config/. */
#ifndef CONFIG_EXPR_COMPILE_H
#define CONFIG_EXPR_COMPILE_H

#include "config/expr_impl.h"
#include "core/base/text.h"

enum token_kind {
    TOKEN_END,
    TOKEN_NAME,
    TOKEN_NUMBER,
    TOKEN_STRING, /* With its quotes. */
    TOKEN_SIGN,   /* One or two characters, in `sign`. */
    TOKEN_WRONG,  /* Has been told. */
};

#define SIGN(a, b) ((uint32_t)(a) << 8 | (uint32_t)(b))

struct token {
    enum token_kind kind;
    uint32_t offset, len; /* In the source text. */
    uint32_t sign;        /* SIGN('=', '=') or SIGN(0, '+') */
};

enum { FOLD_BYTES = 64 * 1024 }; /* Constants whose making takes more stay unfolded. */

struct expr_compiler {
    const struct expr_unit *unit;
    const struct expr_source *source;
    uint32_t at, end;   /* What is not read yet of the present piece of the text. */
    struct token token; /* The next one. */
    uint32_t nesting;   /* Of calls of the parser. */
    bool failed;
    bool collecting; /* Inside of collect(). */
    _Alignas(SCRATCH_ALIGN) char fold[FOLD_BYTES];
};

void expr_compiler_init(struct expr_compiler *compiler, const struct expr_unit *unit,
                        const struct expr_source *source);

/* Tells an error at these bytes of the source and marks the compiler failed. */
void expr_wrong(struct expr_compiler *compiler, uint32_t offset, uint32_t len, const char *format,
                ...) PRINTF_LIKE(4, 5);
void expr_warn(struct expr_compiler *compiler, uint32_t offset, uint32_t len, const char *format,
               ...) PRINTF_LIKE(4, 5);
/* The same of a name, or function, that is not known. */
void expr_unknown(struct expr_compiler *compiler, const struct token *token, bool is_function);
/* The arena is full. */
void expr_no_memory(struct expr_compiler *compiler);

/* Reads the next token into compiler->token. */
void expr_next(struct expr_compiler *compiler);
bool expr_is_sign(const struct expr_compiler *compiler, uint32_t sign);

/* Parses an expression from compiler->token on; NULL when it is wrong. */
MUST_USE const struct expr *expr_parse(struct expr_compiler *compiler);

/* A new node; NULL (told) when the arena is full or it would be too deep above `below`. */
MUST_USE struct expr *expr_node(struct expr_compiler *compiler, enum expr_op op, uint32_t offset,
                                const struct expr *const *below, size_t below_count);
MUST_USE const struct expr *expr_node_constant(struct expr_compiler *compiler, uint32_t offset,
                                               const struct value *value);

/* The node, or a constant in its place if its value can be computed now. */
MUST_USE const struct expr *expr_fold(struct expr_compiler *compiler, const struct expr *expr);

/* `name` with the steps that follow it. */
MUST_USE const struct expr *expr_resolve(struct expr_compiler *compiler, const struct token *name,
                                         const struct expr_step *steps, uint32_t steps_count);
MUST_USE const struct expr *expr_path(struct expr_compiler *compiler, const struct expr *base,
                                      const struct expr_step *steps, uint32_t steps_count);
/* json_path(); the token of its query. */
MUST_USE const struct expr *expr_json_path(struct expr_compiler *compiler,
                                           const struct token *query);
/* Adds to needs what a mention of it reads. */
MUST_USE bool expr_need_field(struct expr_compiler *compiler, const struct expr_field *field);

/* Parses a text with ${…} in it from compiler->at to compiler->end. `quote`: it stands inside a
 * string in these quotes, else 0. Adds its parts to the builder. */
void template_parse(struct expr_compiler *compiler, char quote, struct template_builder *builder,
                    enum template_escape escape);
/* The string of a token as an expression. */
MUST_USE const struct expr *template_string(struct expr_compiler *compiler,
                                            const struct token *token);

/* An argument of a call that must be a constant string; NULL (told) when it is not. */
MUST_USE const struct value *expr_constant_text(struct expr_compiler *compiler,
                                                const struct expr *arg);

/* For the lists of needs: room for one more element in an array that doubles; false when the arena
 * is full. */
MUST_USE bool expr_grow(struct arena *arena, void *array_pointer, uint32_t count,
                        size_t element_size);

#endif
