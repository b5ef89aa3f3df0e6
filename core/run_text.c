#include "core/run_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/units.h"
#include "core/report_latency.h"

enum { LABEL = 10, TEXT_MAX = 60 };

static void add_label(struct text *out, const char *label)
{
    text_printf(out, "  %-*s", LABEL, label);
}

static void add_count(struct text *out, uint64_t count)
{
    char buf[UNITS_TEXT_MAX];

    text_add_str(out, units_grouped(buf, count));
}

/* Text that came from a test file or an answer: on one line, and nothing that a terminal obeys. */
static void add_clean(struct text *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)text[i];

        if (byte < 0x20 || byte == 0x7f) {
            text_add(out, "?", 1);
        } else {
            text_add(out, text + i, 1);
        }
    }
}

static void add_moment(struct text *out, uint64_t wall_ns)
{
    time_t seconds = (time_t)(wall_ns / NS_PER_S);
    unsigned ms = (unsigned)(wall_ns % NS_PER_S / NS_PER_MS);
    char day[32];
    struct tm utc;

    if (gmtime_r(&seconds, &utc) == NULL) return;
    if (strftime(day, sizeof(day), "%Y-%m-%d %H:%M:%S", &utc) == 0) return;
    text_add_str(out, day);
    if (ms != 0) text_printf(out, ".%03u", ms);
    text_add_str(out, "Z");
}

static double seconds(uint64_t ns)
{
    return (double)ns / (double)NS_PER_S;
}

/* Providers. */

static void add_providers(const struct bucket *bucket, struct text *out)
{
    if (bucket->providers_count == 0) return;
    text_printf(out, "  %-22s %10s %10s %10s %10s %10s\n", "provider", "length", "limit",
                "receivers", "senders", "on demand");
    for (uint32_t i = 0; i < bucket->providers_count; i++) {
        const struct bucket_provider *provider = &bucket->providers[i];
        size_t len = strnlen(provider->name, TEXT_MAX);

        text_add_str(out, "  ");
        add_clean(out, provider->name, len);
        for (size_t pad = len; pad < 22; pad++) {
            text_add_str(out, " ");
        }
        text_printf(out, " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 "\n",
                    provider->len, provider->limit, provider->receivers, provider->senders,
                    provider->on_demand);
    }
    text_add_str(out, "\n");
}

/* Groups. */

static bool is_named(const struct group_tag *tag, const char *name)
{
    return tag->name_len == strlen(name) && memcmp(tag->name, name, tag->name_len) == 0;
}

static void add_tag(const struct bucket_group *group, const char *name, struct text *out)
{
    uint32_t len = 0;
    const char *value = bucket_tag(group, name, &len);

    if (value != NULL) add_clean(out, value, len);
}

/* Method and URL, and below them the tags that the test file gave. */
static void add_name(const struct bucket_group *group, struct text *out)
{
    bool any = false;
    uint32_t len;

    if (bucket_tag(group, "method", &len) == NULL) {
        text_add_str(out, "(groups beyond the first 1,000)\n");
        return;
    }
    add_tag(group, "method", out);
    text_add_str(out, " ");
    add_tag(group, "url", out);
    text_add_str(out, "\n");
    for (uint32_t i = 0; i < group->tags_count; i++) {
        const struct group_tag *tag = &group->tags[i];

        if (is_named(tag, "_id") || is_named(tag, "method") || is_named(tag, "url")) continue;
        if (any) {
            text_add_str(out, ", ");
        } else {
            add_label(out, "tags");
        }
        any = true;
        add_clean(out, tag->name, tag->name_len);
        text_add_str(out, "=");
        add_clean(out, tag->value, tag->value_len);
    }
    if (any) text_add_str(out, "\n");
}

static void add_calls(const struct bucket_figures *figures, struct text *out)
{
    uint64_t timeouts = bucket_timeouts(figures);
    const char *gap = ": ";

    add_label(out, "calls");
    add_count(out, bucket_calls(figures));
    for (int i = 0; i < STATUS_COUNT; i++) {
        if (figures->status[i] == 0) continue;
        text_printf(out, "%s%d x ", gap, i);
        add_count(out, figures->status[i]);
        gap = ", ";
    }
    if (timeouts > 0) {
        text_add_str(out, "; timeouts ");
        add_count(out, timeouts);
    }
    text_add_str(out, "\n");
}

static void add_errors(const struct bucket_figures *figures, struct text *out)
{
    struct bucket_error errors[BUCKET_ERRORS_MAX];
    uint32_t count = bucket_errors(figures, errors);

    for (uint32_t i = 0; i < count; i++) {
        add_label(out, i == 0 ? "errors" : "");
        add_count(out, errors[i].count);
        text_add_str(out, " x ");
        add_clean(out, errors[i].text, strlen(errors[i].text));
        text_add_str(out, "\n");
    }
}

static const struct {
    const char *name;
    double share;
} percentiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p99.9", 0.999}};

static void add_time(struct text *out, int width, uint64_t ns, bool at_least)
{
    char cell[REPORT_TIME_BYTES];

    report_time(cell, ns, at_least);
    text_printf(out, " %*s", width, cell);
}

