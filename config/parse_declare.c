/* `declare`: pseudo-providers of one endpoint, compiled and put in the order they need. */
#include <stdio.h>
#include <string.h>

#include "config/parse_endpoint.h"
#include "core/base/check.h"
#include "core/base/quote.h"

void parse_declare_names(struct endpoint_build *build)
{
    const struct yaml_node *node = fields_get(&build->fields, "declare");
    struct loader *loader = build->loader;
    struct load_entries *declares = &build->names.declares;

    if (node == NULL) return;
    if (node->kind != YAML_MAPPING) {
        diag_error(loader->diags, node->place, "'declare' is a mapping of names, not %s",
                   yaml_kind_name(node));
        return;
    }
    load_check_twice(loader, node);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct yaml_node *key = node->pairs[i].key;

        if (!dict_put(&declares->names, key->text, key->count, i)) loader->diags->failed = true;
        if (!load_entries_add(loader, declares, key, node->pairs[i].value)) return;
        if (dict_find(&loader->vars.names, key->text, key->count) == DICT_NONE) continue;
        diag_warn(loader->diags, key->place, "the declare '%s' is never seen: a var has that name",
                  quote(key->text).text);
    }
}

static void compile(struct endpoint_build *build, uint32_t index, struct testfile_declare *declare)
{
    const struct load_entry *entry = &build->names.declares.list[index];
    struct load_unit unit = {
        .loader = build->loader, .endpoint = &build->names, .declare = entry->key->text};

    declare->name = entry->key->text;
    declare->place = entry->key->place;
    expr_needs_init(&declare->needs, build->loader->arena);
    load_unit_init(&unit, &declare->needs);
    declare->expr = load_expression(&unit, entry->value);
}

/* A walk over declares that need one another. */
struct walk {
    struct endpoint_build *build;
    const struct testfile_declare *declares;
    uint32_t *order, count; /* Done, each behind those it needs. */
    uint32_t *path, depth;  /* From the first to the one at hand. */
    uint8_t *states;        /* 0: not seen, 1: on the path, 2: done. */
};

static void tell_cycle(struct walk *walk, uint32_t first)
{
    const struct testfile_declare *declare = &walk->declares[first];
    char names[200];
    size_t len = 0;
    uint32_t from = walk->depth;

    while (from > 0 && walk->path[from - 1] != first) {
        from--;
    }
    CHECK(from > 0);
    for (uint32_t i = from - 1; i < walk->depth && len + QUOTE_BYTES + 8 < sizeof(names); i++) {
        len += (size_t)snprintf(names + len, sizeof(names) - len, "'%s' needs ",
                                quote(walk->declares[walk->path[i]].name).text);
    }
    names[len] = '\0';
    diag_error(walk->build->loader->diags, declare->place, "a cycle in 'declare': %s'%s'", names,
               quote(declare->name).text);
}

/* Visits a declare after those it needs. The path is bounded, so that recursion is. */
static void visit(struct walk *walk, uint32_t index)
{
    const struct expr_needs *needs = &walk->declares[index].needs;

    if (walk->states[index] == 2) return;
    if (walk->states[index] == 1) {
        tell_cycle(walk, index);
        return;
    }
    if (walk->depth == DECLARE_DEPTH_MAX) {
        diag_error(walk->build->loader->diags, walk->declares[index].place,
                   "more than %d declares that need one another", DECLARE_DEPTH_MAX);
        return;
    }
    walk->states[index] = 1;
    walk->path[walk->depth++] = index;
    for (uint32_t i = 0; i < needs->uses_count; i++) {
        if (needs->uses[i].kind == EXPR_DECLARE) visit(walk, needs->uses[i].index);
    }
    walk->depth--;
    walk->states[index] = 2;
    walk->order[walk->count++] = index;
}

void parse_declares(struct endpoint_build *build)
{
    struct testfile_endpoint *endpoint = build->endpoint;
    struct loader *loader = build->loader;
    uint32_t count = build->names.declares.count;
    struct testfile_declare *declares = load_alloc(loader, count, sizeof(*declares));
    struct walk walk = {.build = build, .declares = declares};

    walk.order = load_alloc(loader, count, sizeof(*walk.order));
    walk.path = load_alloc(loader, DECLARE_DEPTH_MAX, sizeof(*walk.path));
    walk.states = load_alloc(loader, count, 1);
    if (loader->diags->failed) return;
    for (uint32_t i = 0; i < count; i++) {
        compile(build, i, &declares[i]);
    }
    endpoint->declares = declares;
    endpoint->declares_count = count;
    endpoint->declares_order = walk.order;
    for (uint32_t i = 0; i < endpoint->needs.uses_count; i++) {
        if (endpoint->needs.uses[i].kind == EXPR_DECLARE)
            visit(&walk, endpoint->needs.uses[i].index);
    }
    endpoint->declares_used = walk.count;
    for (uint32_t i = 0; i < count; i++) {
        if (walk.states[i] == 0) {
            diag_warn(loader->diags, declares[i].place, "the declare '%s' is never used",
                      quote(declares[i].name).text);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        visit(&walk, i); /* Cycles among those that are not used are cycles too. */
    }
}
