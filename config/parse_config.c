/* `config`, `load_pattern` and `thresholds`. */
#include <arpa/inet.h>
#include <math.h>
#include <string.h>

#include "config/load_impl.h"
#include "core/base/check.h"
#include "core/base/quote.h"
#include "core/base/units.h"
#include "tls/tls_words.h"

/* Texts of a scalar or of a sequence of scalars; NULL for those that are wrong (told). */
static const char *const *read_texts(struct loader *loader, const struct yaml_node *node,
                                     const char *what, uint32_t *ret_count)
{
    uint32_t count = node->kind == YAML_SEQUENCE ? node->count : 1;
    const char **texts = load_alloc(loader, count, sizeof(*texts));

    *ret_count = 0;
    if (texts == NULL) return NULL;
    for (uint32_t i = 0; i < count; i++) {
        const struct yaml_node *item = node->kind == YAML_SEQUENCE ? node->items[i] : node;

        if (item->kind != YAML_SCALAR) {
            diag_error(loader->diags, item->place, "'%s' wants text, or a sequence of it, not %s",
                       what, yaml_kind_name(item));
            continue;
        }
        texts[i] = load_text(loader, item);
    }
    *ret_count = count;
    return texts;
}

static bool is_address(const char *text)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static void check_address(struct loader *loader, const struct yaml_node *node, const char *text)
{
    if (text == NULL || is_address(text)) return;
    diag_error(loader->diags, node->place, "'%s' is no numeric address", quote(text).text);
}

static void parse_source(struct loader *loader, const struct yaml_node *node)
{
    struct testfile_client *client = &loader->file->client;

    if (node == NULL) return;
    client->sources = read_texts(loader, node, "source", &client->sources_count);
    for (uint32_t i = 0; i < client->sources_count; i++) {
        check_address(loader, node->kind == YAML_SEQUENCE ? node->items[i] : node,
                      client->sources[i]);
    }
}

static void parse_resolve(struct loader *loader, const struct yaml_node *node)
{
    struct testfile_resolve *resolves;

    if (node == NULL) return;
    if (node->kind != YAML_MAPPING) {
        diag_error(loader->diags, node->place, "'resolve' is a mapping of hosts, not %s",
                   yaml_kind_name(node));
        return;
    }
    load_check_twice(loader, node);
    resolves = load_alloc(loader, node->count, sizeof(*resolves));
    if (resolves == NULL) return;
    for (uint32_t i = 0; i < node->count; i++) {
        const struct yaml_node *value = node->pairs[i].value;

        resolves[i].host = node->pairs[i].key->text;
        if (value->kind != YAML_SCALAR) {
            diag_error(loader->diags, value->place, "an address is text, not %s",
                       yaml_kind_name(value));
            continue;
        }
        resolves[i].address = load_text(loader, value);
        check_address(loader, value, resolves[i].address);
    }
    loader->file->client.resolves = resolves;
    loader->file->client.resolves_count = node->count;
}

/* Files of TLS are relative to the test file too. True if there is one to look into. */
static bool set_tls_file(struct loader *loader, const struct yaml_node *node, const char **path)
{
    if (node == NULL || *path == NULL) return false;
    *path = load_path(loader, node->place.source, *path);
    return load_check_file(loader, node->place, *path);
}

/* Tells what OpenSSL has to say against a value. */
static void check_word(struct loader *loader, const struct yaml_node *node, enum tls_word word,
                       const char *text)
{
    struct err_info why;

    if (node == NULL || text == NULL || tls_word_check(word, text, &why) == ERR_OK) return;
    diag_error(loader->diags, node->place, "%s", why.message);
}

static void parse_tls_files(struct loader *loader, const struct fields *fields,
                            struct testfile_tls *tls)
{
    const struct yaml_node *cacert = fields_get(fields, "cacert");
    const struct yaml_node *cert = fields_get(fields, "cert"), *key = fields_get(fields, "key");
    bool has_cert, has_key;
    struct err_info why;

    if (set_tls_file(loader, cacert, &tls->cacert)) {
        check_word(loader, cacert, TLS_WORD_CA_FILE, tls->cacert);
    }
    if (cacert != NULL && tls->insecure) {
        diag_error(loader->diags, cacert->place,
                   "'insecure' and 'cacert' exclude each other: one trusts everybody");
    }
    has_cert = set_tls_file(loader, cert, &tls->cert);
    has_key = set_tls_file(loader, key, &tls->key) || key == NULL;
    if (cert == NULL && key != NULL) {
        diag_error(loader->diags, key->place, "'key' without 'cert'");
    }
    if (has_cert && has_key && tls_cert_check(tls->cert, tls->key, &why) != ERR_OK) {
        diag_error(loader->diags, cert->place, "%s", why.message);
    }
}

