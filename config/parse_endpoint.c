/* `endpoints`. */
#include "config/parse_endpoint.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "config/request.h"
#include "config/url.h"
#include "core/base/quote.h"

/* Scheme, host and port of a URL in which they never change. */
static void check_authority(struct loader *loader, struct place place, const char *outline,
                            size_t len)
{
    const char *url = arena_copy(loader->arena, outline, len);
    struct plan_target target;
    struct err_info why;
    enum err err;

    if (url == NULL) {
        loader->diags->failed = true;
        return;
    }
    err = plan_parse_url(loader->arena, url, &target, &why);
    if (err == ERR_MEMORY) loader->diags->failed = true;
    if (err == ERR_USAGE) diag_error(loader->diags, place, "%s", why.message);
}

/* Refuses what can be seen to be no absolute URL; the rest is known when it is made. */
static void check_url(struct loader *loader, const struct testfile_text *url)
{
    const char *outline, *host;
    size_t len;

    if (url->compiled == NULL) return;
    outline = template_outline(url->compiled, PLAN_VALUE_MARK, loader->arena);
    if (outline == NULL) {
        loader->diags->failed = true;
        return;
    }
    if (outline[0] == PLAN_VALUE_MARK[0]) return;
    if (strncasecmp(outline, "http://", 7) == 0) {
        host = outline + 7;
    } else if (strncasecmp(outline, "https://", 8) == 0) {
        host = outline + 8;
    } else if (strncasecmp(outline, "http" PLAN_VALUE_MARK, 5) == 0) {
        return;
    } else {
        diag_error(loader->diags, url->place, "the url begins with neither http:// nor https://");
        return;
    }
    if (host[0] == '\0' || strchr("/?#:", host[0]) != NULL) {
        diag_error(loader->diags, url->place, "the url has no host");
        return;
    }
    len = plan_authority_len(outline);
    if (len > 0) check_authority(loader, url->place, outline, len);
}

static void check_method(struct loader *loader, const struct yaml_node *node, const char *method)
{
    struct err_info why;

    if (node == NULL || node->kind != YAML_SCALAR || method == NULL) return;
    if (plan_check_method(method, &why) != ERR_OK) {
        diag_error(loader->diags, node->place, "%s", why.message);
    }
}

/* Method, url, headers and body. */
static void parse_request(struct endpoint_build *build)
{
    struct testfile_endpoint *endpoint = build->endpoint;
    struct load_unit *unit = &build->request;
    const struct yaml_node *url = fields_get(&build->fields, "url");
    struct header_list headers = {0};

    check_method(build->loader, fields_get(&build->fields, "method"), endpoint->method);
    if (url != NULL) {
        endpoint->url = load_template_text(unit, url);
        if (!unit->wrong) check_url(build->loader, &endpoint->url);
    }
    parse_headers(unit, build->loader->client_headers, false, &headers);
    parse_headers(unit, fields_get(&build->fields, "headers"), true, &headers);
    endpoint->headers = headers.list;
    endpoint->headers_count = headers.count;
    parse_body(unit, fields_get(&build->fields, "body"), &endpoint->body);
}

/* `tags`, and the implicit `url`. */
static void parse_tags(struct endpoint_build *build)
{
    const struct yaml_node *node = fields_get(&build->fields, "tags");
    struct testfile_endpoint *endpoint = build->endpoint;
    struct loader *loader = build->loader;
    uint32_t count = node != NULL && node->kind == YAML_MAPPING ? node->count : 0;
    struct testfile_tag *tags = load_alloc(loader, count + 1, sizeof(*tags));
    struct template_builder builder;
    bool has_url = false;

    if (tags == NULL) return;
    if (node != NULL && node->kind != YAML_MAPPING) {
        diag_error(loader->diags, node->place, "'tags' is a mapping, not %s", yaml_kind_name(node));
    }
    if (node != NULL) load_check_twice(loader, node);
    for (uint32_t i = 0; i < count; i++) {
        const struct yaml_node *key = node->pairs[i].key;

        has_url |= yaml_is(key, "url");
        if (yaml_is(key, "_id") || yaml_is(key, "method")) {
            diag_error(loader->diags, key->place, "the tag '%s' is there of itself", key->text);
        }
        tags[i] = (struct testfile_tag){
            .name = key->text, .value = load_template_text(&build->after, node->pairs[i].value)};
    }
    if (!has_url && endpoint->url.compiled != NULL) {
        const char *outline = template_outline(endpoint->url.compiled, "*", loader->arena);

        if (outline == NULL) loader->diags->failed = true;
        if (outline == NULL) return;
        build->after.node = build->node;
        template_begin(&builder, &build->after.unit);
        template_add_text(&builder, outline, strlen(outline));
        tags[count].name = "url";
        tags[count].value = (struct testfile_text){
            .compiled = template_end(&builder), .text = outline, .place = endpoint->url.place};
        count++;
    }
    endpoint->tags = tags;
    endpoint->tags_count = count;
}

