#include "core/run_json.h"

#include <string.h>

#include "core/report.h"
#include "core/version.h"

/* Seconds since the epoch, whole ones where they are. */
static void put_epoch(struct json *json, const char *key, uint64_t wall_ns)
{
    json_put_double(json, key, (double)wall_ns / (double)NS_PER_S, 3);
}

static void put_ms(struct json *json, const char *key, double ns, bool is_known)
{
    json_key(json, key);
    if (is_known) {
        json_double(json, ns / (double)NS_PER_MS, 6);
    } else {
        json_null(json);
    }
}

void run_json_start(const char *file, struct text *out)
{
    struct json json;

    json_init(&json, out, true);
    json_object(&json);
    json_put_str(&json, "type", "start");
    json_put_str(&json, "msg", file);
    json_put_str(&json, "binVersion", pelt_version);
    json_end(&json);
}

void run_json_report(const struct result *result, struct text *out)
{
    text_add_str(out, "{\"type\":\"report\",\"report\":");
    report_json(result, true, out);
    if (out->failed) return;
    out->len--; /* Its line end. */
    text_add_str(out, "}\n");
}

void run_json_line(const char *type, const char *line, struct text *out)
{
    struct json json;

    if (strncmp(line, "pelt: ", 6) == 0) line += 6;
    json_init(&json, out, true);
    json_object(&json);
    json_put_str(&json, "type", type);
    json_put_str(&json, "msg", line);
    json_end(&json);
}

/* What a line is of: a bucket or all of the test. */
struct span {
    const char *type;
    uint64_t start_wall_ns, end_wall_ns;
};

static void put_span(struct json *json, const struct span *span)
{
    put_epoch(json, "startTime", span->start_wall_ns);
    put_epoch(json, "timestamp", span->end_wall_ns);
    json_put_str(json, "summaryType", span->type);
}

static void add_provider(const struct bucket_provider *provider, const struct span *span,
                         struct text *out)
{
    struct json json;

    json_init(&json, out, true);
    json_object(&json);
    put_epoch(&json, "timestamp", span->end_wall_ns);
    json_put_str(&json, "provider", provider->name);
    json_put_u64(&json, "len", provider->len);
    json_put_u64(&json, "limit", provider->limit);
    json_put_u64(&json, "receiverCount", provider->receivers);
    json_put_u64(&json, "senderCount", provider->senders);
    json_put_u64(&json, "onDemandCount", provider->on_demand);
    json_end(&json);
}

static void put_tag(struct json *json, const struct bucket_group *group, const char *name)
{
    uint32_t len = 0;
    const char *value = bucket_tag(group, name, &len);

    json_key(json, name);
    json_str_len(json, value == NULL ? "" : value, len);
}

static void put_statuses(struct json *json, const struct bucket_figures *figures)
{
    json_key(json, "statusCounts");
    json_array(json);
    for (uint32_t i = 0; i < STATUS_COUNT; i++) {
        if (figures->status[i] == 0) continue;
        json_object(json);
        json_put_u64(json, "status", i);
        json_put_u64(json, "count", figures->status[i]);
        json_end(json);
    }
    json_end(json);
}

static void put_errors(struct json *json, const struct bucket_figures *figures)
{
    struct bucket_error errors[BUCKET_ERRORS_MAX];
    uint32_t count = bucket_errors(figures, errors);
    uint64_t sum = 0;

    json_key(json, "testErrors");
    json_array(json);
    for (uint32_t i = 0; i < count; i++) {
        json_object(json);
        json_put_str(json, "error", errors[i].text);
        json_put_u64(json, "count", errors[i].count);
        json_end(json);
        sum += errors[i].count;
    }
    json_end(json);
    json_put_u64(json, "testErrorCount", sum);
}

