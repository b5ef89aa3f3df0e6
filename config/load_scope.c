#include "config/load_scope.h"

#include <string.h>

#include "core/base/check.h"
#include "core/base/nearest.h"
#include "core/base/quote.h"

static const struct {
    const char *name;
    enum expr_name_kind kind;
} specials[] = {
    {"request", EXPR_REQUEST},   {"response", EXPR_RESPONSE}, {"stats", EXPR_STATS},
    {"for_each", EXPR_FOR_EACH}, {"error", EXPR_ERROR},
};

static bool is_name(const char *known, const char *name, size_t len)
{
    return strncmp(known, name, len) == 0 && known[len] == '\0';
}

static bool sees(const struct load_unit *unit, enum expr_name_kind kind)
{
    if (kind == EXPR_ERROR) return unit->sees_error;
    return kind == EXPR_FOR_EACH ? unit->sees_for_each : unit->is_after;
}

static bool find_special(const struct load_unit *unit, const char *name, size_t len,
                         struct expr_name *ret_name)
{
    for (size_t i = 0; i < COUNT(specials); i++) {
        if (!sees(unit, specials[i].kind) || !is_name(specials[i].name, name, len)) continue;
        *ret_name = (struct expr_name){.kind = specials[i].kind};
        return true;
    }
    return false;
}

static bool find_provider(struct load_unit *unit, const char *name, size_t len,
                          struct expr_name *ret_name)
{
    struct endpoint_names *endpoint = unit->endpoint;
    uint32_t provider, slot;

    if (endpoint == NULL) return false;
    provider = dict_find(&unit->loader->providers.names, name, len);
    if (provider == DICT_NONE) return false;
    slot = dict_find(&endpoint->slots, name, len);
    if (slot == DICT_NONE) {
        const struct yaml_node *key = unit->loader->providers.list[provider].key;

        slot = endpoint->slots_count;
        if (!dict_put(&endpoint->slots, key->text, key->count, slot)) {
            unit->loader->diags->failed = true;
            return false;
        }
        endpoint->slot_providers[endpoint->slots_count++] = provider;
    }
    *ret_name = (struct expr_name){.kind = EXPR_PROVIDER, .index = slot};
    return true;
}

static bool find_declare(const struct load_unit *unit, const char *name, size_t len,
                         struct expr_name *ret_name)
{
    uint32_t index;

    if (unit->endpoint == NULL) return false;
    if (unit->declare != NULL && is_name(unit->declare, name, len)) return false;
    index = dict_find(&unit->endpoint->declares.names, name, len);
    if (index == DICT_NONE) return false;
    *ret_name = (struct expr_name){.kind = EXPR_DECLARE, .index = index};
    return true;
}

static const char *environment(const struct load_unit *unit, const char *name)
{
    const struct testfile_options *options = unit->loader->options;

    return options->environment == NULL ? NULL : options->environment(options->context, name);
}

/* A constant: the environment's, in strings of vars, or a var. */
static bool find_constant(struct load_unit *unit, const char *name, size_t len,
                          struct expr_name *ret_name)
{
    struct expr_name found = {.kind = EXPR_CONSTANT};

    if (unit->var != NULL) {
        const char *copy = arena_copy(unit->loader->arena, name, len);
        const char *text = copy == NULL ? NULL : environment(unit, copy);

        if (text != NULL) {
            found.value = value_str(text);
            *ret_name = found;
            return true;
        }
        if (is_name(unit->var, name, len)) return false;
    }
    if (dict_find(&unit->loader->vars.names, name, len) == DICT_NONE) return false;
    if (!load_var(unit->loader, name, len, &found.value)) unit->wrong = true;
    *ret_name = found;
    return true;
}

static bool find(void *context, const char *name, size_t len, bool is_provider,
                 struct expr_name *ret_name)
{
    struct load_unit *unit = context;

