/* `providers` and `loggers`. */
#include <string.h>

#include "config/load_impl.h"
#include "core/base/quote.h"
#include "core/base/units.h"

static void parse_buffer(struct loader *loader, const struct yaml_node *node,
                         struct testfile_provider *provider)
{
    const char *text;

    if (node == NULL) return;
    text = node->kind == YAML_SCALAR ? load_text(loader, node) : "";
    if (text == NULL || strcmp(text, "auto") == 0) return;
    if (units_parse_count(text, &provider->buffer) && provider->buffer > 0) return;
    diag_error(loader->diags, node->place, "'buffer' wants a whole number from 1, or auto");
}

/* What a file is, from where the process stands. */
static void set_path(struct loader *loader, const struct yaml_node *node,
                     struct testfile_provider *provider)
{
    if (provider->path != NULL) {
        provider->file = load_path(loader, node->place.source, provider->path);
        load_check_file(loader, node->place, provider->file);
    }
}

/* Splits a CSV record (RFC 4180) by delimiter and quote into names. */
static void split_record(struct loader *loader, const struct yaml_node *node, const char *text,
                         struct testfile_csv *csv)
{
    size_t len = strlen(text), count = 1;
    const char **names;
    char *out, *name;
    bool quoted = false;

    for (size_t i = 0; i < len; i++) {
        count += text[i] == csv->delimiter;
    }
    names = load_alloc(loader, count, sizeof(*names));
    out = load_alloc(loader, len + 1, 1);
    if (names == NULL || out == NULL) return;
    name = out;
    for (size_t i = 0; i < len; i++) {
        if (quoted && text[i] == csv->quote && text[i + 1] == csv->quote) {
            *out++ = text[++i];
        } else if (text[i] == csv->quote && (quoted || out == name)) {
            quoted = !quoted;
        } else if (!quoted && text[i] == csv->delimiter) {
            *out++ = '\0';
            names[csv->names_count++] = name;
            name = out;
        } else {
            *out++ = text[i];
        }
    }
    *out = '\0';
    names[csv->names_count++] = name;
    csv->names = names;
    if (quoted) diag_error(loader->diags, node->place, "'headers' has a quote that is not closed");
}

static void check_twice_named(struct loader *loader, const struct yaml_node *node,
                              const struct testfile_csv *csv)
{
    for (uint32_t i = 0; i < csv->names_count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp(csv->names[i], csv->names[j]) != 0) continue;
            diag_error(loader->diags, node->place, "'headers' has '%s' twice",
                       quote(csv->names[i]).text);
            return;
        }
    }
}

static void parse_csv(struct loader *loader, const struct yaml_node *node,
                      struct testfile_provider *provider)
{
    struct testfile_csv *csv = &provider->csv;
    const struct yaml_node *headers;
    struct fields fields;
    const char *text;

    fields_read(loader, node, SCHEMA_CSV, csv, &fields);
    if (node != NULL && provider->format != FORMAT_CSV) {
        diag_warn(loader->diags, node->place, "'csv' has no effect without 'format: csv'");
    }
    if (node != NULL && csv->delimiter == csv->quote) {
        diag_error(loader->diags, node->place, "'delimiter' and 'quote' are the same character");
    }
    headers = fields_get(&fields, "headers");
    if (headers == NULL) return;
    text = headers->kind == YAML_SCALAR ? load_text(loader, headers) : "";
    if (text == NULL) return;
    if (text[0] == '\0') {
        diag_error(loader->diags, headers->place, "'headers' wants true, false or a CSV record");
    } else if (headers->plain && strcmp(text, "true") == 0) {
        csv->headers = CSV_HEADERS_FIRST;
    } else if (!headers->plain || strcmp(text, "false") != 0) {
        csv->headers = CSV_HEADERS_GIVEN;
        split_record(loader, headers, text, csv);
        check_twice_named(loader, headers, csv);
    }
}

static void parse_values(struct loader *loader, const struct yaml_node *node,
                         struct testfile_provider *provider)
{
    struct value *values;

    if (node->kind != YAML_SEQUENCE || node->count == 0) {
        diag_error(loader->diags, node->place, "a list provider wants a sequence of values%s",
                   node->kind == YAML_SEQUENCE ? ", not an empty one" : "");
        return;
    }
    values = load_alloc(loader, node->count, sizeof(*values));
    if (values == NULL) return;
    for (uint32_t i = 0; i < node->count; i++) {
        values[i] = load_value(loader, node->items[i], true, false);
    }
    provider->values = values;
    provider->values_count = node->count;
}

static void parse_list(struct loader *loader, const struct yaml_node *node, struct fields *fields,
                       struct testfile_provider *provider)
{
    const struct yaml_node *values;

    if (node->kind == YAML_SEQUENCE) {
        fields_read(loader, NULL, SCHEMA_LIST, provider, fields);
        parse_values(loader, node, provider);
        return;
    }
    fields_read(loader, node->kind == YAML_SCALAR ? NULL : node, SCHEMA_LIST, provider, fields);
    if (node->kind == YAML_SCALAR) {
        diag_error(loader->diags, node->place,
                   "a list provider is a sequence of values, or a mapping with 'values', not %s",
                   yaml_kind_name(node));
    }
    values = fields_get(fields, "values");
    if (values != NULL) parse_values(loader, values, provider);
}

