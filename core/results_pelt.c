/* The lines of pelt's own form. */

#include "core/results_forms.h"

/* Seconds, down to the microsecond. */
static void put_s(struct json *json, const char *key, uint64_t value_ns)
{
    json_put_double(json, key, (double)value_ns / (double)NS_PER_S, 6);
}

static void put_ledger(struct json *json, const struct ledger *ledger)
{
    json_key(json, "ledger");
    json_object(json);
    json_put_u64(json, "due", ledger->due);
    json_put_u64(json, "started", ledger->started);
    json_put_u64(json, "ok", ledger->ok);
    json_put_counts(json, "failed", ledger->failed, failed_names, FAILED_COUNT);
    json_put_u64(json, "cut_off", ledger->cut_off);
    json_put_counts(json, "shed", ledger->shed, shed_names, SHED_COUNT);
    json_put_counts(json, "missed", ledger->missed, missed_names, MISSED_COUNT);
    json_put_u64(json, "pending", ledger->pending);
    json_put_u64(json, "in_flight", ledger->in_flight);
    json_put_u64(json, "bytes_sent", ledger->bytes_sent);
    json_put_u64(json, "bytes_received", ledger->bytes_received);
    json_put_u64(json, "connects", ledger->connects);
    json_put_u64(json, "connects_failed", ledger->connects_failed);
    json_put_u64(json, "opened", ledger->opened);
    json_put_u64(json, "closed_by_peer", ledger->closed_by_peer);
    json_end(json);
}

void results_pelt_header(struct results_lines *lines, const struct results_header *header)
{
    struct json *json = results_line(lines);

    json_put_str(json, "type", "header");
    json_put_u64(json, "format", 1);
    json_put_str(json, "version", header->version);
    json_put_str(json, "test", header->test);
    put_s(json, "start", header->start_wall_ns);
    put_s(json, "bucket_size", header->bucket_size_ns);
    json_end(json);
}

void results_pelt_group(struct results_lines *lines, const struct bucket_group *group)
{
    struct json *json = results_line(lines);

    json_put_str(json, "type", "group");
    json_put_u64(json, "index", group->index);
    bucket_put_tags(group, json);
    json_end(json);
}

static void put_hist(struct results_lines *lines, const char *key, const struct hist_view *view)
{
    struct json *json = &lines->json;

    if (view == NULL || view->count == 0) return;
    json_key(json, key);
    json_object(json);
    json_put_u64(json, "count", view->count);
    json_put_u64(json, "sum_ns", view->sum_ns);
    json_put_u64(json, "min_ns", view->min_ns);
    json_put_u64(json, "max_ns", view->max_ns);
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
        json_put_u64(json, "code", figures->errors[i].code);
        json_put_str(json, "error", figures->errors[i].text);
        json_put_u64(json, "count", figures->errors[i].count);
        json_end(json);
    }
    json_end(json);
}

static void put_group(struct results_lines *lines, const struct bucket_group *group)
{
    const struct bucket_figures *figures = &group->bucket;
    struct json *json = &lines->json;

    json_object(json);
    json_put_u64(json, "index", group->index);
    json_put_u64(json, "calls", bucket_calls(figures));
    json_put_u64(json, "ok", figures->ok);
    json_put_u64(json, "timeouts", bucket_timeouts(figures));
    json_put_counts(json, "failed", figures->failed, failed_names, FAILED_COUNT);
    json_key(json, "status");
    results_statuses(json, figures);
    put_errors(json, figures);
    json_put_u64(json, "bytes_sent", figures->bytes_sent);
    json_put_u64(json, "bytes_received", figures->bytes_received);
    json_put_u64(json, "waits", figures->waits);
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
        json_put_str(json, "name", provider->name);
        json_put_u64(json, "len", provider->len);
        json_put_u64(json, "limit", provider->limit);
        json_put_u64(json, "receivers", provider->receivers);
        json_put_u64(json, "senders", provider->senders);
        json_put_u64(json, "on_demand", provider->on_demand);
        json_end(json);
    }
    json_end(json);
}

void results_pelt_bucket(struct results_lines *lines, const struct bucket *bucket)
{
    struct json *json = results_line(lines);

    json_put_str(json, "type", "bucket");
    put_s(json, "time", bucket->start_wall_ns);
    put_s(json, "from", bucket->from_ns);
    put_s(json, "until", bucket->until_ns);
    json_key(json, "groups");
    json_array(json);
    for (uint32_t i = 0; i < bucket->groups_count; i++) {
        if (bucket_is_empty(&bucket->groups[i].bucket)) continue;
        put_group(lines, bucket_load_group(bucket, i));
    }
    json_end(json);
    put_providers(json, bucket);
    json_key(json, "connections");
    json_object(json);
    json_put_u64(json, "open", bucket->connections_open);
    json_put_u64(json, "max", bucket->connections_max);
    json_end(json);
    put_ledger(json, &bucket->ledger);
    json_end(json);
}

void results_pelt_last(struct results_lines *lines, const struct results_last *last)
{
    struct json *json = results_line(lines);

    json_put_str(json, "type", "end");
    put_s(json, "time", last->end_wall_ns);
    json_put_str(json, "reason", last->reason);
    if (last->error != NULL) json_put_str(json, "error", last->error);
    json_put_u64(json, "buckets", last->buckets);
    json_put_u64(json, "groups", last->groups);
    put_ledger(json, last->ledger);
    json_end(json);
}
