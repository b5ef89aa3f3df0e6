#include "core/report_urls.h"

#include <string.h>

#include "core/base/units.h"
#include "core/report_latency.h"

enum { ROWS_SHORT = 20, COLUMNS_COUNT = 6, CELL_BYTES = REPORT_TIME_BYTES };
_Static_assert((int)CELL_BYTES >= (int)UNITS_TEXT_MAX, "counts fit too");

struct line {
    char cells[COLUMNS_COUNT][CELL_BYTES];
};

static const char *const headings[COLUMNS_COUNT] = {"due", "ok", "failed", "p50", "p99", "max"};

static void fill_line(struct line *line, const struct result_url *url)
{
    double left_out = result_url_left_out(url);
    const struct result_latency *latency = &url->from_due;
    const struct {
        uint64_t ns;
        double share;
    } times[] = {{latency->p50_ns, 0.5}, {latency->p99_ns, 0.99}, {latency->max_ns, 1}};

    (void)units_grouped(line->cells[0], url->due);
    (void)units_grouped(line->cells[1], url->ok);
    (void)units_grouped(line->cells[2], url->failed);
    for (size_t i = 0; i < COUNT(times); i++) {
        line->cells[3 + i][0] = '\0';
        if (latency->count == 0) continue;
        report_time(line->cells[3 + i], times[i].ns, report_at_least(times[i].share, left_out));
    }
}

void report_urls(const struct result *result, bool all, struct text *out)
{
    uint32_t count = result->plan->requests_count;
    uint32_t shown = all || count <= ROWS_SHORT ? count : ROWS_SHORT;
    const char *title = result->plan->test_file == NULL ? "per URL" : "endpoints";
    size_t width[COLUMNS_COUNT];
    char buf[UNITS_TEXT_MAX];
    struct line line;

    if (result->urls == NULL) return;
    for (size_t j = 0; j < COLUMNS_COUNT; j++) {
        width[j] = strlen(headings[j]);
    }
    width[0] = strlen(title) + 2 + width[0];
    for (uint32_t i = 0; i < shown; i++) {
        fill_line(&line, &result->urls[i]);
        for (size_t j = 0; j < COLUMNS_COUNT; j++) {
            width[j] = max_u64(width[j], strlen(line.cells[j]) + (j == 0 ? 2 : 0));
        }
    }
    text_printf(out, "%s%*s", title, (int)(width[0] - strlen(title)), headings[0]);
    for (size_t j = 1; j < COLUMNS_COUNT; j++) {
        text_printf(out, "  %*s", (int)width[j], headings[j]);
    }
    text_add_str(out, "\n");
    for (uint32_t i = 0; i < shown; i++) {
        fill_line(&line, &result->urls[i]);
        for (size_t j = 0; j < COLUMNS_COUNT; j++) {
            text_printf(out, j == 0 ? "%*s" : "  %*s", (int)width[j], line.cells[j]);
        }
        text_printf(out, "  %s\n", result->plan->requests[i].url);
    }
    if (shown == count) return;
    text_printf(out, "  and %s more; -L and --json have them all\n",
                units_grouped(buf, count - shown));
}

static void put_latency(struct json *json, const char *key, const struct result_latency *latency)
{
    const struct {
        const char *key;
        double ns;
    } times[] = {{"p50", (double)latency->p50_ns},
                 {"p99", (double)latency->p99_ns},
                 {"max", (double)latency->max_ns},
                 {"mean", latency->mean_ns}};

    json_key(json, key);
    json_object(json);
    for (size_t i = 0; latency->count > 0 && i < COUNT(times); i++) {
        json_put_double(json, times[i].key, times[i].ns / (double)NS_PER_US, 3);
    }
    json_put_u64(json, "count", latency->count);
    if (latency->unplaced != 0) json_put_u64(json, "unplaced", latency->unplaced);
    json_end(json);
}

void report_urls_json(const struct result *result, struct json *json)
{
    if (result->urls == NULL) return;
    json_key(json, "per_url");
    json_array(json);
    for (uint32_t i = 0; i < result->plan->requests_count; i++) {
        const struct result_url *url = &result->urls[i];

        json_object_line(json); /* There may be a thousand. */
        json_put_str(json, "url", result->plan->requests[i].url);
        json_put_u64(json, "weight", result->plan->requests[i].weight);
        json_put_u64(json, "due", url->due);
        json_put_u64(json, "warmup", url->warmup);
        json_put_u64(json, "shed", url->shed);
        json_put_u64(json, "missed", url->missed);
        json_put_u64(json, "started", url->started);
        json_put_u64(json, "ok", url->ok);
        json_put_u64(json, "failed", url->failed);
        json_put_u64(json, "cut_off", url->cut_off);
        json_put_double(json, "left_out", result_url_left_out(url), 9);
        put_latency(json, "from_due_us", &url->from_due);
        put_latency(json, "from_sent_us", &url->from_sent);
        json_end(json);
    }
    json_end(json);
}
