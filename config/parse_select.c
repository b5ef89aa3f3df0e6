/* `select`, `for_each`, `where` and `with`. */
#include "config/parse_endpoint.h"

/* Reads the expressions of `for_each`. */
static void parse_for_each(struct load_unit *unit, const struct yaml_node *node,
                           struct select *select)
{
    struct loader *loader = unit->loader;
    const struct expr **lists;

    if (node == NULL || (node->kind == YAML_SEQUENCE && node->count == 0)) return;
    if (node->kind != YAML_SEQUENCE || node->count > SELECT_LISTS_MAX) {
        diag_error(loader->diags, node->place, "'for_each' is a sequence of 1 to %d expressions",
                   SELECT_LISTS_MAX);
        return;
    }
    lists = load_alloc(loader, node->count, sizeof(void *));
    if (lists == NULL) return;
    for (uint32_t i = 0; i < node->count; i++) {
        lists[i] = load_expression(unit, node->items[i]);
    }
    select->for_each = lists;
    select->for_each_count = node->count;
}

/* Reads `where`, and finds out whether it looks at for_each. */
static void parse_where(struct load_unit *unit, const struct yaml_node *node, struct select *select)
{
    bool before = unit->unit.needs->for_each;

    if (node == NULL) return;
    unit->unit.needs->for_each = false;
    select->where = load_expression(unit, node);
    select->where_is_first = !unit->unit.needs->for_each;
    unit->unit.needs->for_each |= before;
}

static void select_parts(struct load_unit *unit, const struct fields *fields,
                         uint32_t *locals_count, uint32_t depth, struct select *select);

/* Reads one nested select and makes it visible to those behind it. */
static void parse_nested(struct load_unit *unit, const struct yaml_pair *pair,
                         uint32_t *locals_count, uint32_t depth, struct select_with *with)
{
    struct loader *loader = unit->loader;
    struct load_local *local = load_alloc(loader, 1, sizeof(*local));
    struct select *nested = load_alloc(loader, 1, sizeof(*nested));
    const struct load_local *outer = unit->locals;
    struct fields fields;

    if (local == NULL || nested == NULL) return;
    fields_read(loader, pair->value, SCHEMA_WITH, NULL, &fields);
    select_parts(unit, &fields, locals_count, depth + 1, nested);
    unit->locals = outer;
    *with = (struct select_with){.local = (*locals_count)++, .select = nested};
    *local = (struct load_local){.name = pair->key->text, .index = with->local, .outer = outer};
    unit->locals = local;
}

static void parse_with(struct load_unit *unit, const struct yaml_node *node, uint32_t *locals_count,
                       uint32_t depth, struct select *select)
{
    struct loader *loader = unit->loader;
    struct select_with *with;

    if (node == NULL) return;
    if (node->kind != YAML_MAPPING) {
        diag_error(loader->diags, node->place, "'with' is a mapping of names, not %s",
                   yaml_kind_name(node));
        return;
    }
    if (depth >= SELECT_DEPTH_MAX || node->count > SELECT_WITH_MAX ||
        *locals_count + node->count > SELECT_LOCALS_MAX) {
        diag_error(loader->diags, node->place,
                   "too many nested selects: at most %d levels, %d in "
                   "one 'with', %d in an endpoint",
                   SELECT_DEPTH_MAX, SELECT_WITH_MAX, SELECT_LOCALS_MAX);
        return;
    }
    load_check_twice(loader, node);
    with = load_alloc(loader, node->count, sizeof(*with));
    if (with == NULL) return;
    for (uint32_t i = 0; i < node->count; i++) {
        parse_nested(unit, &node->pairs[i], locals_count, depth, &with[i]);
    }
    select->with = with;
    select->with_count = node->count;
}

