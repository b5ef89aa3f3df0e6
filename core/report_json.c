/* The report for programs. Keys are promises: a key is never renamed, and one whose figure is not
 * known is left away and not filled with something else. docs/report.md says what each means. */
#include "core/report.h"

#include <stdio.h>
#include <time.h>

#include "core/report_dropped.h"
#include "core/report_loggers.h"
#include "core/report_net.h"
#include "core/report_thresholds.h"
#include "core/report_tls.h"
#include "core/report_urls.h"
#include "core/report_waits.h"
#include "core/version.h"

static void put_seconds(struct json *json, const char *key, uint64_t ns)
{
    json_put_double(json, key, (double)ns / (double)NS_PER_S, 9);
}

static void put_us(struct json *json, const char *key, double ns)
{
    json_put_double(json, key, ns / (double)NS_PER_US, 3);
}

/* When the run started, by the wall clock: RFC 3339, UTC, milliseconds. */
static void put_started_at(struct json *json, uint64_t wall_ns)
{
    time_t seconds = (time_t)(wall_ns / NS_PER_S);
    char day[32], text[48];
    struct tm utc;

    if (wall_ns == 0 || gmtime_r(&seconds, &utc) == NULL) return;
    if (strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &utc) == 0) return;
    (void)snprintf(text, sizeof(text), "%s.%03uZ", day, (unsigned)(wall_ns % NS_PER_S / NS_PER_MS));
    json_put_str(json, "started_at", text);
}

static void put_run(struct json *json, const struct result *result)
{
    const struct plan *plan = result->plan;

    json_put_str(json, "version", pelt_version);
    if (plan->test_file != NULL) {
        json_put_str(json, "test", plan->test_file);
        json_put_u64(json, "seed", plan->seed);
    }
    json_put_str(json, "target", plan->requests[0].url);
    json_key(json, "urls");
    json_array(json);
    for (uint32_t i = 0; i < plan->requests_count; i++) {
        json_str(json, plan->requests[i].url);
    }
    json_end(json);
    json_put_str(json, "engine", result->engine);
    json_put_str(json, "fallback", result->fallback);
    if (result->shrunk[0] != '\0') json_put_str(json, "shrunk", result->shrunk);
    json_put_u64(json, "workers", plan->workers);
    put_started_at(json, result->started_wall_ns);
    json_put_str(json, "end", result_end_name(result->end));
    if (result->end == END_PROVIDERS && result->ran_dry != NULL) {
        json_put_str(json, "ran_dry", result->ran_dry);
    }
    put_seconds(json, "warmup_s", result->warmup_ns);
    put_seconds(json, "duration_s", result->span_ns);
    put_seconds(json, "drained_s", result->drained_ns);
}

static void put_ledger(struct json *json, const struct result *result)
{
    const struct ledger *ledger = &result->ledger;

    json_key(json, "ledger");
    json_object(json);
    json_put_u64(json, "due", ledger->due);
    json_put_u64(json, "warmup", ledger->warmup);
    json_put_u64(json, "started", ledger->started);
    json_put_counts(json, "shed", ledger->shed, shed_names, SHED_COUNT);
    json_put_counts(json, "missed", ledger->missed, missed_names, MISSED_COUNT);
    json_put_u64(json, "ok", ledger->ok);
    json_put_u64(json, "ok_in_span", ledger->ok_in_span);
    json_put_counts(json, "failed", ledger->failed, failed_names, FAILED_COUNT);
    json_put_u64(json, "cut_off", ledger->cut_off);
    if (ledger->pending != 0) json_put_u64(json, "pending", ledger->pending);
    if (ledger->in_flight != 0) json_put_u64(json, "in_flight", ledger->in_flight);
    if (result->readings_open != 0) json_put_u64(json, "readings_open", result->readings_open);
    json_put_bool(json, "closes", result_closes(result));
    json_end(json);
}

/* What an open loop was asked for. */
static void put_asked(struct json *json, const struct result *result)
{
    const struct plan *plan = result->plan;
    bool poisson = plan->arrivals == PLAN_ARRIVALS_POISSON;

    if (!plan->open_loop) return;
    json_put_double(json, "asked_per_s", result->asked_per_s, 3);
    json_put_str(json, "arrivals", poisson ? "poisson" : "even");
    if (poisson) json_put_u64(json, "seed", plan->seed);
}