    if (is_provider) return find_provider(unit, name, len, ret_name);
    if (find_special(unit, name, len, ret_name)) return true;
    for (const struct load_local *local = unit->locals; local != NULL; local = local->outer) {
        if (!is_name(local->name, name, len)) continue;
        *ret_name = (struct expr_name){.kind = EXPR_LOCAL, .index = local->index};
        return true;
    }
    if (find_constant(unit, name, len, ret_name)) return true;
    if (unit->declare != NULL) {
        return find_provider(unit, name, len, ret_name) || find_declare(unit, name, len, ret_name);
    }
    return find_declare(unit, name, len, ret_name) || find_provider(unit, name, len, ret_name);
}

static bool counter(void *context, const char *name, size_t len, uint32_t *ret_index)
{
    struct loader *loader = ((struct load_unit *)context)->loader;
    uint32_t index = dict_find(&loader->counters, name, len);

    if (index == DICT_NONE) {
        const char *copy;

        index = loader->file->counters_count;
        if (index == TESTFILE_COUNTERS_MAX) return false;
        copy = arena_copy(loader->arena, name, len);
        if (copy == NULL || !dict_put(&loader->counters, copy, len, index)) {
            loader->diags->failed = true;
            return false;
        }
        loader->file->counters_count++;
    }
    *ret_index = index;
    return true;
}

static const char *scope_environment(void *context, const char *name)
{
    return environment(context, name);
}

static void offer_entries(struct nearest *nearest, const struct load_entries *entries)
{
    for (uint32_t i = 0; i < entries->count; i++) {
        (void)nearest_offer(nearest, entries->list[i].key->text);
    }
}

/* What somebody may have meant by an unknown name, or NULL. */
static const char *nearest_name(const struct load_unit *unit, const char *name)
{
    struct nearest nearest = nearest_to(name, strlen(name));

    for (size_t i = 0; i < COUNT(specials); i++) {
        if (sees(unit, specials[i].kind)) (void)nearest_offer(&nearest, specials[i].name);
    }
    for (const struct load_local *local = unit->locals; local != NULL; local = local->outer) {
        (void)nearest_offer(&nearest, local->name);
    }
    for (uint32_t i = 0; i < unit->loader->vars.count; i++) {
        const char *var = unit->loader->vars.list[i].key->text;

        if (unit->var == NULL || strcmp(unit->var, var) != 0) (void)nearest_offer(&nearest, var);
    }
    if (unit->endpoint != NULL) {
        offer_entries(&nearest, &unit->endpoint->declares);
        offer_entries(&nearest, &unit->loader->providers);
    }
    return nearest.best;
}

static const char *nearest_function(const char *name)
{
    struct nearest nearest = nearest_to(name, strlen(name));

    for (size_t i = 0; expr_function_name(i) != NULL; i++) {
        (void)nearest_offer(&nearest, expr_function_name(i));
    }
    return nearest.best;
}

static void tell_unknown_name(struct load_unit *unit, struct place place, const char *name)
{
    struct diags *diags = unit->loader->diags;
    size_t len = strlen(name);

    for (size_t i = 0; i < COUNT(specials); i++) {
        if (strcmp(specials[i].name, name) != 0) continue;
        diag_error(diags, place, "'%s' is not known here, where %s", name,
                   specials[i].kind == EXPR_ERROR ? "there is no logger"
                   : unit->is_after               ? "there is no select"
                   : unit->endpoint == NULL       ? "the file is loaded"
                                                  : "the request is still to be made");
        return;
    }
    if (unit->endpoint == NULL && unit->var == NULL &&
        dict_find(&unit->loader->providers.names, name, len) != DICT_NONE) {
        diag_error(diags, place, "'%s' is a provider; only vars are known where the file is loaded",
                   quote(name).text);
        return;
    }
    if (unit->declare != NULL && strcmp(unit->declare, name) == 0) {
        diag_error(diags, place,
                   "in 'declare' its own name means a provider, and there is none "
                   "called '%s'",
                   quote(name).text);
        return;
    }
    if (unit->var != NULL && strcmp(unit->var, name) == 0) {
        diag_error(diags, place, "the environment variable '%s' is not set", quote(name).text);
    } else if (unit->var != NULL) {
        diag_error(diags, place, "'%s' is neither set in the environment nor another var",
                   quote(name).text);
    } else {
        diag_error(diags, place, "unknown name '%s'", quote(name).text);
    }
    diag_did_you_mean(diags, nearest_name(unit, name));
}