/* How wide a column of latencies is: ">=" needs room. */
static int width_of(double left_out)
{
    return left_out > 0 ? 9 : 7;
}

/* A row of latencies. `left_out` is the share of the calls that have none. */
static void add_latency(const char *label, const struct hist_view *view, double left_out,
                        struct text *out)
{
    int width = width_of(left_out);

    text_printf(out, "  %-6s", label);
    for (size_t i = 0; i < COUNT(percentiles); i++) {
        add_time(out, width, hist_view_percentile_ns(view, percentiles[i].share),
                 report_at_least(percentiles[i].share, left_out));
    }
    add_time(out, width, view->min_ns == UINT64_MAX ? 0 : view->min_ns, false);
    add_time(out, width, view->max_ns, left_out > 0);
    add_time(out, width, (uint64_t)hist_view_mean_ns(view), false);
    add_time(out, width, (uint64_t)hist_view_stddev_ns(view), false);
    text_add_str(out, "\n");
}

static void add_latencies(const struct bucket_figures *figures, struct text *out)
{
    static const char *const others[] = {"min", "max", "mean", "stddev"};
    uint64_t calls = bucket_calls(figures), known = figures->from_due->count;
    double left_out = known >= calls ? 0 : 1 - (double)known / (double)calls;

    if (known == 0) return;
    text_printf(out, "  %-6s", "");
    for (size_t i = 0; i < COUNT(percentiles); i++) {
        text_printf(out, " %*s", width_of(left_out), percentiles[i].name);
    }
    for (size_t i = 0; i < COUNT(others); i++) {
        text_printf(out, " %*s", width_of(left_out), others[i]);
    }
    text_add_str(out, "\n");
    add_latency("due", figures->from_due, left_out, out);
    add_latency("sent", figures->from_sent, left_out, out);
}

static void add_traffic(const struct bucket_figures *figures, struct text *out)
{
    char sent[UNITS_TEXT_MAX], received[UNITS_TEXT_MAX];

    if (figures->bytes_sent > 0) {
        add_label(out, "bytes");
        text_printf(out, "%s sent, %s of bodies received\n",
                    units_bytes(sent, (double)figures->bytes_sent),
                    units_bytes(received, (double)figures->bytes_received));
    }
    if (figures->waits == 0) return;
    add_label(out, "waits");
    add_count(out, figures->waits);
    text_printf(out, " for values of providers, %s in all\n", units_time(sent, figures->waited_ns));
}

static void add_group(const struct bucket_group *group, const struct bucket_figures *figures,
                      struct text *out)
{
    if (bucket_is_empty(figures)) return;
    add_name(group, out);
    add_calls(figures, out);
    add_errors(figures, out);
    add_latencies(figures, out);
    add_traffic(figures, out);
    text_add_str(out, "\n");
}

/* Once per bucket. */

static void add_ledger(const struct bucket *bucket, struct text *out)
{
    const struct ledger *ledger = &bucket->ledger;
    const struct {
        const char *name;
        uint64_t count;
        bool always;
    } parts[] = {{"due", ledger->due, true},
                 {"started", ledger->started, true},
                 {"ok", ledger->ok, true},
                 {"failed", ledger_failed(ledger), true},
                 {"shed", ledger_shed(ledger), false},
                 {"missed", ledger_missed(ledger), false},
                 {"cut off", ledger->cut_off, false}};
    const char *gap = "";

    text_add_str(out, "ledger      ");
    for (size_t i = 0; i < COUNT(parts); i++) {
        if (parts[i].count == 0 && !parts[i].always) continue;
        text_printf(out, "%s%s ", gap, parts[i].name);
        add_count(out, parts[i].count);
        gap = ", ";
    }
    text_add_str(out, "\nconnections ");
    add_count(out, bucket->connections_open);
    text_add_str(out, " open of ");
    add_count(out, bucket->connections_max);
    text_add_str(out, "; requests waiting ");
    add_count(out, ledger->pending);
    text_add_str(out, ", in flight ");
    add_count(out, ledger->in_flight);
    text_add_str(out, "\n\n");
}

void run_text_bucket(const struct bucket *bucket, struct text *out)
{
    text_add_str(out, "=== bucket of ");
    add_moment(out, bucket->start_wall_ns);
    text_printf(out, ": %.1f s to %.1f s of the run\n\n", seconds(bucket->from_ns),
                seconds(bucket->until_ns));
    add_providers(bucket, out);
    for (uint32_t i = 0; i < bucket->groups_count; i++) {
        const struct bucket_group *group = bucket_load_group(bucket, i);

        add_group(group, &group->bucket, out);
    }
    add_ledger(bucket, out);
}

void run_text_test(const struct bucket *last, struct text *out)
{
    text_printf(out, "=== all of the run, %.1f s\n\n", seconds(last->until_ns));
    add_providers(last, out);
    for (uint32_t i = 0; i < last->groups_count; i++) {
        const struct bucket_group *group = bucket_load_group(last, i);

        add_group(group, &group->total, out);
    }
}
