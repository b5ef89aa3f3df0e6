#include "core/report_dropped.h"

#include "core/base/quote.h"
#include "core/base/units.h"

void report_dropped(const struct result_test *test, struct text *out)
{
    uint32_t count = test == NULL ? 0 : test->dropped_count;

    for (uint32_t i = 0; i < count; i++) {
        const struct result_dropped *dropped = &test->dropped[i];
        const struct {
            uint64_t count;
            const char *why;
        } whys[] = {
            {dropped->full, "no room"},
            {dropped->unread, "no reader"},
            {dropped->same, "not unique"},
            {dropped->no_memory, "no memory"},
        };
        const char *between = "";

        text_printf(out, "%-13svalues for '%s': ", i == 0 ? "dropped" : "",
                    quote(dropped->provider).text);
        for (size_t k = 0; k < COUNT(whys); k++) {
            char number[UNITS_TEXT_MAX];

            if (whys[k].count == 0) continue;
            text_printf(out, "%s%s %s", between, units_grouped(number, whys[k].count), whys[k].why);
            between = ", ";
        }
        text_add_str(out, "\n");
    }
}

void report_dropped_json(const struct result_test *test, struct json *json)
{
    if (test == NULL || test->dropped_count == 0) return;
    json_key(json, "dropped");
    json_array(json);
    for (uint32_t i = 0; i < test->dropped_count; i++) {
        const struct result_dropped *dropped = &test->dropped[i];

        json_object(json);
        json_put_str(json, "provider", dropped->provider);
        json_put_u64(json, "full", dropped->full);
        json_put_u64(json, "unread", dropped->unread);
        json_put_u64(json, "same", dropped->same);
        json_put_u64(json, "no_memory", dropped->no_memory);
        json_end(json);
    }
    json_end(json);
}
