#include "core/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/check.h"
#include "core/base/units.h"

#define RED   "\033[31m"
#define PLAIN "\033[m"

/* A line as it grows: what has been written, and how much room is left on the terminal. */
struct line {
    char *buf;
    size_t len;
    uint32_t room;
    bool is_full; /* A field did not fit: nothing more is written. */
};

struct live live_of(const struct coord *coord, uint64_t now_ns)
{
    const struct ledger *ledger = &coord->ledger;
    const struct series_sample *last = series_last(coord->series);
    struct live live = {
        .elapsed_ns = now_ns - coord->start_ns,
        .duration_ns = coord->plan->duration_ns,
        .part = series_part(coord->series),
        .in_flight = ledger->in_flight,
        .failed = ledger_failed(ledger),
        .shed = ledger_shed(ledger),
        .open = ledger->alive,
        .has_last = last != NULL,
    };

    if (last != NULL) live.last = *last;
    return live;
}

static void add_raw(struct line *line, const char *text)
{
    size_t len = strlen(text);

    CHECK(line->len + len <= LIVE_BYTES_MAX);
    memcpy(line->buf + line->len, text, len);
    line->len += len;
}

/* Adds a field, in red if `red`, unless it does not fit. */
static void add_field(struct line *line, const char *field, bool red)
{
    const char *gap = line->len > 1 ? "  " : "";
    size_t len = strlen(gap) + strlen(field);

    line->is_full |= len > line->room;
    if (line->is_full) return;
    add_raw(line, gap);
    if (red) add_raw(line, RED);
    add_raw(line, field);
    if (red) add_raw(line, PLAIN);
    line->room -= (uint32_t)len;
}

enum { FIELD_BYTES = 80 };

/* "1:05", "2:00:00". */
static void write_time(char *buf, uint64_t ns)
{
    unsigned long long s = ns / NS_PER_S, m = s / 60, h = m / 60;

    if (h > 0) {
        (void)snprintf(buf, FIELD_BYTES / 2, "%llu:%02llu:%02llu", h, m % 60, s % 60);
    } else {
        (void)snprintf(buf, FIELD_BYTES / 2, "%llu:%02llu", m, s % 60);
    }
}

static void add_times(struct line *line, const struct live *live)
{
    char elapsed[FIELD_BYTES / 2], duration[FIELD_BYTES / 2 + 1] = "";
    char field[FIELD_BYTES + 1];

    write_time(elapsed, live->elapsed_ns);
    if (live->part != SERIES_DRAIN && live->duration_ns != TIME_NEVER) {
        duration[0] = '/';
        write_time(duration + 1, live->duration_ns);
    }
    (void)snprintf(field, sizeof(field), "%s%s", elapsed, duration);
    add_field(line, field, false);
}

/* The rate while there is one, then what is waited for. */
static void add_rate(struct line *line, const struct live *live)
{
    char achieved[UNITS_TEXT_MAX], asked[UNITS_TEXT_MAX], field[FIELD_BYTES];
    double achieved_per_s = series_achieved_per_s(&live->last);
    double asked_per_s = series_asked_per_s(&live->last);

    if (live->part == SERIES_DRAIN) {
        (void)snprintf(field, sizeof(field), "waiting for %s answer%s",
                       units_grouped(achieved, live->in_flight), live->in_flight == 1 ? "" : "s");
    } else if (!live->has_last || achieved_per_s < 0) {
        return;
    } else if (asked_per_s < 0) {
        (void)snprintf(field, sizeof(field), "%s/s", units_count(achieved, achieved_per_s));
    } else {
        (void)snprintf(field, sizeof(field), "%s of %s/s", units_count(achieved, achieved_per_s),
                       units_count(asked, asked_per_s));
    }
    add_field(line, field, false);
}

static void add_p99(struct line *line, const struct live *live)
{
    const struct series_latency *latency = &live->last.latency[SERIES_FROM_DUE];
    char p99[UNITS_TEXT_MAX], field[FIELD_BYTES];

    if (!live->has_last || !latency->is_known) return;
    (void)snprintf(field, sizeof(field), "p99 %s", units_time(p99, latency->p99_ns));
    add_field(line, field, false);
}

static void add_counts(struct line *line, const struct live *live)
{
    char count[UNITS_TEXT_MAX], field[FIELD_BYTES];

    (void)snprintf(field, sizeof(field), "errors %s", units_grouped(count, live->failed));
    add_field(line, field, live->colours && live->failed > 0);
    if (live->shed > 0) {
        (void)snprintf(field, sizeof(field), "shed %s", units_grouped(count, live->shed));
        add_field(line, field, live->colours);
    }
    (void)snprintf(field, sizeof(field), "open %s", units_grouped(count, live->open));
    add_field(line, field, false);
}

size_t live_draw(char *buf, const struct live *live, uint32_t columns)
{
    /* The last column stays free: a terminal that wraps there would erase a character of ours. */
    struct line line = {.buf = buf, .room = columns > 1 ? columns - 1 : 0};

    add_raw(&line, "\r");
    add_times(&line, live);
    add_rate(&line, live);
    add_p99(&line, live);
    add_counts(&line, live);
    add_raw(&line, "\033[K\r");
    return line.len;
}

bool live_is_possible(int fd)
{
    const char *term = getenv("TERM");

    return isatty(fd) == 1 && term != NULL && term[0] != '\0' && strcmp(term, "dumb") != 0;
}

bool live_wants_colours(void)
{
    const char *no_color = getenv("NO_COLOR");

    return no_color == NULL || no_color[0] == '\0';
}
