/* The lines of pelt's own form. */
#include <stdio.h>

#include "core/results_forms.h"

static void put_str(struct json *json, const char *key, const char *value)
{
    json_key(json, key);
    json_str(json, value);
}

static void put_u64(struct json *json, const char *key, uint64_t value)
{
    json_key(json, key);
    json_u64(json, value);
}

/* Seconds, down to the microsecond. */
static void put_s(struct json *json, const char *key, uint64_t value_ns)
{
    json_key(json, key);
    json_double(json, (double)value_ns / (double)NS_PER_S, 6);
}

/* Counts by name, those that are 0 left out. */
static void put_map(struct json *json, const char *key, const uint64_t *counts,
                    const char *const *names, int names_count)
{
    json_key(json, key);
    json_object(json);
    for (int i = 0; i < names_count; i++) {
        if (counts[i] > 0) put_u64(json, names[i], counts[i]);
    }
    json_end(json);
}

static void put_ledger(struct json *json, const struct ledger *ledger)
{
    json_key(json, "ledger");
    json_object(json);
    put_u64(json, "due", ledger->due);
    put_u64(json, "started", ledger->started);
    put_u64(json, "ok", ledger->ok);
    put_map(json, "failed", ledger->failed, failed_names, FAILED_COUNT);
    put_u64(json, "cut_off", ledger->cut_off);
    put_map(json, "shed", ledger->shed, shed_names, SHED_COUNT);
    put_map(json, "missed", ledger->missed, missed_names, MISSED_COUNT);
    put_u64(json, "pending", ledger->pending);
    put_u64(json, "in_flight", ledger->in_flight);
    put_u64(json, "bytes_sent", ledger->bytes_sent);
    put_u64(json, "bytes_received", ledger->bytes_received);
    put_u64(json, "connects", ledger->connects);
    put_u64(json, "connects_failed", ledger->connects_failed);
    put_u64(json, "opened", ledger->opened);
    put_u64(json, "closed_by_peer", ledger->closed_by_peer);
    json_end(json);
}

void results_pelt_header(struct results_lines *lines, const struct results_header *header)
{
    struct json *json = results_line(lines);

    put_str(json, "type", "header");
    put_u64(json, "format", 1);
    put_str(json, "version", header->version);
    put_str(json, "test", header->test);
    put_s(json, "start", header->start_wall_ns);
    put_s(json, "bucket_size", header->bucket_size_ns);
    json_end(json);
}

void results_pelt_group(struct results_lines *lines, const struct bucket_group *group)
{
    struct json *json = results_line(lines);

    put_str(json, "type", "group");
    put_u64(json, "index", group->index);
    json_key(json, "tags");
    results_tags(json, group);
    json_end(json);
}

static void put_hist(struct results_lines *lines, const char *key, const struct hist_view *view)
{
    struct json *json = &lines->json;

    if (view == NULL || view->count == 0) return;
    json_key(json, key);
    json_object(json);
    put_u64(json, "count", view->count);
    put_u64(json, "sum_ns", view->sum_ns);
    put_u64(json, "min_ns", view->min_ns);
    put_u64(json, "max_ns", view->max_ns);
    json_key(json, "hdr");
    results_line_hist(lines, view);
    json_end(json);
}

static void put_errors(struct json *json, const struct bucket_figures *figures)
{
    json_key(json, "errors");
    json_array(json);
    for (uint32_t i = 0; i < figures->errors_count; i++) {
        if (figures->errors[i].count == 0) continue;
        json_object(json);
        put_u64(json, "code", figures->errors[i].code);
        put_str(json, "error", figures->errors[i].text);
        put_u64(json, "count", figures->errors[i].count);
        json_end(json);
    }
    json_end(json);
}

static void put_group(struct results_lines *lines, const struct bucket_group *group)
{
    const struct bucket_figures *figures = &group->bucket;
    struct json *json = &lines->json;

    json_object(json);
    put_u64(json, "index", group->index);
    put_u64(json, "calls", bucket_calls(figures));
    put_u64(json, "ok", figures->ok);
    put_u64(json, "timeouts", bucket_timeouts(figures));
    put_map(json, "failed", figures->failed, failed_names, FAILED_COUNT);
    json_key(json, "status");
    results_statuses(json, figures);
    put_errors(json, figures);
    put_u64(json, "bytes_sent", figures->bytes_sent);
    put_u64(json, "bytes_received", figures->bytes_received);
    put_u64(json, "waits", figures->waits);
    put_s(json, "waited", figures->waited_ns);
    put_hist(lines, "from_due", figures->from_due);
    put_hist(lines, "from_sent", figures->from_sent);
    json_end(json);
}

static void put_providers(struct json *json, const struct bucket *bucket)
{
    json_key(json, "providers");
    json_array(json);
    for (uint32_t i = 0; i < bucket->providers_count; i++) {
        const struct bucket_provider *provider = &bucket->providers[i];

        json_object(json);
        put_str(json, "name", provider->name);
        put_u64(json, "len", provider->len);
        put_u64(json, "limit", provider->limit);
        put_u64(json, "receivers", provider->receivers);
        put_u64(json, "senders", provider->senders);
        put_u64(json, "on_demand", provider->on_demand);
        json_end(json);
    }
    json_end(json);
}

void results_pelt_bucket(struct results_lines *lines, const struct bucket *bucket)
{
    struct json *json = results_line(lines);

    put_str(json, "type", "bucket");
    put_s(json, "time", bucket->start_wall_ns);
    put_s(json, "from", bucket->from_ns);
    put_s(json, "until", bucket->until_ns);
    json_key(json, "groups");
    json_array(json);
    for (uint32_t i = 0; i < bucket->groups_count; i++) {
        if (!bucket_is_empty(&bucket->groups[i].bucket)) put_group(lines, &bucket->groups[i]);
    }
    json_end(json);
    put_providers(json, bucket);
    json_key(json, "connections");
    json_object(json);
    put_u64(json, "open", bucket->connections_open);
    put_u64(json, "max", bucket->connections_max);
    json_end(json);
    put_ledger(json, &bucket->ledger);
    json_end(json);
}

void results_pelt_last(struct results_lines *lines, const struct results_last *last)
{
    struct json *json = results_line(lines);

    put_str(json, "type", "end");
    put_s(json, "time", last->end_wall_ns);
    put_str(json, "reason", last->reason);
    if (last->error != NULL) put_str(json, "error", last->error);
    put_u64(json, "buckets", last->buckets);
    put_u64(json, "groups", last->groups);
    put_ledger(json, last->ledger);
    json_end(json);
}
