/* The loggers of a test file, as the coordinator sees them: told of when they fail, and at the end
 * waited for until every line is where it belongs. */
#include <poll.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/quote.h"
#include "core/engine_impl.h"
#include "core/logger.h"
#include "io/wake.h"

enum { LOOK_MS = 10 };

#define PATIENCE_NS NS_PER_S /* Before people are told what is waited for. */

static struct loggers *loggers_of(const struct engine *engine)
{
    return engine->test == NULL ? NULL : engine->test->loggers;
}

void engine_watch_logs(struct engine *engine)
{
    struct loggers *loggers = loggers_of(engine);
    uint32_t count = loggers == NULL ? 0 : loggers_count(loggers);

    for (uint32_t i = 0; i < count; i++) {
        const struct testfile_logger *def = &engine->test->test->loggers[i];
        int error = loggers_error(loggers, i);

        if (error == 0 || engine->logs_told[i]) continue;
        engine->logs_told[i] = true;
        if (engine->quiet) continue;
        scribe_say(engine->scribe, "pelt: logger '%s': cannot write '%s': %s; its lines are lost",
                   quote(def->name).text, quote(def->to).text, strerror(error));
    }
}

void engine_end_logs(struct engine *engine)
{
    struct loggers *loggers = loggers_of(engine);
    uint32_t stops = load_relaxed(&engine->stop_level);
    uint64_t from_ns = clock_now_ns();
    bool told = false;

    if (loggers == NULL) return;
    while (!loggers_end(loggers)) {
        struct pollfd poll_fd = {.fd = engine->coord_fd, .events = POLLIN};
        uint32_t level = load_relaxed(&engine->stop_level);

        engine_watch_logs(engine);
        if (clock_now_ns() - from_ns > PATIENCE_NS) {
            /* Who asked for the end at once, or asks once more, does not want to wait. */
            if (level > stops || level > 1) loggers_give_up(loggers);
            if (!told && !engine->quiet) {
                const char *behind = loggers_behind(loggers);

                scribe_say(engine->scribe,
                           "pelt: waiting for '%s' to take what was logged; interrupt to lose it",
                           behind == NULL ? "a log" : quote(behind).text);
            }
            told = true;
        }
        if (poll(&poll_fd, 1, LOOK_MS) > 0) wake_clear(engine->coord_fd);
    }
    loggers_close(loggers);
}