static void check_resume(struct loader *loader, const struct yaml_node *node, const char *text)
{
    double share = 0;

    if (node == NULL || strcmp(text, "full") == 0 || strcmp(text, "tickets") == 0) return;
    if (strncmp(text, "mix:", 4) == 0 && units_parse_percent(text + 4, &share) && share <= 1)
        return;
    diag_error(loader->diags, node->place,
               "'tls_resume' wants full, tickets or a share such as mix:80%%, not '%s'",
               quote(text).text);
}

static void parse_tls(struct loader *loader, const struct yaml_node *node, struct testfile_tls *tls)
{
    struct fields fields;

    fields_read(loader, node, SCHEMA_TLS, tls, &fields);
    parse_tls_files(loader, &fields, tls);
    check_resume(loader, fields_get(&fields, "tls_resume"), tls->tls_resume);
    if (strcmp(tls->tls_min, "any") != 0 && strcmp(tls->tls_min, tls->tls_max) > 0) {
        diag_error(loader->diags, node->place, "'tls_min' is above 'tls_max'");
    }
    check_word(loader, fields_get(&fields, "ciphers"), TLS_WORD_CIPHERS, tls->ciphers);
    check_word(loader, fields_get(&fields, "ciphersuites"), TLS_WORD_CIPHERSUITES,
               tls->ciphersuites);
    check_word(loader, fields_get(&fields, "groups"), TLS_WORD_GROUPS, tls->groups);
    check_word(loader, fields_get(&fields, "sni"), TLS_WORD_SNI, tls->sni);
    if (strcmp(tls->alpn, "none") == 0) return;
    check_word(loader, fields_get(&fields, "alpn"), TLS_WORD_ALPN, tls->alpn);
}

static void parse_client(struct loader *loader, const struct yaml_node *node)
{
    struct testfile_client *client = &loader->file->client;
    const struct yaml_node *old, *present;
    struct fields fields;

    fields_read(loader, node, SCHEMA_CLIENT, client, &fields);
    parse_tls(loader, fields_get(&fields, "tls"), &client->tls);
    old = fields_get(&fields, "max_connection");
    present = fields_get(&fields, "max_connections");
    if (old != NULL && present != NULL) {
        diag_error(loader->diags, old->place, "'max_connection' is 'max_connections'; give one");
    }
    parse_source(loader, fields_get(&fields, "source"));
    parse_resolve(loader, fields_get(&fields, "resolve"));
    loader->client_headers = fields_get(&fields, "headers");
}

static void parse_secrets(struct loader *loader, const struct yaml_node *node)
{
    struct testfile_general *general = &loader->file->general;

    if (node == NULL) return;
    general->secrets = read_texts(loader, node, "secret", &general->secrets_count);
    for (uint32_t i = 0; i < general->secrets_count; i++) {
        const struct yaml_node *item = node->kind == YAML_SEQUENCE ? node->items[i] : node;
        const char *name = general->secrets[i];

        if (name == NULL) continue;
        if (dict_find(&loader->vars.names, name, strlen(name)) != DICT_NONE) continue;
        load_unknown(loader, item->place, "var", name, &loader->vars);
    }
}

static void parse_general(struct loader *loader, const struct yaml_node *node)
{
    struct testfile_general *general = &loader->file->general;
    const struct yaml_node *stats, *seed, *watch;
    struct fields fields;
    uint64_t ignored;

    fields_read(loader, node, SCHEMA_GENERAL, general, &fields);
    general->log_provider_stats = true;
    stats = fields_get(&fields, "log_provider_stats");
    if (stats != NULL) {
        const char *text = stats->kind == YAML_SCALAR ? load_text(loader, stats) : "";

        if (text != NULL && strcmp(text, "false") == 0) {
            general->log_provider_stats = false;
        } else if (text != NULL && strcmp(text, "true") != 0 &&
                   !units_parse_duration_ns(text, &ignored)) {
            diag_error(loader->diags, stats->place, "'log_provider_stats' wants true or false");
        }
    }
    seed = fields_get(&fields, "seed");
    if (seed != NULL) {
        const char *text = seed->kind == YAML_SCALAR ? load_text(loader, seed) : "";

        general->seed_is_given = true;
        if (text != NULL && !units_parse_count(text, &general->seed)) {
            diag_error(loader->diags, seed->place, "'seed' wants a whole number");
        }
    }
    watch = fields_get(&fields, "watch_transition_time");
    if (watch != NULL) {
        const char *text = watch->kind == YAML_SCALAR ? load_text(loader, watch) : "";

        if (text != NULL && !units_parse_duration_ns(text, &ignored)) {
            diag_error(loader->diags, watch->place,
                       "'watch_transition_time' wants a duration such as 90s, 1h30m or 500ms");
        } else {
            diag_warn(loader->diags, watch->place,
                      "'watch_transition_time' has no effect: this "
                      "version does not reload a file while the test runs");
        }
    }
    parse_secrets(loader, fields_get(&fields, "secret"));
}

