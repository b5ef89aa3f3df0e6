/* What is wrong with a test file as a whole, though each part is right by itself, and what is
 * legal but surely not meant. */
#include <string.h>

#include "config/load_impl.h"
#include "core/base/quote.h"

/* Calls of an endpoint's providers go through this, so that all checks agree on what it pops. */
typedef void popped_fn(void *context, uint32_t provider);

static void each_popped(const struct testfile_endpoint *endpoint, popped_fn *fn, void *context)
{
    for (uint32_t i = 0; i < endpoint->slots_count; i++) {
        if (endpoint->is_input != NULL && endpoint->is_input[i]) fn(context, endpoint->slots[i]);
    }
    for (uint32_t i = 0; i < endpoint->declares_used; i++) {
        const struct testfile_declare *declare = &endpoint->declares[endpoint->declares_order[i]];

        for (uint32_t j = 0; j < declare->needs.mentions_count; j++) {
            fn(context, endpoint->slots[declare->needs.mentions[j].provider]);
        }
    }
}

static void mark_read(void *context, uint32_t provider)
{
    ((struct testfile_provider *)context)[provider].is_read = true;
}

/* True if `endpoint` is run by what it must have one of. */
struct cause {
    const struct testfile_provider *providers;
    bool found;
};

static void find_response(void *context, uint32_t provider)
{
    struct cause *cause = context;

    if (cause->providers[provider].kind == PROVIDER_RESPONSE) cause->found = true;
}

static void check_cause(struct loader *loader, const struct testfile_endpoint *endpoint)
{
    struct cause cause = {.providers = loader->file->providers, .found = endpoint->has_peak_load};

    for (uint32_t i = 0; i < endpoint->provides_count; i++) {
        cause.found |= endpoint->provides[i].send == SEND_BLOCK;
    }
    if (!cause.found) each_popped(endpoint, find_response, &cause);
    if (cause.found) return;
    diag_error(loader->diags, endpoint->place,
               "nothing makes this endpoint run: give it "
               "'peak_load', a 'provides' with 'send: block', or a response provider to read");
}

static void check_load(struct loader *loader, const struct testfile_endpoint *endpoint)
{
    double hits = 0;

    for (uint32_t i = 0; i < endpoint->stages_count; i++) {
        const struct plan_stage *stage = &endpoint->stages[i];

        hits += (stage->from_per_s + stage->to_per_s) / 2 * ((double)stage->length_ns / 1e9);
    }
    if (endpoint->stages_count > 0 && hits < 1) {
        diag_warn(loader->diags, endpoint->place,
                  "the rate is too low for one hit in the time of the test");
    }
    if (endpoint->on_demand && endpoint->provides_count == 0) {
        diag_warn(loader->diags, endpoint->place, "'on_demand' has no effect without 'provides'");
    }
}

/* A file of a body whose name is known now. */
static void check_content(struct loader *loader, const struct testfile_text *name)
{
    const char *text;
    size_t len;

    if (name->compiled == NULL || !template_is_constant(name->compiled, &text, &len)) return;
    load_check_file(loader, name->place, load_path(loader, name->place.source, text));
}

static void check_body(struct loader *loader, const struct testfile_body *body)
{
    for (uint32_t i = 0; i < body->count; i++) {
        if (body->kind == BODY_FILES) {
            check_content(loader, &body->files[i]);
        } else if (body->pieces[i].is_file) {
            check_content(loader, &body->pieces[i].content);
        }
    }
}

static void check_providers(struct loader *loader)
{
    for (uint32_t i = 0; i < loader->file->providers_count; i++) {
        const struct testfile_provider *provider = &loader->provider_list[i];
        struct quote name = quote(provider->name);

        if (dict_find(&loader->vars.names, provider->name, strlen(provider->name)) != DICT_NONE) {
            diag_warn(loader->diags, provider->place,
                      "the provider '%s' is hidden by the var of that name", name.text);
        } else if (!provider->is_read) {
            diag_warn(loader->diags, provider->place, "nobody reads the provider '%s'", name.text);
        } else if (provider->kind == PROVIDER_RESPONSE && !provider->is_fed) {
            diag_warn(loader->diags, provider->place,
                      "nobody feeds the provider '%s', so what reads it never runs", name.text);
        }
    }
}

static void check_loggers(struct loader *loader)
{
    const struct testfile *file = loader->file;
    bool *fed = load_alloc(loader, file->loggers_count, sizeof(*fed));

    if (fed == NULL) return;
    for (uint32_t i = 0; i < file->endpoints_count; i++) {
        for (uint32_t j = 0; j < file->endpoints[i].logs_count; j++) {
            uint32_t target = file->endpoints[i].logs[j].target;

            if (target < file->loggers_count) fed[target] = true;
        }
    }
    for (uint32_t i = 0; i < file->loggers_count; i++) {
        if (fed[i] || file->loggers[i].is_global) continue;
        diag_warn(loader->diags, file->loggers[i].place, "nobody feeds the logger '%s'",
                  quote(file->loggers[i].name).text);
    }
}

