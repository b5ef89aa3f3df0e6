/* Headers and bodies. */
#include <string.h>
#include <strings.h>

#include "config/http_chars.h"
#include "config/parse_endpoint.h"
#include "core/base/quote.h"

static bool add_header(struct loader *loader, struct header_list *headers,
                       const struct testfile_header *header)
{
    if (headers->count == headers->capacity) {
        uint32_t wanted = headers->capacity * 2 + 8;
        struct testfile_header *grown = load_alloc(loader, wanted, sizeof(*grown));

        if (grown == NULL) return false;
        if (headers->count > 0) memcpy(grown, headers->list, headers->count * sizeof(*grown));
        headers->list = grown;
        headers->capacity = wanted;
    }
    headers->list[headers->count++] = *header;
    return true;
}

/* True of what removes a header: a plain "null", or what is tagged so. */
static bool removes_header(const struct yaml_node *value)
{
    if (value->kind != YAML_SCALAR) return false;
    if (value->tag == YAML_TAG_NULL) return true;
    return value->tag == YAML_TAG_NONE && value->plain && yaml_is(value, "null");
}

static void remove_header(struct loader *loader, const struct yaml_node *key,
                          struct header_list *headers)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < headers->count; i++) {
        if (strcasecmp(headers->list[i].name, key->text) == 0) continue;
        headers->list[kept++] = headers->list[i];
    }
    if (kept == headers->count) {
        diag_warn(loader->diags, key->place, "there is no header '%s' to remove",
                  quote(key->text).text);
    }
    headers->count = kept;
}

/* A value that never changes is checked here; others when they are made. */
static void check_value(struct loader *loader, const struct testfile_text *value)
{
    const char *text;
    size_t len;

    if (value->compiled == NULL || !template_is_constant(value->compiled, &text, &len)) return;
    if (memchr(text, '\n', len) == NULL && memchr(text, '\r', len) == NULL) return;
    diag_error(loader->diags, value->place, "a header cannot hold a line end");
}

void parse_headers(struct load_unit *unit, const struct yaml_node *mapping, bool removes,
                   struct header_list *headers)
{
    struct loader *loader = unit->loader;

    if (mapping == NULL) return;
    if (mapping->kind != YAML_MAPPING) {
        diag_error(loader->diags, mapping->place, "'headers' is a mapping, not %s",
                   yaml_kind_name(mapping));
        return;
    }
    for (uint32_t i = 0; i < mapping->count; i++) {
        const struct yaml_node *key = mapping->pairs[i].key, *value = mapping->pairs[i].value;
        struct testfile_header header = {.name = key->text};

        if (!http_is_token(key->text, key->count)) {
            diag_error(loader->diags, key->place, "'%s' is no name of a header",
                       quote(key->text).text);
            continue;
        }
        if (removes_header(value)) {
            if (removes) {
                remove_header(loader, key, headers);
            } else {
                diag_error(loader->diags, value->place,
                           "null removes a header of the client, so it stands in endpoints only");
            }
            continue;
        }
        header.value = load_template_text(unit, value);
        if (strcasecmp(key->text, "Host") == 0 || strcasecmp(key->text, "Content-Length") == 0) {
            diag_warn(loader->diags, key->place,
                      "'%s' is made from the request; this one is left "
                      "out",
                      key->text);
            continue;
        }
        check_value(loader, &header.value);
        if (!add_header(loader, headers, &header)) return;
    }
}

/* A template that is a path. */
static struct testfile_text parse_file(struct load_unit *unit, const struct yaml_node *node)
{
    struct testfile_text text = load_template_text(unit, node);

    if (node->kind == YAML_SCALAR && node->count == 0) {
        diag_error(unit->loader->diags, node->place, "a file name that is empty");
    }
    return text;
}

static void parse_piece(struct load_unit *unit, const struct yaml_pair *pair,
                        struct testfile_piece *piece)
{
    struct header_list headers = {0};
    const struct yaml_node *body, *file;
    struct fields fields, inner;