static void check_range(struct loader *loader, const struct yaml_node *node,
                        const struct testfile_provider *provider)
{
    bool up = provider->step > 0;

    if (provider->step == 0) {
        diag_error(loader->diags, node->place, "'step' is 0, so the range never moves");
    } else if (up ? provider->start > provider->end : provider->start < provider->end) {
        diag_error(loader->diags, node->place,
                   "the range is empty: from %lld to %lld in steps of %lld",
                   (long long)provider->start, (long long)provider->end, (long long)provider->step);
    }
}

static void parse_kind(struct loader *loader, const struct schema_key *kind,
                       const struct yaml_node *node, struct testfile_provider *provider)
{
    struct fields fields;

    provider->parse = true;
    if (strcmp(kind->name, "file") == 0) {
        provider->kind = PROVIDER_FILE;
        fields_read(loader, node, SCHEMA_FILE, provider, &fields);
        if (node->kind == YAML_MAPPING && fields_get(&fields, "path") != NULL) {
            set_path(loader, fields_get(&fields, "path"), provider);
        }
        parse_csv(loader, fields_get(&fields, "csv"), provider);
    } else if (strcmp(kind->name, "response") == 0) {
        provider->kind = PROVIDER_RESPONSE;
        fields_read(loader, yaml_is_null(node) ? NULL : node, SCHEMA_RESPONSE, provider, &fields);
    } else if (strcmp(kind->name, "list") == 0) {
        provider->kind = PROVIDER_LIST;
        parse_list(loader, node, &fields, provider);
    } else {
        provider->kind = PROVIDER_RANGE;
        fields_read(loader, yaml_is_null(node) ? NULL : node, SCHEMA_RANGE, provider, &fields);
        check_range(loader, node, provider);
    }
    parse_buffer(loader, fields_get(&fields, "buffer"), provider);
}

static void check_name(struct loader *loader, const struct yaml_node *key)
{
    static const char *const reserved[] = {"request", "response", "stats", "for_each"};
    static const char *const doubtful[] = {"error", "tags"};

    if (key->count == 0) diag_error(loader->diags, key->place, "a provider without a name");
    for (size_t i = 0; i < COUNT(reserved); i++) {
        if (!yaml_is(key, reserved[i])) continue;
        diag_error(loader->diags, key->place,
                   "a provider cannot be called '%s', which has a "
                   "meaning of its own",
                   key->text);
    }
    for (size_t i = 0; i < COUNT(doubtful); i++) {
        if (!yaml_is(key, doubtful[i])) continue;
        diag_warn(loader->diags, key->place,
                  "a provider called '%s' is easily taken for something "
                  "else",
                  key->text);
    }
}

static void parse_provider(struct loader *loader, const struct load_entry *entry,
                           struct testfile_provider *provider)
{
    const struct yaml_node *node = entry->value;
    const struct schema_key *kind;
    struct fields fields;

    provider->name = entry->key->text;
    provider->place = entry->key->place;
    provider->kind = PROVIDER_RESPONSE;
    check_name(loader, entry->key);
    fields_read(loader, node, SCHEMA_PROVIDER, NULL, &fields);
    if (node->kind != YAML_MAPPING) return;
    if (node->count != 1) {
        diag_error(loader->diags, node->count == 0 ? node->place : node->pairs[1].key->place,
                   "a provider has exactly one type: file, response, list or range");
    }
    for (uint32_t i = 0; i < node->count && i < 1; i++) {
        kind = schema_find(SCHEMA_PROVIDER, node->pairs[i].key->text);
        if (kind != NULL) parse_kind(loader, kind, node->pairs[i].value, provider);
    }
}

void parse_providers(struct loader *loader)
{
    uint32_t count = loader->providers.count;
    struct testfile_provider *list = load_alloc(loader, count, sizeof(*list));

    if (list == NULL) return;
    loader->file->providers = loader->provider_list = list;
    loader->file->providers_count = count;
    for (uint32_t i = 0; i < count; i++) {
        parse_provider(loader, &loader->providers.list[i], &list[i]);
    }
}

void parse_loggers(struct loader *loader)
{
    uint32_t count = loader->loggers.count;
    struct testfile_logger *list = load_alloc(loader, count, sizeof(*list));

    if (list == NULL) return;
    loader->file->loggers = list;
    loader->file->loggers_count = count;
    for (uint32_t i = 0; i < count; i++) {
        const struct load_entry *entry = &loader->loggers.list[i];
        static const char *const parts[] = {"for_each", "where", "with"};
        struct fields fields;

        list[i].name = entry->key->text;
        list[i].place = entry->key->place;
        fields_read(loader, entry->value, SCHEMA_LOGGER, &list[i], &fields);
        list[i].is_global = fields_get(&fields, "select") != NULL;
        if (list[i].kill && list[i].limit == 0) list[i].limit = 1;
        for (size_t j = 0; j < COUNT(parts) && !list[i].is_global; j++) {
            const struct yaml_node *part = fields_get(&fields, parts[j]);

            if (part == NULL) continue;
            diag_error(loader->diags, part->place, "'%s' of a logger without 'select'", parts[j]);
        }
    }
}
