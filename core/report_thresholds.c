#include "core/report_thresholds.h"

#include <stdio.h>

#include "config/testfile.h"
#include "core/base/quote.h"
#include "core/base/units.h"

enum { VALUE_BYTES = 64 };

static bool is_latency(enum testfile_metric metric)
{
    return metric == METRIC_PERCENTILE || metric == METRIC_MEAN || metric == METRIC_MIN ||
           metric == METRIC_MAX;
}

static void write_value(const struct result_threshold *outcome, char *buf)
{
    const char *sign = outcome->at_least ? ">=" : "";
    char text[UNITS_TEXT_MAX];

    if (!outcome->is_known) {
        (void)snprintf(buf, VALUE_BYTES, "nothing was measured");
    } else if (is_latency(outcome->threshold->metric)) {
        (void)snprintf(buf, VALUE_BYTES, "%s%s", sign, units_time(text, (uint64_t)outcome->value));
    } else if (outcome->threshold->metric == METRIC_ERROR_RATE) {
        (void)snprintf(buf, VALUE_BYTES, "%.3g %%", outcome->value * 100);
    } else if (outcome->threshold->metric == METRIC_RATE) {
        (void)snprintf(buf, VALUE_BYTES, "%s/s", units_count(text, outcome->value));
    } else {
        (void)snprintf(buf, VALUE_BYTES, "%s", units_grouped(text, (uint64_t)outcome->value));
    }
}

static void add_line(const struct result_threshold *outcome, struct text *out)
{
    const struct testfile_threshold *threshold = outcome->threshold;
    char value[VALUE_BYTES];

    write_value(outcome, value);
    text_printf(out, "threshold    %s%s", quote(threshold->text).text,
                threshold->from_sent ? ", from sent" : "");
    for (uint32_t i = 0; i < threshold->tags_count; i++) {
        text_printf(out, "%s%s=%s", i == 0 ? ", where " : ", ", threshold->tags[i].name,
                    quote(threshold->tags[i].value.text).text);
    }
    text_printf(out, ": %s (%s)\n", outcome->is_met ? "met" : "NOT MET", value);
}

void report_thresholds_text(const struct result_test *test, struct text *out)
{
    for (uint32_t i = 0; test != NULL && i < test->thresholds_count; i++) {
        add_line(&test->thresholds[i], out);
    }
}

static void put_outcome(struct json *json, const struct result_threshold *outcome)
{
    const struct testfile_threshold *threshold = outcome->threshold;
    double scale = is_latency(threshold->metric) ? (double)NS_PER_US : 1;

    json_put_str(json, "check", threshold->text);
    json_put_str(json, "from", threshold->from_sent ? "sent" : "due");
    json_key(json, "tags");
    json_object(json);
    for (uint32_t i = 0; i < threshold->tags_count; i++) {
        json_put_str(json, threshold->tags[i].name, threshold->tags[i].value.text);
    }
    json_end(json);
    json_put_bool(json, "met", outcome->is_met);
    if (!outcome->is_known) return;
    json_put_double(json, is_latency(threshold->metric) ? "value_us" : "value",
                    outcome->value / scale, 6);
    json_put_bool(json, "at_least", outcome->at_least);
}

void report_thresholds_json(const struct result_test *test, struct json *json)
{
    if (test == NULL || test->thresholds_count == 0) return;
    json_key(json, "thresholds");
    json_array(json);
    for (uint32_t i = 0; i < test->thresholds_count; i++) {
        json_object_line(json);
        put_outcome(json, &test->thresholds[i]);
        json_end(json);
    }
    json_end(json);
}

void report_thresholds_lines(const struct result_test *test, struct text *out)
{
    for (uint32_t i = 0; test != NULL && i < test->thresholds_count; i++) {
        struct json json;

        json_init(&json, out, true);
        json_object(&json);
        json_put_str(&json, "type", "threshold");
        put_outcome(&json, &test->thresholds[i]);
        json_end(&json);
    }
}