/* What became of bodies that are sent apart. */
static void put_request_body(struct json *json, const struct result *result)
{
    const struct plan *plan = result->plan;
    uint64_t bytes = 0;

    if (plan->body_spans == 0) return;
    for (uint32_t i = 0; i < plan->body_spans; i++) {
        bytes += plan->body[i].len;
    }
    json_key(json, "request_body");
    json_object(json);
    json_put_u64(json, "bytes", bytes);
    if (plan->expect_continue) {
        json_put_u64(json, "continued", result->ledger.bodies_continued);
        json_put_u64(json, "unasked", result->ledger.bodies_unasked);
    }
    json_put_u64(json, "unsent", result->ledger.bodies_unsent);
    json_end(json);
}

/* Whether all bodies came into our memory. */
static void put_bodies(struct json *json, const struct ledger *ledger)
{
    json_key(json, "bodies");
    json_object(json);
    json_put_str(json, "mode", ledger->bytes_discarded > 0 ? "discarded" : "read");
    json_put_u64(json, "discarded", ledger->discarded);
    json_put_u64(json, "discarded_bytes", ledger->bytes_discarded);
    json_end(json);
}

static void put_traffic(struct json *json, const struct result *result,
                        const struct result_figures *figures)
{
    json_key(json, "rate");
    json_object(json);
    json_put_double(json, "achieved_per_s", figures->achieved_per_s, 3);
    put_asked(json, result);
    json_end(json);

    json_key(json, "bytes");
    json_object(json);
    json_put_u64(json, "sent", result->ledger.bytes_sent);
    json_put_u64(json, "received", result->ledger.bytes_received);
    json_end(json);

    put_bodies(json, &result->ledger);
    put_request_body(json, result);

    json_key(json, "status");
    json_object(json);
    for (unsigned i = 0; i < STATUS_COUNT; i++) {
        char status[16];

        if (result->status[i] == 0) continue;
        (void)snprintf(status, sizeof(status), "%03u", i);
        json_put_u64(json, status, result->status[i]);
    }
    json_end(json);
}

static void put_latency(struct json *json, const char *key, const struct hist_view *view)
{
    static const struct {
        const char *key;
        double share;
    } percentiles[] = {{"p50", 0.5},  {"p75", 0.75},   {"p90", 0.9},     {"p95", 0.95},
                       {"p99", 0.99}, {"p999", 0.999}, {"p9999", 0.9999}};

    json_key(json, key);
    json_object(json);
    for (size_t i = 0; view->count > 0 && i < COUNT(percentiles); i++) {
        put_us(json, percentiles[i].key,
               (double)hist_view_percentile_ns(view, percentiles[i].share));
    }
    if (view->count > 0) {
        put_us(json, "min", (double)view->min_ns);
        put_us(json, "max", (double)view->max_ns);
        put_us(json, "mean", hist_view_mean_ns(view));
        put_us(json, "stddev", hist_view_stddev_ns(view));
    }
    json_put_u64(json, "count", view->count);
    if (view->over != 0) json_put_u64(json, "over", view->over);
    if (view->unplaced != 0) json_put_u64(json, "unplaced", view->unplaced);
    json_end(json);
}

static void put_phases(struct json *json, const struct result *result)
{
    const struct {
        const char *key;
        const struct hist_view *view;
    } phases[] = {{"connect", result->connect},
                  {"connect_failed", result->connect_failed},
                  {"handshake_full", result->handshake_full},
                  {"handshake_resumed", result->handshake_resumed},
                  {"first_byte", result->first_byte},
                  {"body", result->body}};

    json_key(json, "phases_us");
    json_object(json);
    for (size_t i = 0; i < COUNT(phases); i++) {
        if (phases[i].view != NULL) put_latency(json, phases[i].key, phases[i].view);
    }
    json_end(json);
}

static void put_statuses(struct json *json, const struct result *result)
{
    json_key(json, "status_latency_us");
    json_object(json);
    for (uint32_t i = 0; i < result->by_status_count; i++) {
        char key[16];

        (void)snprintf(key, sizeof(key), "%03u", result->by_status[i].status);
        put_latency(json, key, result->by_status[i].from_sent);
    }
    if (result->other_statuses != NULL) put_latency(json, "other", result->other_statuses);
    json_end(json);
}