    piece->name = pair->key->text;
    fields_read(unit->loader, pair->value, SCHEMA_PIECE, NULL, &fields);
    parse_headers(unit, fields_get(&fields, "headers"), false, &headers);
    piece->headers = headers.list;
    piece->headers_count = headers.count;
    body = fields_get(&fields, "body");
    if (body == NULL) return;
    if (body->kind == YAML_SCALAR) {
        piece->is_file = body->tag == YAML_TAG_FILE;
        piece->content = piece->is_file ? parse_file(unit, body) : load_template_text(unit, body);
        return;
    }
    fields_read(unit->loader, body, SCHEMA_PIECE_BODY, NULL, &inner);
    file = fields_get(&inner, "file");
    piece->is_file = true;
    if (file != NULL) piece->content = parse_file(unit, file);
}

static void parse_multipart(struct load_unit *unit, const struct yaml_node *node,
                            struct testfile_body *body)
{
    struct testfile_piece *pieces;

    if (node->kind != YAML_MAPPING || node->count == 0) {
        diag_error(unit->loader->diags, node->place, "'multipart' is a mapping of fields");
        return;
    }
    pieces = load_alloc(unit->loader, node->count, sizeof(*pieces));
    if (pieces == NULL) return;
    for (uint32_t i = 0; i < node->count; i++) {
        parse_piece(unit, &node->pairs[i], &pieces[i]);
    }
    body->kind = BODY_MULTIPART;
    body->pieces = pieces;
    body->count = node->count;
}

static void parse_files(struct load_unit *unit, const struct yaml_node *node,
                        struct testfile_body *body)
{
    bool sequence = node->kind == YAML_SEQUENCE;
    uint32_t count = sequence ? node->count : 1;
    struct testfile_text *files;

    if (count == 0) {
        diag_error(unit->loader->diags, node->place,
                   "'files' is a sequence of file names, not an "
                   "empty one");
        return;
    }
    files = load_alloc(unit->loader, count, sizeof(*files));
    if (files == NULL) return;
    for (uint32_t i = 0; i < count; i++) {
        files[i] = parse_file(unit, sequence ? node->items[i] : node);
    }
    body->kind = BODY_FILES;
    body->files = files;
    body->count = count;
}

/* A value as JSON: one expression, written as JSON. */
static void parse_json(struct load_unit *unit, const struct yaml_node *node,
                       struct testfile_body *body)
{
    const struct expr *shape = load_json_shape(unit, node);
    struct template_builder builder;

    body->kind = BODY_JSON;
    body->text.place = node->place;
    body->text.text = "";
    body->json = shape;
    if (shape == NULL) return;
    if ((expr_kinds(shape) >> VALUE_STRING & 1) != 0) return; /* Text would lose its quotes. */
    template_begin(&builder, &unit->unit);
    template_add_expr(&builder, shape, TEMPLATE_PLAIN);
    body->text.compiled = template_end(&builder);
}

void parse_body(struct load_unit *unit, const struct yaml_node *node, struct testfile_body *body)
{
    const struct yaml_node *file, *files, *json, *multipart;
    struct loader *loader = unit->loader;
    struct fields fields;

    if (node == NULL) return;
    body->directory = load_path(loader, node->place.source, "");
    if (node->kind == YAML_SCALAR && node->tag == YAML_TAG_FILE) {
        parse_files(unit, node, body);
        return;
    }
    if (node->kind == YAML_SCALAR) {
        body->kind = BODY_TEXT;
        body->text = load_template_text(unit, node);
        return;
    }
    fields_read(loader, node, SCHEMA_BODY, NULL, &fields);
    if (node->kind != YAML_MAPPING) return;
    file = fields_get(&fields, "file");
    files = fields_get(&fields, "files");
    json = fields_get(&fields, "json");
    multipart = fields_get(&fields, "multipart");
    if ((file != NULL) + (files != NULL) + (json != NULL) + (multipart != NULL) != 1) {
        diag_error(loader->diags, node->place,
                   "a body has exactly one of file, files, json and multipart");
        return;
    }
    if (file != NULL && file->kind == YAML_SCALAR) parse_files(unit, file, body);
    if (file != NULL && file->kind != YAML_SCALAR) {
        diag_error(loader->diags, file->place, "'file' is a file name, not %s",
                   yaml_kind_name(file));
    }
    if (files != NULL) parse_files(unit, files, body);
    if (json != NULL) parse_json(unit, json, body);
    if (multipart != NULL) parse_multipart(unit, multipart, body);
}
