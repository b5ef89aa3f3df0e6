/* What the live line promises: the figures that are known, never wider than the terminal, and no
 * escape but those that draw over the line, and red if it may. */
#include "core/live.h"

#include <string.h>
#include <unistd.h>

#include "tests/test.h"

static const struct live running = {
    .elapsed_ns = 12700 * NS_PER_MS,
    .duration_ns = 90 * NS_PER_S,
    .part = SERIES_SPAN,
    .has_last = true,
    .last = {.from_ns = 11 * NS_PER_S,
             .until_ns = 12 * NS_PER_S,
             .part = SERIES_SPAN,
             .asked = -1,
             .answered = 152300,
             .latency[SERIES_FROM_DUE] = {.is_known = true, .p99_ns = 1230 * NS_PER_US}},
    .in_flight = 17,
    .open = 64,
};

/* The line as it stands on the terminal, without what draws it, and checks that. */
static const char *shown(const struct live *live, uint32_t columns, char *line)
{
    static const char erase[] = "\033[K\r";
    size_t len = live_draw(line, live, columns), tail = strlen(erase);

    EXPECT(len <= LIVE_BYTES_MAX);
    EXPECT(len >= 1 + tail);
    EXPECT(line[0] == '\r');
    EXPECT(memcmp(line + len - tail, erase, tail) == 0);
    line[len - tail] = '\0';
    return line + 1;
}

static bool is_shown(const struct live *live, uint32_t columns, const char *wanted)
{
    char line[LIVE_BYTES_MAX];
    const char *got = shown(live, columns, line);

    if (strcmp(got, wanted) == 0) return true;
    (void)fprintf(stderr, "got    %s\nwanted %s\n", got, wanted);
    return false;
}

static void test_live_line_says_what_is_known(void)
{
    struct live live = running;

    EXPECT(is_shown(&live, 80, "0:12/1:30  152k/s  p99 1.23 ms  errors 0  open 64"));
    live.last.asked = 160000;
    live.failed = 1234;
    live.shed = 5;
    EXPECT(is_shown(&live, 80,
                    "0:12/1:30  152k of 160k/s  p99 1.23 ms  errors 1,234  shed 5  open 64"));
    live = running;
    live.duration_ns = TIME_NEVER;
    live.elapsed_ns = 3725 * NS_PER_S;
    EXPECT(is_shown(&live, 80, "1:02:05  152k/s  p99 1.23 ms  errors 0  open 64"));
    live = running;
    live.last.answered = 0;
    live.last.latency[SERIES_FROM_DUE].is_known = false;
    EXPECT(is_shown(&live, 80, "0:12/1:30  0/s  errors 0  open 64"));
    live = running;
    live.has_last = false;
    EXPECT(is_shown(&live, 80, "0:12/1:30  errors 0  open 64"));
}

static void test_live_line_of_the_drain_says_what_is_waited_for(void)
{
    struct live live = running;

    live.part = SERIES_DRAIN;
    live.elapsed_ns = 91 * NS_PER_S;
    EXPECT(is_shown(&live, 80, "1:31  waiting for 17 answers  p99 1.23 ms  errors 0  open 64"));
    live.in_flight = 1;
    live.has_last = false;
    EXPECT(is_shown(&live, 80, "1:31  waiting for 1 answer  errors 0  open 64"));
}

static void test_live_line_is_red_only_for_errors_and_where_it_may(void)
{
    struct live live = running;

    live.colours = true;
    EXPECT(is_shown(&live, 80, "0:12/1:30  152k/s  p99 1.23 ms  errors 0  open 64"));
    live.failed = 3;
    EXPECT(is_shown(&live, 80, "0:12/1:30  152k/s  p99 1.23 ms  \033[31merrors 3\033[m  open 64"));
    live.shed = 2;
    EXPECT(is_shown(&live, 80,
                    "0:12/1:30  152k/s  p99 1.23 ms  \033[31merrors 3\033[m  "
                    "\033[31mshed 2\033[m  open 64"));
}

static void test_live_line_fits_every_terminal(void)
{
    struct live live = running;
    size_t last = 0;

    live.failed = live.shed = live.open = live.in_flight = UINT64_MAX;
    live.duration_ns = live.elapsed_ns = TIME_NEVER - 1;
    live.colours = true;
    for (int part = SERIES_SPAN; part <= SERIES_DRAIN; part++) {
        live.part = (enum series_part)part;
        last = 0;
        for (uint32_t columns = 0; columns <= 300; columns++) {
            char line[LIVE_BYTES_MAX];
            const char *at = shown(&live, columns, line);
            size_t width = 0;

            for (; *at != '\0'; at++) {
                if (*at == '\033') at = strchr(at, 'm') + 1;
                if (*at == '\0') break;
                EXPECT(*at >= ' ' && *at < 0x7f);
                width++;
            }
            EXPECT(width == 0 || width < columns);
            EXPECT(width >= last);
            last = width;
        }
        EXPECT(last > 100);
    }
    EXPECT(is_shown(&running, 30, "0:12/1:30  152k/s"));
    EXPECT(is_shown(&running, 9, ""));
    EXPECT(is_shown(&running, 0, ""));
}

static void test_live_is_drawn_on_able_terminals_only(void)
{
    int fds[2];

    EXPECT(pipe(fds) == 0);
    EXPECT(setenv("TERM", "xterm", 1) == 0);
    EXPECT(!live_is_possible(fds[1]));
    EXPECT(close(fds[0]) == 0 && close(fds[1]) == 0);
    EXPECT(!live_is_possible(-1));
}

static void test_live_colours_respect_no_color(void)
{
    EXPECT(unsetenv("NO_COLOR") == 0);
    EXPECT(live_wants_colours());
    EXPECT(setenv("NO_COLOR", "", 1) == 0);
    EXPECT(live_wants_colours());
    EXPECT(setenv("NO_COLOR", "1", 1) == 0);
    EXPECT(!live_wants_colours());
}

int main(void)
{
    TEST(test_live_line_says_what_is_known);
    TEST(test_live_line_of_the_drain_says_what_is_waited_for);
    TEST(test_live_line_is_red_only_for_errors_and_where_it_may);
    TEST(test_live_line_fits_every_terminal);
    TEST(test_live_is_drawn_on_able_terminals_only);
    TEST(test_live_colours_respect_no_color);
    return 0;
}