static void put_latency(struct json *json, const struct hist_view *view)
{
    static const struct {
        const char *key;
        double share;
    } rows[] = {{"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p99_9", 0.999}};
    bool known = view->count > 0;

    for (size_t i = 0; i < COUNT(rows); i++) {
        put_ms(json, rows[i].key, (double)hist_view_percentile_ns(view, rows[i].share), known);
    }
    put_ms(json, "min", (double)view->min_ns, known);
    put_ms(json, "max", (double)view->max_ns, known);
    put_ms(json, "mean", hist_view_mean_ns(view), known);
    put_ms(json, "stddev", hist_view_stddev_ns(view), known);
}

static void add_summary(const struct bucket_group *group, const struct bucket_figures *figures,
                        const struct span *span, struct text *out)
{
    struct json json;

    if (bucket_is_empty(figures)) return;
    json_init(&json, out, true);
    json_object(&json);
    json_put_str(&json, "type", "summary");
    put_span(&json, span);
    put_tag(&json, group, "method");
    put_tag(&json, group, "url");
    json_put_u64(&json, "callCount", bucket_calls(figures));
    put_statuses(&json, figures);
    json_put_u64(&json, "requestTimeouts", bucket_timeouts(figures));
    put_errors(&json, figures);
    put_latency(&json, figures->from_sent);
    bucket_put_tags(group, &json);
    json_key(&json, "fromDue");
    json_object(&json);
    put_latency(&json, figures->from_due);
    json_end(&json);
    json_put_counts(&json, "failures", figures->failed, failed_names, FAILED_COUNT);
    json_put_u64(&json, "bytesSent", figures->bytes_sent);
    json_put_u64(&json, "bytesReceived", figures->bytes_received);
    json_put_u64(&json, "waitCount", figures->waits);
    put_ms(&json, "waited", (double)figures->waited_ns, true);
    json_end(&json);
}

static void add_ledger(const struct bucket *bucket, const struct ledger *ledger,
                       const struct span *span, struct text *out)
{
    struct json json;

    json_init(&json, out, true);
    json_object(&json);
    json_put_str(&json, "type", "ledger");
    put_span(&json, span);
    json_put_u64(&json, "openConnections", bucket->connections_open);
    json_put_u64(&json, "maxConnections", bucket->connections_max);
    json_put_u64(&json, "due", ledger->due);
    json_put_u64(&json, "started", ledger->started);
    json_put_counts(&json, "shed", ledger->shed, shed_names, SHED_COUNT);
    json_put_counts(&json, "missed", ledger->missed, missed_names, MISSED_COUNT);
    json_put_u64(&json, "ok", ledger->ok);
    json_put_counts(&json, "failed", ledger->failed, failed_names, FAILED_COUNT);
    json_put_u64(&json, "cutOff", ledger->cut_off);
    json_put_u64(&json, "pending", ledger->pending);
    json_put_u64(&json, "inFlight", ledger->in_flight);
    json_end(&json);
}

void run_json_bucket(const struct bucket *bucket, uint64_t start_wall_ns, struct text *out)
{
    struct span span = {.type = "bucket",
                        .start_wall_ns = bucket->start_wall_ns,
                        .end_wall_ns = start_wall_ns + bucket->until_ns};

    for (uint32_t i = 0; i < bucket->providers_count; i++) {
        add_provider(&bucket->providers[i], &span, out);
    }
    for (uint32_t i = 0; i < bucket->groups_count; i++) {
        const struct bucket_group *group = bucket_load_group(bucket, i);

        add_summary(group, &group->bucket, &span, out);
    }
    add_ledger(bucket, &bucket->ledger, &span, out);
}

void run_json_test(const struct bucket *last, uint64_t start_wall_ns, struct text *out)
{
    struct span span = {.type = "test",
                        .start_wall_ns = start_wall_ns,
                        .end_wall_ns = start_wall_ns + last->until_ns};

    for (uint32_t i = 0; i < last->groups_count; i++) {
        const struct bucket_group *group = bucket_load_group(last, i);

        add_summary(group, &group->total, &span, out);
    }
    add_ledger(last, &last->total, &span, out);
}