static void on_problem(void *context, const struct expr_problem *problem)
{
    struct load_unit *unit = context;
    struct diags *diags = unit->loader->diags;
    struct place place;

    CHECK(unit->node != NULL);
    if (strncmp(problem->message, "no memory", 9) == 0) { /* Nothing is wrong with the file. */
        diags->failed = unit->wrong = true;
        return;
    }
    place = unit->node->place;
    if (unit->node->kind == YAML_SCALAR) {
        place = yaml_place_in(unit->node, problem->offset, problem->len, diags);
    }
    if (problem->is_warning) {
        diag_warn(diags, place, "%s", problem->message);
        return;
    }
    unit->wrong = true;
    if (problem->unknown != NULL && !problem->unknown_is_function) {
        tell_unknown_name(unit, place, problem->unknown);
        return;
    }
    diag_error(diags, place, "%s", problem->message);
    if (problem->unknown != NULL) diag_did_you_mean(diags, nearest_function(problem->unknown));
}

void load_unit_init(struct load_unit *unit, struct expr_needs *needs)
{
    unit->scope = (struct expr_scope){
        .find = find,
        .counter = unit->endpoint != NULL ? counter : NULL,
        .environment = scope_environment,
        .context = unit,
        .pops = unit->declare != NULL,
    };
    unit->unit = (struct expr_unit){
        .arena = unit->loader->arena,
        .scope = &unit->scope,
        .needs = needs,
        .problem = on_problem,
        .problem_context = unit,
    };
}

static struct expr_source source_of(const struct yaml_node *node)
{
    return (struct expr_source){.text = node->text,
                                .len = node->count,
                                .line = node->place.line,
                                .column = node->place.column};
}

static bool is_text(struct load_unit *unit, const struct yaml_node *node, const char *what)
{
    if (node->kind == YAML_SCALAR) return true;
    unit->wrong = true;
    diag_error(unit->loader->diags, node->place, "%s is text, not %s", what, yaml_kind_name(node));
    return false;
}

const struct template *load_template(struct load_unit *unit, const struct yaml_node *node)
{
    struct expr_source source;

    if (!is_text(unit, node, "a template")) return NULL;
    source = source_of(node);
    unit->node = node;
    return template_compile(&unit->unit, &source);
}

const struct expr *load_expression(struct load_unit *unit, const struct yaml_node *node)
{
    struct expr_source source;

    if (!is_text(unit, node, "an expression")) return NULL;
    source = source_of(node);
    unit->node = node;
    return expr_compile(&unit->unit, &source);
}

struct testfile_text load_template_text(struct load_unit *unit, const struct yaml_node *node)
{
    struct testfile_text text = {.compiled = load_template(unit, node), .place = node->place};

    text.text = node->kind == YAML_SCALAR ? node->text : "";
    return text;
}

const char *load_render(struct load_unit *unit, const struct template *compiled, size_t *ret_len)
{
    struct loader *loader = unit->loader;
    struct scratch scratch;
    struct expr_env env = {
        .scratch = &scratch, .rng = &loader->rng, .wall_ns = loader->options->wall_ns};
    const char *text;
    struct buf buf;
    enum expr_error error;

    if (template_is_constant(compiled, &text, ret_len)) return text;
    if (loader->work == NULL) loader->work = load_alloc(loader, 2, LOAD_TEXT_BYTES_MAX);
    if (loader->work == NULL) return NULL;
    scratch_init(&scratch, loader->work, LOAD_TEXT_BYTES_MAX);
    buf_init(&buf, (char *)loader->work + LOAD_TEXT_BYTES_MAX, LOAD_TEXT_BYTES_MAX);
    error = template_render(compiled, &env, &buf);
    if (error != EXPR_OK) {
        unit->wrong = true;
        diag_error(loader->diags, yaml_place_in(unit->node, env.error_offset, 1, loader->diags),
                   "%s", expr_error_text(error));
        return NULL;
    }
    text = arena_copy(loader->arena, buf.data, buf.len);
    if (text == NULL) loader->diags->failed = true;
    *ret_len = buf.len;
    return text;
}

