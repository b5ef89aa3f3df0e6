/* load_scope: the names that expressions and templates see at one place of a test file, and the
 * way from what is wrong in them to its place in the file. */
#ifndef CONFIG_LOAD_SCOPE_H
#define CONFIG_LOAD_SCOPE_H

#include "config/load_impl.h"

/* The names of one endpoint. */
struct endpoint_names {
    struct dict slots;        /* Provider → slot. */
    uint32_t *slot_providers; /* [slots_count], of loader->providers.count. */
    uint32_t slots_count;
    struct load_entries declares; /* In the order of the file. */
};

/* An array of `with` that is visible, and what is around it. */
struct load_local {
    const char *name;
    uint32_t index;
    const struct load_local *outer;
};

/* A place. Fill in what is seen, then load_unit_init(). */
struct load_unit {
    struct loader *loader;
    struct endpoint_names *endpoint; /* NULL: vars alone. */
    const struct load_local *locals;
    const char *var;     /* Strings of vars: the var whose string it is; the environment is seen. */
    const char *declare; /* In `declare`: its name. */
    bool is_after;       /* request, response and stats are seen. */
    bool sees_for_each;  /* for_each is seen. */
    bool sees_error;     /* error is seen. */
    /* Made by load_unit_init(). */
    struct expr_unit unit;
    struct expr_scope scope;
    const struct yaml_node *node; /* Of what is being compiled. */
    bool wrong;                   /* Some error was told. */
};

/* Makes `unit` ready to compile with these needs. It must not move afterwards. */
void load_unit_init(struct load_unit *unit, struct expr_needs *needs);

/* Compile a scalar; NULL, with the reason told, when it is wrong, or no scalar. */
const struct template *load_template(struct load_unit *unit, const struct yaml_node *node);
const struct expr *load_expression(struct load_unit *unit, const struct yaml_node *node);

/* A template as a whole: text and place too. `compiled` is NULL when it is wrong. */
struct testfile_text load_template_text(struct load_unit *unit, const struct yaml_node *node);

/* A shape whose strings are expressions (plain scalars that are JSON are that). NULL when wrong. */
const struct expr *load_shape(struct load_unit *unit, const struct yaml_node *node);

/* A JSON body: strings are templates, a plain "${...}" alone is the value itself. */
const struct expr *load_json_shape(struct load_unit *unit, const struct yaml_node *node);

/* Renders a template at load; NULL, with the reason told, when that fails. Terminated. */
const char *load_render(struct load_unit *unit, const struct template *compiled, size_t *ret_len);

#endif
