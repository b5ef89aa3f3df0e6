#include "core/report_waits.h"

#include "core/base/quote.h"
#include "core/base/units.h"

void report_waits(const struct result_test *test, struct text *out)
{
    uint32_t count = test == NULL ? 0 : test->waits_count;

    for (uint32_t i = 0; i < count; i++) {
        const struct result_wait *wait = &test->waits[i];
        char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX], c[UNITS_TEXT_MAX];

        text_printf(out, "%-13s%s for '%s' past a slot: %s together, %s at most\n",
                    i == 0 ? "waits" : "", units_grouped(a, wait->count),
                    quote(wait->provider).text, units_time(b, wait->total_ns),
                    units_time(c, wait->longest_ns));
    }
}

static void put_us(struct json *json, const char *key, uint64_t ns)
{
    json_put_double(json, key, (double)ns / (double)NS_PER_US, 3);
}

void report_waits_json(const struct result_test *test, struct json *json)
{
    if (test == NULL || test->waits_count == 0) return;
    json_key(json, "waits");
    json_array(json);
    for (uint32_t i = 0; i < test->waits_count; i++) {
        const struct result_wait *wait = &test->waits[i];

        json_object(json);
        json_put_str(json, "provider", wait->provider);
        json_put_u64(json, "count", wait->count);
        put_us(json, "total_us", wait->total_ns);
        put_us(json, "longest_us", wait->longest_ns);
        json_end(json);
    }
    json_end(json);
}