/* Reads "200" or "2xx". */
static bool read_status(const char *text, struct testfile_status_range *range)
{
    uint16_t low = 0, high = 0;

    if (strlen(text) != 3 || text[0] < '1' || text[0] > '9') return false;
    for (size_t i = 0; i < 3; i++) {
        bool any = i > 0 && (text[i] == 'x' || text[i] == 'X');

        if (!any && (text[i] < '0' || text[i] > '9')) return false;
        if (!any && i > 0 && (text[i - 1] == 'x' || text[i - 1] == 'X')) return false;
        low = (uint16_t)(low * 10 + (any ? 0 : text[i] - '0'));
        high = (uint16_t)(high * 10 + (any ? 9 : text[i] - '0'));
    }
    *range = (struct testfile_status_range){low, high};
    return true;
}

static void parse_statuses(struct loader *loader, const struct yaml_node *node,
                           struct testfile_expect *expect)
{
    uint32_t count = node->kind == YAML_SEQUENCE ? node->count : 1;
    struct testfile_status_range *ranges = load_alloc(loader, count, sizeof(*ranges));

    if (ranges == NULL) return;
    if (count == 0) {
        diag_error(loader->diags, node->place, "'status' wants at least one status, such as 2xx");
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct yaml_node *item = node->kind == YAML_SEQUENCE ? node->items[i] : node;
        const char *text = item->kind == YAML_SCALAR ? load_text(loader, item) : "";

        if (text == NULL || read_status(text, &ranges[i])) continue;
        diag_error(loader->diags, item->place,
                   "a status is a number such as 200, or 2xx for all of its kind");
    }
    expect->statuses = ranges;
    expect->statuses_count = count;
}

static void parse_expect(struct endpoint_build *build)
{
    const struct yaml_node *node = fields_get(&build->fields, "expect"), *status, *where;
    struct testfile_expect *expect = &build->endpoint->expect;
    struct fields fields;

    if (node == NULL) return;
    fields_read(build->loader, node, SCHEMA_EXPECT, NULL, &fields);
    status = fields_get(&fields, "status");
    where = fields_get(&fields, "where");
    if (status != NULL) parse_statuses(build->loader, status, expect);
    if (where != NULL) expect->where = load_expression(&build->after, where);
}

/* The rates of its pattern, or of the common one. */
static void parse_load(struct endpoint_build *build)
{
    const struct yaml_node *own = fields_get(&build->fields, "load_pattern");
    struct testfile_endpoint *endpoint = build->endpoint;
    struct loader *loader = build->loader;
    const struct raw_linear *pattern = loader->pattern;
    uint32_t count = loader->pattern_count;
    struct plan_stage *stages;

    if (own != NULL) pattern = parse_pattern(loader, own, &count);
    if (pattern == NULL) {
        bool missing = own == NULL && yaml_get(loader->root, "load_pattern") == NULL;

        if (missing && endpoint->has_peak_load) {
            diag_error(loader->diags, fields_get(&build->fields, "peak_load")->place,
                       "'peak_load' without a 'load_pattern', here or at the root");
        }
        return;
    }
    stages = load_alloc(loader, count, sizeof(*stages));
    if (stages == NULL) return;
    for (uint32_t i = 0; i < count; i++) {
        stages[i] = (struct plan_stage){
            .length_ns = pattern[i].over_ns,
            .from_per_s = endpoint->peak_per_s * pattern[i].from_share,
            .to_per_s = endpoint->peak_per_s * pattern[i].to_share,
        };
        endpoint->duration_ns += pattern[i].over_ns;
        if (stages[i].from_per_s <= PLAN_RATE_PER_S_MAX &&
            stages[i].to_per_s <= PLAN_RATE_PER_S_MAX) {
            continue;
        }
        diag_error(loader->diags, endpoint->place, "a rate of more than %d per second",
                   PLAN_RATE_PER_S_MAX);
        return;
    }
    if (!endpoint->has_peak_load) return;
    endpoint->stages = stages;
    endpoint->stages_count = count;
}

/* What is popped once per request, and the paths into the body that are looked for. */
static void finish_needs(struct endpoint_build *build)
{
    struct testfile_endpoint *endpoint = build->endpoint;
    struct loader *loader = build->loader;
    bool *is_input = load_alloc(loader, build->names.slots_count, sizeof(*is_input));

    if (is_input == NULL) return;
    for (uint32_t i = 0; i < endpoint->needs.uses_count; i++) {
        const struct expr_use *use = &endpoint->needs.uses[i];

        if (use->kind == EXPR_PROVIDER) is_input[use->index] = true;
    }
    endpoint->slots = build->names.slot_providers;
    endpoint->slots_count = build->names.slots_count;
    endpoint->is_input = is_input;
    if (endpoint->needs.body != NULL && !json_paths_seal(endpoint->needs.body)) {
        loader->diags->failed = true;
    }
}