/* The parts in the order in which they see one another. */
static void select_parts(struct load_unit *unit, const struct fields *fields,
                         uint32_t *locals_count, uint32_t depth, struct select *select)
{
    const struct yaml_node *shape = fields_get(fields, "select");

    parse_with(unit, fields_get(fields, "with"), locals_count, depth, select);
    parse_for_each(unit, fields_get(fields, "for_each"), select);
    parse_where(unit, fields_get(fields, "where"), select);
    if (shape != NULL) select->select = load_shape(unit, shape);
}

void parse_select(struct load_unit *unit, const struct fields *fields, uint32_t *locals_count,
                  struct select *select)
{
    const struct load_local *outer = unit->locals;

    unit->sees_for_each = true;
    select_parts(unit, fields, locals_count, 0, select);
    unit->sees_for_each = false;
    unit->locals = outer;
}

/* Reads the entries of `provides` or `logs`. */
static struct testfile_output *read_outputs(struct endpoint_build *build,
                                            const struct yaml_node *node, bool provides,
                                            uint32_t room, uint32_t *ret_count)
{
    struct loader *loader = build->loader;
    struct load_entries *known = provides ? &loader->providers : &loader->loggers;
    uint32_t count = node != NULL && node->kind == YAML_MAPPING ? node->count : 0;
    struct testfile_output *list = load_alloc(loader, count + room, sizeof(*list));

    *ret_count = 0;
    if (node != NULL && node->kind != YAML_MAPPING) {
        diag_error(loader->diags, node->place, "'%s' is a mapping of %s, not %s",
                   provides ? "provides" : "logs", provides ? "providers" : "loggers",
                   yaml_kind_name(node));
    }
    for (uint32_t i = 0; list != NULL && i < count; i++) {
        const struct yaml_node *key = node->pairs[i].key;
        struct testfile_output *output = &list[i];
        uint32_t target = dict_find(&known->names, key->text, key->count);
        struct fields fields;

        if (target == DICT_NONE) {
            load_unknown(loader, key->place, provides ? "provider" : "logger", key->text, known);
        }
        *output = (struct testfile_output){.target = target, .place = key->place};
        output->send = build->endpoint->has_peak_load ? SEND_IF_NOT_FULL : SEND_BLOCK;
        fields_read(loader, node->pairs[i].value, provides ? SCHEMA_PROVIDES : SCHEMA_LOGS, output,
                    &fields);
        parse_select(&build->after, &fields, &build->endpoint->locals_count, &output->select);
    }
    *ret_count = count;
    return list;
}

/* Compiles the global loggers for this endpoint, behind the logs of its own. */
static void add_global_loggers(struct endpoint_build *build, struct testfile_output *logs)
{
    struct loader *loader = build->loader;

    for (uint32_t i = 0; i < loader->loggers.count; i++) {
        struct testfile_output *output = &logs[build->endpoint->logs_count];
        const struct load_entry *entry = &loader->loggers.list[i];
        struct testfile_logger about = {0};
        struct diags before = *loader->diags;
        struct fields fields;

        if (!loader->file->loggers[i].is_global) continue;
        fields_read(loader, entry->value, SCHEMA_LOGGER, &about, &fields);
        if (loader->diags->errors > before.errors) *loader->diags = before; /* Told before. */
        *output =
            (struct testfile_output){.target = i, .is_global = true, .place = entry->key->place};
        build->after.sees_error = true;
        parse_select(&build->after, &fields, &build->endpoint->locals_count, &output->select);
        build->after.sees_error = false;
        build->endpoint->logs_count++;
    }
}

void parse_outputs(struct endpoint_build *build)
{
    struct testfile_endpoint *endpoint = build->endpoint;
    struct testfile_output *logs;

    endpoint->provides = read_outputs(build, fields_get(&build->fields, "provides"), true, 0,
                                      &endpoint->provides_count);
    logs = read_outputs(build, fields_get(&build->fields, "logs"), false,
                        build->loader->loggers.count, &endpoint->logs_count);
    endpoint->logs = logs;
    if (logs != NULL) add_global_loggers(build, logs);
}