static void put_series_latency(struct json *json, const char *key,
                               const struct series_latency *latency)
{
    if (!latency->is_known) return;
    json_key(json, key);
    json_object(json);
    put_us(json, "p50", (double)latency->p50_ns);
    put_us(json, "p99", (double)latency->p99_ns);
    put_us(json, "max", (double)latency->max_ns);
    json_end(json);
}

static void put_sample(struct json *json, const struct series_sample *sample)
{
    double asked_per_s = series_asked_per_s(sample);
    double achieved_per_s = series_achieved_per_s(sample);

    json_object_line(json); /* There may be a day of them. */
    put_seconds(json, "t_s", sample->until_ns);
    if (sample->part == SERIES_WARMUP) json_put_str(json, "part", "warmup");
    if (sample->part == SERIES_DRAIN) json_put_str(json, "part", "drain");
    if (asked_per_s >= 0) json_put_double(json, "asked_per_s", asked_per_s, 3);
    if (achieved_per_s >= 0) json_put_double(json, "achieved_per_s", achieved_per_s, 3);
    json_put_u64(json, "answered", sample->answered);
    json_put_u64(json, "failed", sample->failed);
    json_put_u64(json, "shed", sample->shed);
    json_put_u64(json, "open", sample->open);
    put_series_latency(json, "from_due_us", &sample->latency[SERIES_FROM_DUE]);
    put_series_latency(json, "from_sent_us", &sample->latency[SERIES_FROM_SENT]);
    if (sample->latency[SERIES_LATENESS].is_known) {
        put_us(json, "lateness_p99_us", (double)sample->latency[SERIES_LATENESS].p99_ns);
    }
    json_end(json);
}

static void put_series(struct json *json, const struct series *series)
{
    if (series == NULL) return;
    json_key(json, "series");
    json_array(json);
    for (uint32_t i = 0; i < series->count; i++) {
        put_sample(json, &series->samples[i]);
    }
    json_end(json);
}

static void put_connections(struct json *json, const struct result *result)
{
    const struct ledger *ledger = &result->ledger;
    const struct plan *plan = result->plan;

    json_key(json, "connections");
    json_object(json);
    json_put_u64(json, "asked", plan->connections);
    json_put_u64(json, "max",
                 plan->connections_max != 0 ? plan->connections_max : plan->connections);
    json_put_u64(json, "pipeline", plan->pipeline);
    if (plan->max_requests_per_connection > 0) {
        json_put_u64(json, "requests_each_max", plan->max_requests_per_connection);
    }
    if (plan->connect_rate_per_s > 0) {
        json_put_double(json, "connect_rate_per_s", plan->connect_rate_per_s, 3);
    }
    json_put_u64(json, "attempts", ledger->connects);
    json_put_u64(json, "opened", ledger->opened);
    json_put_u64(json, "alive_max", ledger->alive_max);
    json_put_u64(json, "refused", ledger->connects_refused);
    json_put_u64(json, "failed", ledger->connects_failed);
    json_put_u64(json, "closed_by_peer", ledger->closed_by_peer);
    json_put_u64(json, "unsolicited", ledger->unsolicited_idle);
    json_put_u64(json, "conflicting_framing", ledger->conflicting);
    json_put_u64(json, "interim", ledger->interim);
    json_end(json);
}

static void put_client(struct json *json, const struct result *result,
                       const struct result_figures *figures)
{
    json_key(json, "client");
    json_object(json);
    if (result->ledger.started > 0) {
        json_put_double(json, "cpu_us_per_request", figures->cpu_us_per_request, 4);
        json_put_double(json, "syscalls_per_request", figures->syscalls_per_request, 6);
    }
    put_seconds(json, "cpu_s", result->cpu_ns);
    json_put_u64(json, "syscalls", result->syscalls);
    if (result->enters > 0) {
        json_put_double(json, "completions_per_enter", figures->completions_per_enter, 3);
    }
    json_put_double(json, "worker_cpu_share_max", figures->cpu_share_max, 4);
    json_put_u64(json, "batch_wait_us", result->batch_wait_us);
    json_put_u64(json, "no_buffers", result->no_buffers);
    json_put_u64(json, "cq_overflow", result->cq_overflow);
    json_put_u64(json, "short_sends", result->short_sends);
    json_put_u64(json, "rss_kib", result->rss_kib);
    json_end(json);
}

static void put_lines(struct json *json, const char *key, const struct verdict_lines *lines)
{
    json_key(json, key);
    json_array(json);
    for (uint32_t i = 0; i < lines->count; i++) {
        json_str(json, lines->text[i]);
    }
    json_end(json);
}