void parse_config(struct loader *loader, const struct yaml_node *node)
{
    struct fields fields;

    fields_read(loader, node, SCHEMA_CONFIG, NULL, &fields);
    parse_client(loader, fields_get(&fields, "client"));
    parse_general(loader, fields_get(&fields, "general"));
}

const struct raw_linear *parse_pattern(struct loader *loader, const struct yaml_node *node,
                                       uint32_t *ret_count)
{
    struct raw_linear *pattern;
    uint32_t errors = loader->diags->errors;
    uint64_t total_ns = 0;

    *ret_count = 0;
    if (node->kind != YAML_SEQUENCE || node->count == 0 || node->count > PLAN_STAGES_MAX) {
        diag_error(loader->diags, node->place,
                   "a load pattern is a sequence of 1 to %d segments, "
                   "such as '- linear: {to: 100%%, over: 1m}'",
                   PLAN_STAGES_MAX);
        return NULL;
    }
    pattern = load_alloc(loader, node->count, sizeof(*pattern));
    if (pattern == NULL) return NULL;
    for (uint32_t i = 0; i < node->count; i++) {
        struct fields segment, linear;
        const struct yaml_node *inner;

        fields_read(loader, node->items[i], SCHEMA_SEGMENT, NULL, &segment);
        inner = fields_get(&segment, "linear");
        if (i > 0) pattern[i].from_share = pattern[i - 1].to_share;
        if (inner == NULL) continue;
        fields_read(loader, inner, SCHEMA_LINEAR, &pattern[i], &linear);
        if (pattern[i].over_ns > PLAN_STAGES_NS_MAX - total_ns) {
            diag_error(loader->diags, node->items[i]->place,
                       "a load pattern lasts at most 100 years");
            break;
        }
        total_ns += pattern[i].over_ns;
    }
    if (loader->diags->errors > errors) return NULL;
    if (total_ns == 0) {
        diag_error(loader->diags, node->place, "a load pattern that takes no time");
        return NULL;
    }
    *ret_count = node->count;
    return pattern;
}

static const char *skip_spaces(const char *text)
{
    return text + strspn(text, " \t");
}

/* Reads "p99.9", "mean" … and moves `*text` behind it. */
static bool read_metric(const char **text, struct testfile_threshold *threshold)
{
    static const struct {
        const char *name;
        enum testfile_metric metric;
    } rows[] = {
        {"mean", METRIC_MEAN},
        {"min", METRIC_MIN},
        {"max", METRIC_MAX},
        {"rate", METRIC_RATE},
        {"error_rate", METRIC_ERROR_RATE},
        {"requests", METRIC_REQUESTS},
        {"errors", METRIC_ERRORS},
    };
    size_t len = strspn(*text, "abcdefghijklmnopqrstuvwxyz_0123456789.");
    const char *name = *text;
    char digits[24];

    *text += len;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (strlen(rows[i].name) != len || strncmp(rows[i].name, name, len) != 0) continue;
        threshold->metric = rows[i].metric;
        return true;
    }
    if (len < 2 || len > sizeof(digits) || name[0] != 'p') return false;
    memcpy(digits, name + 1, len - 1);
    digits[len - 1] = '\0';
    threshold->metric = METRIC_PERCENTILE;
    return units_parse_rate(digits, &threshold->percentile) && threshold->percentile <= 100;
}

static bool read_compare(const char **text, struct testfile_threshold *threshold)
{
    bool equal = (*text)[0] != '\0' && (*text)[1] == '=';

    if (**text == '<') {
        threshold->compare = equal ? COMPARE_LESS_EQUAL : COMPARE_LESS;
    } else if (**text == '>') {
        threshold->compare = equal ? COMPARE_GREATER_EQUAL : COMPARE_GREATER;
    } else {
        return false;
    }
    *text += equal ? 2 : 1;
    return true;
}