static void no_memory(struct loader *loader)
{
    loader->diags->failed = true;
}

/* Makes an array or object of the parts' expressions. `leaf` compiles a scalar. */
typedef const struct expr *leaf_fn(struct load_unit *unit, const struct yaml_node *node);

static const struct expr *shape(struct load_unit *unit, const struct yaml_node *node, leaf_fn *leaf)
{
    struct loader *loader = unit->loader;
    const struct expr **parts;
    struct value *keys;
    bool wrong = false;

    if (node->kind == YAML_SCALAR) return leaf(unit, node);
    load_check_twice(loader, node);
    parts = load_alloc(loader, node->count, sizeof(void *));
    keys = load_alloc(loader, node->count, sizeof(*keys));
    if (parts == NULL || keys == NULL) return NULL;
    for (uint32_t i = 0; i < node->count; i++) {
        bool mapping = node->kind == YAML_MAPPING;

        parts[i] = shape(unit, mapping ? node->pairs[i].value : node->items[i], leaf);
        wrong |= parts[i] == NULL;
        if (!mapping) continue;
        keys[i] = value_string(node->pairs[i].key->text, node->pairs[i].key->count);
    }
    if (wrong || loader->diags->errors > 0) return NULL; /* A key may have come twice. */
    unit->node = node;
    if (node->kind == YAML_SEQUENCE) return expr_array(&unit->unit, parts, node->count);
    return expr_object(&unit->unit, keys, parts, node->count);
}

/* The JSON value of a plain scalar; false when it is none. */
static bool plain_json(struct load_unit *unit, const struct yaml_node *node,
                       struct value *ret_value)
{
    struct json_error error;

    if (yaml_is_null(node) && node->tag == YAML_TAG_NULL) {
        *ret_value = value_null();
        return true;
    }
    if (!node->plain || node->tag == YAML_TAG_STR) return false;
    if (yaml_is(node, "NaN")) {
        *ret_value = value_null();
        return true;
    }
    if (json_parse_arena(node->text, node->count, unit->loader->arena, ret_value, &error)) {
        return true;
    }
    if (error.is_memory) no_memory(unit->loader);
    return false;
}

static const struct expr *expression_leaf(struct load_unit *unit, const struct yaml_node *node)
{
    struct value value;

    unit->node = node;
    if (plain_json(unit, node, &value)) return expr_constant(&unit->unit, &value);
    return load_expression(unit, node);
}

/* True of "${...}" with nothing beside it: one expression. */
static bool is_one_expression(const struct yaml_node *node)
{
    size_t len = node->count;

    if (!node->plain || len < 4 || strncmp(node->text, "${", 2) != 0) return false;
    return strcspn(node->text + 2, "{}") == len - 3 && node->text[len - 1] == '}';
}

static const struct expr *template_leaf(struct load_unit *unit, const struct yaml_node *node)
{
    const struct template *compiled;
    struct value value;

    unit->node = node;
    if (plain_json(unit, node, &value)) return expr_constant(&unit->unit, &value);
    if (is_one_expression(node)) {
        struct yaml_node *inner = load_alloc(unit->loader, 1, sizeof(*inner));

        if (inner == NULL) return NULL;
        *inner = *node;
        inner->text = arena_copy(unit->loader->arena, node->text + 2, node->count - 3);
        inner->count -= 3;
        inner->place.column += 2;
        if (inner->text == NULL) {
            no_memory(unit->loader);
            return NULL;
        }
        return load_expression(unit, inner);
    }
    compiled = load_template(unit, node);
    return compiled == NULL ? NULL : template_expr(&unit->unit, compiled);
}

const struct expr *load_shape(struct load_unit *unit, const struct yaml_node *node)
{
    return shape(unit, node, expression_leaf);
}

const struct expr *load_json_shape(struct load_unit *unit, const struct yaml_node *node)
{
    return shape(unit, node, template_leaf);
}
