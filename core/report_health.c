#include "core/report_health.h"

#include <stdio.h>
#include <string.h>

#include "core/base/units.h"

enum { LABEL_WIDTH = 13, COLUMNS = 80 };

void report_wrapped(struct text *out, const char *label, const char *words)
{
    size_t column = LABEL_WIDTH;

    text_printf(out, "%-*s", LABEL_WIDTH, label);
    for (;;) {
        size_t len = strcspn(words, " ");

        if (column > LABEL_WIDTH && column + 1 + len > COLUMNS) {
            text_printf(out, "\n%*s", LABEL_WIDTH, "");
            column = LABEL_WIDTH;
        } else if (column > LABEL_WIDTH) {
            text_add(out, " ", 1);
            column++;
        }
        text_add(out, words, len);
        column += len;
        if (words[len] == '\0') break;
        words += len + 1;
    }
    text_add(out, "\n", 1);
}

void report_verdict(const struct result *result, struct text *out)
{
    const struct verdict *verdict = &result->verdict;

    report_wrapped(out, "verdict", verdict_state(verdict));
    for (uint32_t i = 0; i < verdict->reasons.count; i++) {
        report_wrapped(out, "", verdict->reasons.text[i]);
    }
    for (uint32_t i = 0; i < verdict->notes.count; i++) {
        char line[VERDICT_LINE_BYTES + 8];

        (void)snprintf(line, sizeof(line), "note: %s", verdict->notes.text[i]);
        report_wrapped(out, "", line);
    }
}

void report_health(const struct result *result, struct text *out)
{
    const struct result_health *health = &result->health;
    const struct hist_view *lag = result->loop_lag;
    const struct {
        const char *name;
        double share;
    } shares[] = {{"foreign CPU", health->foreign_cpu},
                  {"waiting for CPU", health->cpu_wait},
                  {"steal", health->steal}};
    char p99[UNITS_TEXT_MAX], max[UNITS_TEXT_MAX], line[256] = "";
    size_t len = 0;

    if (lag->count > 0) {
        len += (size_t)snprintf(line, sizeof(line), "loop lag p99 %s, max %s",
                                units_time(p99, hist_view_percentile_ns(lag, 0.99)),
                                units_time(max, lag->max_ns));
    }
    for (size_t i = 0; i < COUNT(shares); i++) {
        if (shares[i].share < 0) continue;
        len += (size_t)snprintf(line + len, sizeof(line) - len, "%s%s %.1f %%", len > 0 ? ", " : "",
                                shares[i].name, shares[i].share * 100);
    }
    if (health->retransmits_known) {
        len += (size_t)snprintf(line + len, sizeof(line) - len, "%s%s TCP retransmits",
                                len > 0 ? ", " : "", units_grouped(p99, health->retransmits));
    }
    if (len > 0) report_wrapped(out, "health", line);
}