static bool read_limit(const char *text, struct testfile_threshold *threshold)
{
    uint64_t amount;

    switch (threshold->metric) {
    case METRIC_PERCENTILE:
    case METRIC_MEAN:
    case METRIC_MIN:
    case METRIC_MAX:
        if (!units_parse_duration_ns(text, &amount)) return false;
        threshold->value = (double)amount;
        return true;
    case METRIC_ERROR_RATE: return units_parse_percent(text, &threshold->value);
    case METRIC_RATE: return units_parse_hits(text, &threshold->value);
    case METRIC_REQUESTS:
    case METRIC_ERRORS:
        if (!units_parse_count(text, &amount)) return false;
        threshold->value = (double)amount;
        return true;
    }
    UNREACHABLE("a metric that there is not");
}

/* The place of what stands from `at` on, in a text that is that of the node unless it was made. */
static struct place place_at(struct loader *loader, const struct yaml_node *node, const char *text,
                             const char *at)
{
    if (text != node->text) return node->place;
    return yaml_place_in(node, (size_t)(at - text), (uint32_t)strlen(at), loader->diags);
}

static void parse_check(struct loader *loader, const struct yaml_node *node, const char *text,
                        struct testfile_threshold *threshold)
{
    static const char *const wants[] = {
        [METRIC_PERCENTILE] = "a duration such as 250ms",
        [METRIC_MEAN] = "a duration such as 250ms",
        [METRIC_MIN] = "a duration such as 250ms",
        [METRIC_MAX] = "a duration such as 250ms",
        [METRIC_ERROR_RATE] = "a percent such as 0.1%",
        [METRIC_RATE] = "hits such as 500hps",
        [METRIC_REQUESTS] = "a whole number",
        [METRIC_ERRORS] = "a whole number",
    };
    const char *at = skip_spaces(text);

    threshold->text = text;
    if (!read_metric(&at, threshold)) {
        diag_error(loader->diags, node->place,
                   "a threshold begins with p50, p99.9, mean, min, max, "
                   "error_rate, rate, requests or errors, not '%s'",
                   quote(text).text);
        return;
    }
    at = skip_spaces(at);
    if (!read_compare(&at, threshold)) {
        diag_error(loader->diags, place_at(loader, node, text, at),
                   "a threshold wants <, <=, > or >= behind its metric");
        return;
    }
    at = skip_spaces(at);
    if (read_limit(at, threshold)) return;
    diag_error(loader->diags, place_at(loader, node, text, at), "this threshold wants %s, not '%s'",
               wants[threshold->metric], quote(at).text);
}

static void parse_threshold_tags(struct loader *loader, const struct yaml_node *node,
                                 struct testfile_threshold *threshold)
{
    struct testfile_tag *tags;

    if (node == NULL) return;
    if (node->kind != YAML_MAPPING) {
        diag_error(loader->diags, node->place, "'tags' is a mapping, not %s", yaml_kind_name(node));
        return;
    }
    load_check_twice(loader, node);
    tags = load_alloc(loader, node->count, sizeof(*tags));
    if (tags == NULL) return;
    for (uint32_t i = 0; i < node->count; i++) {
        const struct yaml_node *value = node->pairs[i].value;

        if (value->kind != YAML_SCALAR) {
            diag_error(loader->diags, value->place, "a tag is text, not %s", yaml_kind_name(value));
            continue;
        }
        tags[i].name = node->pairs[i].key->text;
        tags[i].value.text = load_text(loader, value);
        tags[i].value.place = value->place;
    }
    threshold->tags = tags;
    threshold->tags_count = node->count;
}

void parse_thresholds(struct loader *loader, const struct yaml_node *node)
{
    struct testfile_threshold *list;

    if (node->kind != YAML_SEQUENCE) {
        diag_error(loader->diags, node->place, "'thresholds' is a sequence, not %s",
                   yaml_kind_name(node));
        return;
    }
    list = load_alloc(loader, node->count, sizeof(*list));
    if (list == NULL) return;
    for (uint32_t i = 0; i < node->count; i++) {
        const struct yaml_node *item = node->items[i], *check = item;
        struct raw_threshold raw = {0};
        struct fields fields;

        list[i].place = item->place;
        if (item->kind == YAML_SCALAR) {
            raw.check = load_text(loader, item);
        } else {
            fields_read(loader, item, SCHEMA_THRESHOLD, &raw, &fields);
            check = fields_get(&fields, "check");
            parse_threshold_tags(loader, fields_get(&fields, "tags"), &list[i]);
        }
        list[i].from_sent = raw.from == 1;
        if (raw.check != NULL) parse_check(loader, check, raw.check, &list[i]);
    }
    loader->file->thresholds = list;
    loader->file->thresholds_count = node->count;
}