/* The constant value of a tag, or NULL. */
static const char *constant_tag(const struct testfile_endpoint *endpoint, const char *name)
{
    const char *text;
    size_t len;

    for (uint32_t i = 0; i < endpoint->tags_count; i++) {
        const struct testfile_tag *tag = &endpoint->tags[i];

        if (strcmp(tag->name, name) != 0 || tag->value.compiled == NULL) continue;
        return template_is_constant(tag->value.compiled, &text, &len) ? text : NULL;
    }
    return NULL;
}

/* A tag that has the same value always tells nothing apart. */
static void check_tags(struct loader *loader)
{
    const struct testfile *file = loader->file;
    const struct testfile_endpoint *first = &file->endpoints[0];

    if (file->endpoints_count < 2) return;
    for (uint32_t i = 0; i < first->tags_count; i++) {
        const struct testfile_tag *tag = &first->tags[i];
        const char *value = constant_tag(first, tag->name);
        bool same = value != NULL && strcmp(tag->name, "url") != 0;

        for (uint32_t j = 1; same && j < file->endpoints_count; j++) {
            const char *other = constant_tag(&file->endpoints[j], tag->name);

            same = other != NULL && strcmp(other, value) == 0;
        }
        if (!same) continue;
        diag_warn(loader->diags, tag->value.place,
                  "the tag '%s' never varies: it is '%s' in every endpoint", tag->name,
                  quote(value).text);
    }
}

/* Which endpoints can run at all, as far as response providers go: those whose every one is fed by
 * another that can. */
struct settling {
    const struct testfile_provider *providers;
    bool *available;  /* By provider: there is or will be a value. */
    uint32_t missing; /* One that is not; DICT_NONE: none. */
};

static void find_missing(void *context, uint32_t provider)
{
    struct settling *settling = context;

    if (!settling->available[provider]) settling->missing = provider;
}

/* One round over all that have not been settled; true if some were. */
static bool settle(const struct testfile *file, struct settling *settling, bool *settled)
{
    bool more = false;

    for (uint32_t i = 0; i < file->endpoints_count; i++) {
        const struct testfile_endpoint *endpoint = &file->endpoints[i];

        if (settled[i]) continue;
        settling->missing = DICT_NONE;
        each_popped(endpoint, find_missing, settling);
        if (settling->missing != DICT_NONE) continue;
        settled[i] = more = true;
        for (uint32_t j = 0; j < endpoint->provides_count; j++) {
            uint32_t target = endpoint->provides[j].target;

            if (target < file->providers_count) settling->available[target] = true;
        }
    }
    return more;
}

static void check_deadlock(struct loader *loader)
{
    const struct testfile *file = loader->file;
    struct settling settling = {.providers = file->providers};
    bool *settled = load_alloc(loader, file->endpoints_count, sizeof(*settled));

    settling.available = load_alloc(loader, file->providers_count, sizeof(*settling.available));
    if (settled == NULL || settling.available == NULL) return;
    for (uint32_t i = 0; i < file->providers_count; i++) {
        settling.available[i] = file->providers[i].kind != PROVIDER_RESPONSE;
    }
    while (settle(file, &settling, settled)) {
    }
    for (uint32_t i = 0; i < file->endpoints_count; i++) {
        if (settled[i]) continue;
        settling.missing = DICT_NONE;
        each_popped(&file->endpoints[i], find_missing, &settling);
        if (settling.missing == DICT_NONE || !file->providers[settling.missing].is_fed) continue;
        diag_warn(loader->diags, file->endpoints[i].place,
                  "this endpoint never runs: it waits for "
                  "'%s', which only endpoints feed that wait themselves",
                  quote(file->providers[settling.missing].name).text);
    }
}

void testfile_check(struct loader *loader)
{
    const struct testfile *file = loader->file;

    if (file->endpoints_count == 0) {
        if (loader->diags->errors > 0) return; /* They may be why. */
        diag_error(loader->diags, (struct place){0},
                   "no endpoints, so there is nothing to request");
        return;
    }
    for (uint32_t i = 0; i < file->endpoints_count; i++) {
        const struct testfile_endpoint *endpoint = &file->endpoints[i];

        each_popped(endpoint, mark_read, loader->provider_list);
        for (uint32_t j = 0; j < endpoint->provides_count; j++) {
            uint32_t target = endpoint->provides[j].target;

            if (target < file->providers_count) loader->provider_list[target].is_fed = true;
        }
        check_body(loader, &endpoint->body);
    }
    for (uint32_t i = 0; i < file->endpoints_count; i++) {
        if (loader->endpoints.list[i].wrong) continue;
        check_load(loader, &file->endpoints[i]);
        check_cause(loader, &file->endpoints[i]);
    }
    if (loader->diags->errors > 0) return; /* The rest would tell of what follows from errors. */
    check_providers(loader);
    check_loggers(loader);
    check_tags(loader);
    check_deadlock(loader);
}
