#include "core/report_latency.h"

#include <stdio.h>
#include <string.h>

#include "core/base/check.h"
#include "core/base/units.h"

enum { LABEL_WIDTH = 11 };

struct cell {
    char text[REPORT_TIME_BYTES];
};

/* Without a space before the unit, so that eight columns fit a terminal. */
void report_time(char *buf, uint64_t ns, bool at_least)
{
    static const struct {
        const char *name;
        double scale;
    } units[] = {{"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
    const char *sign = at_least ? ">=" : "";

    if (ns < 1000) {
        (void)snprintf(buf, REPORT_TIME_BYTES, "%s%uns", sign, (unsigned)ns);
        return;
    }
    for (size_t i = 0;; i++) {
        double value = (double)ns / units[i].scale;

        if (value >= 999.5 && i + 1 < COUNT(units)) continue;
        (void)snprintf(buf, REPORT_TIME_BYTES, "%s%.*f%s", sign,
                       value < 9.995   ? 2
                       : value < 99.95 ? 1
                                       : 0,
                       value, units[i].name);
        return;
    }
}

static struct cell time_cell(uint64_t ns, bool at_least)
{
    struct cell cell = {""};

    report_time(cell.text, ns, at_least);
    return cell;
}

bool report_at_least(double share, double left_out_share)
{
    return left_out_share > 0 && share > 1 - left_out_share;
}

static struct cell percentile_cell(const struct hist_view *view, double share,
                                   double left_out_share)
{
    uint64_t ns = share < 1 ? hist_view_percentile_ns(view, share) : view->max_ns;

    return time_cell(ns, report_at_least(share, left_out_share));
}

/* A line of a table of latencies. */
struct line {
    const char *label;
    const struct hist_view *view; /* One without a sample, or NULL, has no line. */
    double left_out_share;
};

enum { ROWS_MAX = STATS_PLACES, COLUMNS_COUNT = 8 };

static const struct {
    const char *name;
    double share; /* 0: the mean. */
} columns[COLUMNS_COUNT] = {{"p50", 0.5},  {"p75", 0.75},    {"p90", 0.9}, {"p95", 0.95},
                            {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1},   {"mean", 0}};

static bool is_empty(const struct line *row)
{
    return row->view == NULL || row->view->count == 0;
}

static struct cell cell_of(const struct line *row, double share)
{
    if (share > 0) return percentile_cell(row->view, share, row->left_out_share);
    return time_cell((uint64_t)hist_view_mean_ns(row->view), false);
}

/* Appends a table whose columns are as wide as what stands in them. */
static void add_table(struct text *out, const char *heading, const struct line *rows, size_t count)
{
    struct cell cells[ROWS_MAX][COLUMNS_COUNT];
    size_t width[COLUMNS_COUNT], label_width = LABEL_WIDTH;

    CHECK(count <= ROWS_MAX);
    for (size_t i = 0; i < count; i++) {
        label_width = max_u64(label_width, strlen(rows[i].label));
    }
    text_printf(out, "%-*s", (int)label_width, heading);
    for (size_t j = 0; j < COLUMNS_COUNT; j++) {
        width[j] = strlen(columns[j].name);
        for (size_t i = 0; i < count; i++) {
            if (is_empty(&rows[i])) continue;
            cells[i][j] = cell_of(&rows[i], columns[j].share);
            width[j] = max_u64(width[j], strlen(cells[i][j].text));
        }
        text_printf(out, "  %*s", (int)width[j], columns[j].name);
    }
    text_add_str(out, "\n");
    for (size_t i = 0; i < count; i++) {
        if (is_empty(&rows[i])) continue;
        text_printf(out, "%-*s", (int)label_width, rows[i].label);
        for (size_t j = 0; j < COLUMNS_COUNT; j++) {
            text_printf(out, "  %*s", (int)width[j], cells[i][j].text);
        }
        text_add_str(out, "\n");
    }
}

void report_latency_table(const struct result *result, double left_out_share, struct text *out)
{
    const struct line rows[] = {{"  from due", result->from_due, left_out_share},
                                {"  from sent", result->from_sent, left_out_share}};

    add_table(out, "latency", rows, COUNT(rows));
}

/* Whether phases say something that the latencies do not: many connections for the requests, or
 * bodies that took a while to come. */
static bool phases_matter(const struct result *result)
{
    const struct hist_view *body = result->body;

    if (result->connect != NULL && result->connect->count * 10 >= result->ledger.ok) return true;
    return body != NULL && hist_view_mean_ns(body) * 10 >= hist_view_mean_ns(result->from_sent);
}

void report_phases(const struct result *result, bool all, struct text *out)
{
    const struct line rows[] = {
        {"  connect", result->connect, 0},          {"  no connect", result->connect_failed, 0},
        {"  handshake", result->handshake_full, 0}, {"  resumed", result->handshake_resumed, 0},
        {"  first byte", result->first_byte, 0},    {"  body", result->body, 0}};
    bool known = false;

    for (size_t i = 0; i < COUNT(rows); i++) {
        if (!is_empty(&rows[i])) known = true;
    }
    if (known && (all || phases_matter(result))) add_table(out, "phases", rows, COUNT(rows));
}

void report_statuses(const struct result *result, struct text *out)
{
    char labels[STATS_STATUSES_MAX][16];
    struct line rows[ROWS_MAX];
    uint32_t count = result->by_status_count;

    for (uint32_t i = 0; i < count; i++) {
        (void)snprintf(labels[i], sizeof(labels[i]), "  %03u", result->by_status[i].status);
        rows[i] = (struct line){.label = labels[i], .view = result->by_status[i].from_sent};
    }
    if (result->other_statuses != NULL) {
        rows[count++] = (struct line){.label = "  others", .view = result->other_statuses};
    }
    if (count > 1) add_table(out, "by status", rows, count);
}

/* How many samples lie in the bucket of `ns` or below. */
static uint64_t count_within(const struct hist_view *view, uint64_t ns)
{
    uint32_t last = hist_bucket_of(ns);
    uint64_t count = 0;

    for (uint32_t i = 0; i <= last; i++) {
        count += view->buckets[i];
    }
    return count;
}

/* One line of the spectrum; `decimals` of the percentage. */
static void add_step(const struct result *result, double share, int decimals, double left_out_share,
                     struct text *out)
{
    const struct hist_view *const views[] = {result->from_due, result->from_sent};

    text_printf(out, "%*.*f %%", LABEL_WIDTH - 2, decimals, share * 100);
    for (size_t i = 0; i < COUNT(views); i++) {
        char buf[UNITS_TEXT_MAX], value[UNITS_TEXT_MAX + 2];
        uint64_t ns;

        if (views[i]->count == 0) continue;
        ns = share < 1 ? hist_view_percentile_ns(views[i], share) : views[i]->max_ns;
        (void)snprintf(value, sizeof(value), "%s%s",
                       report_at_least(share, left_out_share) ? ">=" : "", units_time(buf, ns));
        text_printf(out, "%14s %15s", value, units_grouped(buf, count_within(views[i], ns)));
    }
    text_add_str(out, "\n");
}

void report_latency_spectrum(const struct result *result, double left_out_share, struct text *out)
{
    static const int tenths[] = {10, 20, 30, 40, 50, 60, 70, 75, 80, 90};
    static const int rests[] = {5, 2, 1};
    /* The last step before "all" is the last that leaves one request out. */
    uint64_t count = result->from_due->count;
    uint64_t scale = 100;

    CHECK(count > 0);
    text_printf(out, "\n%-*s%14s %15s", LABEL_WIDTH, "spectrum", "from due", "requests");
    if (result->from_sent->count > 0) text_printf(out, "%14s %15s", "from sent", "requests");
    text_add_str(out, "\n");
    for (size_t i = 0; i < COUNT(tenths); i++) {
        add_step(result, tenths[i] / 100.0, 0, left_out_share, out);
    }
    for (int decimals = 0; decimals <= 9; decimals++, scale *= 10) {
        for (size_t i = 0; i < COUNT(rests); i++) {
            uint64_t rest = (uint64_t)rests[i];

            if ((double)count * (double)rest < (double)scale) goto all;
            add_step(result, (double)(scale - rest) / (double)scale, decimals, left_out_share, out);
        }
    }

all:
    add_step(result, 1, 0, left_out_share, out);
}
