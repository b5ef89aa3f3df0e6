/* Vars, and whatever else is made of text while a file is loaded: templates over vars, and JSON
 * values as they stand in YAML. */
#include <string.h>

#include "config/load_scope.h"
#include "core/base/check.h"
#include "core/base/quote.h"

void load_check_twice(struct loader *loader, const struct yaml_node *mapping)
{
    struct dict seen;

    if (mapping->kind != YAML_MAPPING || mapping->count < 2) return;
    dict_init(&seen, loader->diags->arena);
    for (uint32_t i = 0; i < mapping->count; i++) {
        const struct yaml_node *key = mapping->pairs[i].key;
        uint32_t first = dict_find(&seen, key->text, key->count);

        if (first != DICT_NONE) {
            diag_error(loader->diags, key->place, "'%s' is given twice; the first is in line %u",
                       quote(key->text).text, mapping->pairs[first].key->place.line);
        } else if (!dict_put(&seen, key->text, key->count, i)) {
            loader->diags->failed = true;
            return;
        }
    }
}

/* True if a text may hold something that a template changes. */
static bool is_template(const struct yaml_node *node)
{
    return strstr(node->text, "${") != NULL;
}

/* Renders a scalar as a template over vars, for the var `var` if that is not NULL. NULL when wrong,
 * with the reason told. */
static const char *render(struct loader *loader, const struct yaml_node *node, const char *var,
                          size_t *ret_len)
{
    struct load_unit unit = {.loader = loader, .var = var};
    const struct template *compiled;
    struct expr_needs needs;

    if (!is_template(node)) {
        *ret_len = node->count;
        return node->text;
    }
    expr_needs_init(&needs, loader->arena);
    load_unit_init(&unit, &needs);
    compiled = load_template(&unit, node);
    if (compiled == NULL || unit.wrong) return NULL;
    return load_render(&unit, compiled, ret_len);
}

const char *load_text(struct loader *loader, const struct yaml_node *node)
{
    const char *text;
    size_t len;

    CHECK(node->kind == YAML_SCALAR);
    text = render(loader, node, NULL, &len);
    if (text == NULL || strlen(text) == len) return text;
    diag_error(loader->diags, node->place, "the text holds a NUL character");
    return NULL;
}

/* How strings become values. */
struct reading {
    const char *var; /* Vars: the name. */
    bool templates;
    bool all; /* Quoted ones that are JSON become that too. */
};

static struct value text_value(struct loader *loader, const struct yaml_node *node,
                               const struct reading *reading)
{
    struct json_error error;
    struct value value;
    size_t len = node->count;
    const char *text = node->text;
    bool plain = node->plain && node->tag != YAML_TAG_STR;

    if (node->tag == YAML_TAG_NULL) return value_null();
    if (reading->templates) text = render(loader, node, reading->var, &len);
    if (text == NULL) return value_null();
    if (plain && strcmp(text, "NaN") == 0) return value_null();
    if (plain || reading->all) {
        if (json_parse_arena(text, len, loader->arena, &value, &error)) return value;
        if (error.is_memory) loader->diags->failed = true;
    }
    return value_string(text, len);
}

static struct value node_value(struct loader *loader, const struct yaml_node *node,
                               const struct reading *reading)
{
    struct value value = value_null();
    struct value_member *members = NULL;
    struct value *elements = NULL;
    bool done;

    if (node->kind == YAML_SCALAR) return text_value(loader, node, reading);
    if (node->kind == YAML_MAPPING) {
        uint32_t errors = loader->diags->errors;

        load_check_twice(loader, node);
        if (loader->diags->errors > errors) return value;
        members = load_alloc(loader, node->count, sizeof(*members));
        if (members == NULL) return value;
    } else {
        elements = load_alloc(loader, node->count, sizeof(*elements));
        if (elements == NULL) return value;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        if (members != NULL) {
            const struct yaml_node *key = node->pairs[i].key;

            members[i].key = value_string(key->text, key->count);
            members[i].value = node_value(loader, node->pairs[i].value, reading);
        } else {
            elements[i] = node_value(loader, node->items[i], reading);
        }
    }
    done = members != NULL ? value_object(members, node->count, &value)
                           : value_array(elements, node->count, &value);
    if (!done) {
        diag_error(loader->diags, node->place, "a value deeper than %d levels", VALUE_DEPTH_MAX);
    }
    return value;
}

struct value load_value(struct loader *loader, const struct yaml_node *node, bool templates,
                        bool all)
{
    struct reading reading = {.templates = templates, .all = all};

    return node_value(loader, node, &reading);
}

/* Tells of the vars that are being evaluated, from `first` on, as a cycle. */
static void tell_cycle(struct loader *loader, uint32_t first)
{
    const struct load_entry *entry = &loader->vars.list[first];
    char names[160] = "";
    size_t len = 0;

    for (uint32_t i = 0; i < loader->vars.count; i++) {
        const struct load_entry *other = &loader->vars.list[i];
        struct quote name = quote(other->key->text);
        size_t bytes = strlen(name.text);

        if (!other->busy || len + bytes + 6 > sizeof(names)) continue;
        if (len > 0) {
            memcpy(names + len, ", ", 2);
            len += 2;
        }
        memcpy(names + len, name.text, bytes + 1);
        len += bytes;
    }
    diag_error(loader->diags, entry->key->place, "vars that need each other: %s", names);
}

static void evaluate(struct loader *loader, uint32_t index)
{
    struct load_entry *entry = &loader->vars.list[index];
    struct reading reading = {.var = entry->key->text, .templates = true, .all = true};
    struct testfile_var *var = &loader->var_values[index];
    uint32_t errors = loader->diags->errors;

    if (entry->done) return;
    if (entry->busy) {
        tell_cycle(loader, index);
        return;
    }
    entry->busy = true;
    var->name = entry->key->text;
    var->place = entry->key->place;
    var->value = node_value(loader, entry->value, &reading);
    entry->wrong = loader->diags->errors > errors;
    entry->busy = false;
    entry->done = true;
}

bool load_var(struct loader *loader, const char *name, size_t len, struct value *ret_value)
{
    uint32_t index = dict_find(&loader->vars.names, name, len);

    *ret_value = value_null();
    if (index == DICT_NONE || loader->var_values == NULL) return false;
    evaluate(loader, index);
    if (!loader->vars.list[index].done || loader->vars.list[index].wrong) return false;
    *ret_value = loader->var_values[index].value;
    return true;
}

void parse_vars(struct loader *loader)
{
    loader->var_values = load_alloc(loader, loader->vars.count, sizeof(*loader->var_values));
    if (loader->var_values == NULL) return;
    for (uint32_t i = 0; i < loader->vars.count; i++) {
        evaluate(loader, i);
    }
    loader->file->vars = loader->var_values;
    loader->file->vars_count = loader->vars.count;
}
