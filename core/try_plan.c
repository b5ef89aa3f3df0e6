#include "core/try_plan.h"

#include <inttypes.h>

static const char *kind_of(const struct testfile_provider *provider)
{
    static const char *const names[] = {[PROVIDER_FILE] = "file",
                                        [PROVIDER_RESPONSE] = "response",
                                        [PROVIDER_LIST] = "list",
                                        [PROVIDER_RANGE] = "range"};

    return names[provider->kind];
}

static const char *role_of(enum try_role role)
{
    static const char *const names[] = {
        [TRY_LEFT_OUT] = "left out", [TRY_CHOSEN] = "chosen", [TRY_ADDED] = "added"};

    return names[role];
}

/* Adds " `a`, `b`" of those for whom `is` says so; "nobody" if there are none. */
static void add_names(const struct testfile *test, uint32_t provider,
                      bool (*is)(const struct testfile_endpoint *endpoint, uint32_t provider),
                      struct text *out)
{
    bool any = false;

    for (uint32_t i = 0; i < test->endpoints_count; i++) {
        if (!is(&test->endpoints[i], provider)) continue;
        text_printf(out, "%s`%s`", any ? ", " : "", test->endpoints[i].name);
        any = true;
    }
    if (!any) text_add_str(out, "nobody");
}

static void add_provider(const struct try_graph *graph, uint32_t index, struct text *out)
{
    const struct testfile_provider *provider = &graph->test->providers[index];

    text_printf(out, "  `%s` (%s): fed by ", provider->name, kind_of(provider));
    if (provider->kind == PROVIDER_RESPONSE) {
        add_names(graph->test, index, try_provides, out);
    } else {
        text_add_str(out, "itself");
    }
    if (graph->feeders[index] != TRY_NONE) {
        text_printf(out, ", cheapest `%s`", graph->test->endpoints[graph->feeders[index]].name);
    }
    text_add_str(out, "; read by ");
    add_names(graph->test, index, try_reads, out);
    text_add_str(out, "\n");
}

void try_plan_human(const struct try_graph *graph, const enum try_role *roles, struct text *out)
{
    const struct testfile *test = graph->test;

    if (test->providers_count > 0) text_add_str(out, "Providers\n");
    for (uint32_t i = 0; i < test->providers_count; i++) {
        add_provider(graph, i, out);
    }
    text_printf(out, "%sEndpoints\n  score  role      name\n",
                test->providers_count > 0 ? "\n" : "");
    for (uint32_t i = 0; i < test->endpoints_count; i++) {
        if (graph->scores[i] == TRY_NONE) {
            text_add_str(out, "      -  never     ");
            try_graph_chain(graph, i, out);
            text_add_str(out, "\n");
            continue;
        }
        text_printf(out, "  %5" PRIu32 "  %-8s  `%s`\n", graph->scores[i], role_of(roles[i]),
                    test->endpoints[i].name);
    }
}

static void add_json_names(const struct testfile *test, uint32_t provider,
                           bool (*is)(const struct testfile_endpoint *endpoint, uint32_t provider),
                           struct json *json)
{
    json_array(json);
    for (uint32_t i = 0; i < test->endpoints_count; i++) {
        if (is(&test->endpoints[i], provider)) json_str(json, test->endpoints[i].name);
    }
    json_end(json);
}

static void add_json_provider(const struct try_graph *graph, uint32_t index, struct json *json)
{
    const struct testfile *test = graph->test;

    json_object(json);
    json_put_str(json, "name", test->providers[index].name);
    json_put_str(json, "type", kind_of(&test->providers[index]));
    json_key(json, "fed_by");
    add_json_names(test, index, try_provides, json);
    json_key(json, "cheapest");
    if (graph->feeders[index] == TRY_NONE) {
        json_null(json);
    } else {
        json_str(json, test->endpoints[graph->feeders[index]].name);
    }
    json_key(json, "read_by");
    add_json_names(test, index, try_reads, json);
    json_end(json);
}

static void add_json_endpoint(const struct try_graph *graph, const enum try_role *roles,
                              uint32_t index, struct json *json)
{
    const struct testfile *test = graph->test;
    struct text why;

    json_object(json);
    json_put_str(json, "name", test->endpoints[index].name);
    json_key(json, "score");
    if (graph->scores[index] == TRY_NONE) {
        json_null(json);
    } else {
        json_u64(json, graph->scores[index]);
    }
    json_put_str(json, "role", graph->scores[index] == TRY_NONE ? "never" : role_of(roles[index]));
    json_key(json, "reads");
    json_array(json);
    for (uint32_t i = 0; i < test->providers_count; i++) {
        if (try_reads(&test->endpoints[index], i)) json_str(json, test->providers[i].name);
    }
    json_end(json);
    if (graph->scores[index] == TRY_NONE) {
        text_init(&why, json->out->arena);
        try_graph_chain(graph, index, &why);
        json_key(json, "why");
        json_str_len(json, why.data == NULL ? "" : why.data, why.len);
    }
    json_end(json);
}

void try_plan_json(const struct try_graph *graph, const enum try_role *roles, struct text *out)
{
    struct json json;

    json_init(&json, out, true);
    json_object(&json);
    json_key(&json, "providers");
    json_array(&json);
    for (uint32_t i = 0; i < graph->test->providers_count; i++) {
        add_json_provider(graph, i, &json);
    }
    json_end(&json);
    json_key(&json, "endpoints");
    json_array(&json);
    for (uint32_t i = 0; i < graph->test->endpoints_count; i++) {
        add_json_endpoint(graph, roles, i, &json);
    }
    json_end(&json);
    json_end(&json);
}