static bool begin(struct endpoint_build *build)
{
    struct loader *loader = build->loader;

    dict_init(&build->names.slots, loader->arena);
    dict_init(&build->names.declares.names, loader->arena);
    build->names.slot_providers =
        load_alloc(loader, loader->providers.count, sizeof(*build->names.slot_providers));
    if (build->names.slot_providers == NULL) return false;
    expr_needs_init(&build->endpoint->needs, loader->arena);
    build->request = (struct load_unit){.loader = loader, .endpoint = &build->names};
    build->after =
        (struct load_unit){.loader = loader, .endpoint = &build->names, .is_after = true};
    load_unit_init(&build->request, &build->endpoint->needs);
    load_unit_init(&build->after, &build->endpoint->needs);
    return true;
}

static void parse_endpoint(struct loader *loader, const struct yaml_node *node,
                           struct testfile_endpoint *endpoint)
{
    struct endpoint_build build = {.loader = loader, .endpoint = endpoint, .node = node};
    const struct yaml_node *own_timeout;

    endpoint->place = node->place;
    fields_read(loader, node, SCHEMA_ENDPOINT, endpoint, &build.fields);
    if (node->kind != YAML_MAPPING || !begin(&build)) return;
    own_timeout = fields_get(&build.fields, "request_timeout");
    if (own_timeout == NULL) endpoint->request_timeout_ns = loader->file->client.request_timeout_ns;
    endpoint->has_peak_load = fields_get(&build.fields, "peak_load") != NULL;
    parse_declare_names(&build);
    parse_request(&build);
    parse_load(&build);
    parse_tags(&build);
    parse_outputs(&build);
    parse_expect(&build);
    parse_declares(&build);
    finish_needs(&build);
}

/* Finds a name for an endpoint that has none: method and url, and a number if they come again.
 * `seen` gives for each name the number to try next. */
static const char *make_name(struct loader *loader, const struct testfile_endpoint *endpoint,
                             struct dict *seen)
{
    const char *url = endpoint->url.text == NULL ? "" : endpoint->url.text;
    size_t room = strlen(url) + strlen(endpoint->method) + 16;
    char *base = load_alloc(loader, room, 1), *name = load_alloc(loader, room, 1);
    uint32_t next;

    if (base == NULL || name == NULL) return "";
    (void)snprintf(base, room, "%s %s", endpoint->method, url);
    next = dict_find(seen, base, strlen(base));
    if (next == DICT_NONE) return base;
    do {
        (void)snprintf(name, room, "%s #%u", base, next++);
    } while (dict_find(seen, name, strlen(name)) != DICT_NONE);
    if (!dict_put(seen, base, strlen(base), next)) loader->diags->failed = true;
    return name;
}

/* Gives those without a name one, and tells of names that come twice. */
static void name_endpoints(struct loader *loader, struct testfile_endpoint *list, uint32_t count)
{
    struct dict seen;

    dict_init(&seen, loader->arena);
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < count; i++) {
            bool given = list[i].name != NULL;

            if (given != (pass == 0)) continue; /* Names that are given come first. */
            if (!given) list[i].name = make_name(loader, &list[i], &seen);
            if (given && dict_find(&seen, list[i].name, strlen(list[i].name)) != DICT_NONE) {
                diag_error(loader->diags, list[i].place, "two endpoints are called '%s'",
                           quote(list[i].name).text);
            }
            if (!dict_put(&seen, list[i].name, strlen(list[i].name), 2)) {
                loader->diags->failed = true;
                return;
            }
        }
    }
}

void parse_endpoints(struct loader *loader)
{
    uint32_t count = loader->endpoints.count;
    struct testfile_endpoint *list = load_alloc(loader, count, sizeof(*list));

    if (list == NULL) return;
    for (uint32_t i = 0; i < count && !loader->diags->failed; i++) {
        uint32_t errors = loader->diags->errors;

        parse_endpoint(loader, loader->endpoints.list[i].value, &list[i]);
        loader->endpoints.list[i].wrong = loader->diags->errors > errors;
        if (list[i].duration_ns > loader->file->duration_ns) {
            loader->file->duration_ns = list[i].duration_ns;
        }
    }
    if (loader->diags->failed) return;
    name_endpoints(loader, list, count);
    loader->file->endpoints = list;
    loader->file->endpoints_count = count;
}
