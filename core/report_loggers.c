#include "core/report_loggers.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/base/quote.h"
#include "core/base/units.h"
#include "core/logger.h"

void report_killer(const struct result *result, struct text *out)
{
    const char *killer = result->loggers == NULL ? NULL : loggers_killer(result->loggers);

    text_add_str(out, ", ended by a logger");
    if (killer != NULL) text_printf(out, ", '%s'", quote(killer).text);
}

void report_loggers(const struct result *result, struct text *out)
{
    uint32_t count = result->loggers == NULL ? 0 : loggers_count(result->loggers);

    for (uint32_t i = 0; i < count; i++) {
        struct logger_figures figures;
        char buf[UNITS_TEXT_MAX];

        loggers_figures(result->loggers, i, &figures);
        text_printf(out, "%-13s'%s': %s line%s", i == 0 ? "loggers" : "", quote(figures.name).text,
                    units_grouped(buf, figures.written), figures.written == 1 ? "" : "s");
        if (figures.lost > 0) text_printf(out, ", %s lost", units_grouped(buf, figures.lost));
        if (figures.dropped > 0) {
            text_printf(out, ", %s dropped", units_grouped(buf, figures.dropped));
        }
        text_add_str(out, "\n");
    }
}

void report_loggers_json(const struct result *result, struct json *json)
{
    if (result->loggers == NULL) return;
    json_key(json, "loggers");
    json_array(json);
    for (uint32_t i = 0; i < loggers_count(result->loggers); i++) {
        struct logger_figures figures;

        loggers_figures(result->loggers, i, &figures);
        json_object(json);
        json_put_str(json, "name", figures.name);
        json_put_str(json, "to", figures.to);
        json_put_u64(json, "lines", figures.written);
        json_put_u64(json, "lost", figures.lost);
        json_put_u64(json, "dropped", figures.dropped);
        json_end(json);
    }
    json_end(json);
}

bool report_loggers_lost(const struct result *result, void (*tell)(const struct err_info *why))
{
    uint32_t count = result->loggers == NULL ? 0 : loggers_count(result->loggers);
    bool complete = true;

    for (uint32_t i = 0; i < count; i++) {
        struct logger_figures figures;
        struct err_info why;

        loggers_figures(result->loggers, i, &figures);
        if (figures.error == EPIPE || (figures.lost == 0 && figures.error == 0)) continue;
        if (err_set(&why, ERR_FILE, figures.error, "logger '%s': %" PRIu64 " lines lost: '%s': %s",
                    quote(figures.name).text, figures.lost, quote(figures.to).text,
                    figures.error == 0           ? "lines too long, or no memory for them"
                    : figures.error == ECANCELED ? "given up"
                                                 : strerror(figures.error)) != ERR_OK) {
            tell(&why);
        }
        complete = false;
    }
    return complete;
}