static void put_verdict(struct json *json, const struct verdict *verdict)
{
    json_key(json, "verdict");
    json_object(json);
    json_put_str(json, "state", verdict_state(verdict));
    put_lines(json, "reasons", &verdict->reasons);
    put_lines(json, "notes", &verdict->notes);
    json_end(json);
}

/* A share that may not be known: below 0 then, and left away. */
static void put_share(struct json *json, const char *key, double share)
{
    if (share >= 0) json_put_double(json, key, share, 4);
}

static void put_health(struct json *json, const struct result *result)
{
    const struct result_health *health = &result->health;
    const struct hist_view *lag = result->loop_lag;

    json_key(json, "health");
    json_object(json);
    put_share(json, "steal", health->steal);
    put_share(json, "foreign_cpu", health->foreign_cpu);
    put_share(json, "cpu_wait", health->cpu_wait);
    put_share(json, "stalled", health->stalled);
    put_share(json, "stood_still", health->stood_still);
    if (lag->count > 0) {
        put_us(json, "loop_lag_p99_us", (double)hist_view_percentile_ns(lag, 0.99));
        put_us(json, "loop_lag_max_us", (double)lag->max_ns);
    }
    json_put_u64(json, "rss_kib", result->rss_kib);
    if (health->retransmits_known) json_put_u64(json, "retransmits", health->retransmits);
    json_end(json);
}

static void put_workers(struct json *json, const struct result *result)
{
    json_key(json, "per_worker");
    json_array(json);
    for (uint32_t i = 0; i < result->plan->workers; i++) {
        const struct result_worker *worker = &result->workers[i];

        json_object(json);
        json_key(json, "cpu");
        if (worker->cpu == UINT32_MAX) {
            json_null(json);
        } else {
            json_u64(json, worker->cpu);
        }
        json_put_u64(json, "started", worker->ledger.started);
        json_put_u64(json, "ok", worker->ledger.ok);
        json_put_u64(json, "failed", ledger_failed(&worker->ledger));
        json_put_u64(json, "cut_off", worker->ledger.cut_off);
        put_seconds(json, "cpu_s", worker->cpu_ns);
        put_share(json, "used", worker->shares.used);
        put_share(json, "waited", worker->shares.waited);
        put_share(json, "foreign_cpu", worker->shares.foreign);
        put_share(json, "steal", worker->shares.steal);
        json_end(json);
    }
    json_end(json);
}

static void put_late(struct json *json, const struct result *result)
{
    if (result->plan->late_ns == 0) return;
    json_key(json, "late");
    json_object(json);
    json_put_u64(json, "from_us", result->plan->late_ns / NS_PER_US);
    json_put_u64(json, "answers", result->late);
    json_end(json);
}

static void put_rows(struct json *json, const struct result *result)
{
    if (result->rows == NULL) return;
    json_key(json, "requests_out");
    json_object(json);
    json_put_u64(json, "rows", result->rows_kept);
    json_put_u64(json, "not_written", result->rows_not_kept);
    json_end(json);
}

void report_json(const struct result *result, bool compact, struct text *out)
{
    struct result_figures figures = result_figures(result);
    struct json json;

    json_init(&json, out, compact);
    json_object(&json);
    put_run(&json, result);
    put_verdict(&json, &result->verdict);
    report_thresholds_json(result->test, &json);
    put_ledger(&json, result);
    put_traffic(&json, result, &figures);
    json_key(&json, "latency_us");
    json_object(&json);
    put_latency(&json, "from_due", result->from_due);
    put_latency(&json, "from_sent", result->from_sent);
    json_end(&json);
    put_phases(&json, result);
    put_statuses(&json, result);
    json_put_double(&json, "left_out", figures.left_out_share, 9);
    put_late(&json, result);
    if (result->lateness != NULL) {
        put_latency(&json, "lateness_us", result->lateness);
        put_latency(&json, "connection_wait_us", result->conn_wait);
    }
    put_connections(&json, result);
    report_net_json(&json, result);
    report_tls_json(result, &json);
    report_waits_json(result->test, &json);
    report_dropped_json(result->test, &json);
    report_loggers_json(result, &json);
    put_client(&json, result, &figures);
    put_health(&json, result);
    report_urls_json(result, &json);
    put_workers(&json, result);
    put_rows(&json, result);
    put_series(&json, result->series);
    json_end(&json);
}
