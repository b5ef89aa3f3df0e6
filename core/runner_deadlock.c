/* Deadlocks: all that have not stopped wait, each for a value that only others that wait could
 * make, or for room that only they could make.
 *
 * On one worker that is found by looking. Where components are split each worker looks as if
 * nothing came from others; when nothing can go on here it says so, and what it lacks and has
 * (core/stillness). Once all of them say so, values that a worker has too much of are on their way
 * soon; what endpoints of two workers hold while they wait for each other's goes to the worker of
 * lower index; who could make what another worker lacks is asked to. Else it is a deadlock. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/check.h"
#include "core/base/quote.h"
#include "core/runner_impl.h"

/* Of an endpoint that gave back what another worker waits for: long enough to send it. */
#define YIELD_NS (2 * BARTER_NS)

/* True if it is values that the endpoint waits for. */
static bool is_gathering(const struct endpoint *endpoint)
{
    return endpoint->is_gathering && !endpoint->is_complete;
}

/* True if the endpoint goes on by itself. */
static bool is_alive(const struct endpoint *endpoint)
{
    const struct flow_drive *drive = &endpoint->drive;
    const struct worker *w = endpoint->runner->worker;

    if (endpoint->in_flight > 0 || endpoint->is_ready) return true;
    if (endpoint->is_stopped || is_gathering(endpoint)) return false;
    if (drive->yields_until_ns > 0) return true;
    /* As many as there may be are under way, and wait for room. */
    if (!runner_may_send(endpoint)) return false;
    if (lanes_pending_of(&w->lanes, endpoint->index) > 0) return true;
    if (drive->on_demand && !drive->is_asked) return false; /* Those who would ask wait. */
    return drive->by_slots || drive->running == 0;
}

static void open_target(struct runner *runner, const struct endpoint *endpoint, uint32_t provider)
{
    (void)endpoint;
    runner->is_open[provider] = true;
}

/* True if what the endpoint waits for may yet come: values; or else room, or to be asked, both of
 * which those who pop its values bring. */
static bool can_wake(const struct endpoint *endpoint)
{
    const struct runner *runner = endpoint->runner;
    const struct testfile_endpoint *def = endpoint->def;

    if (is_gathering(endpoint)) return runner_waits_for_shut(endpoint) == NULL;
    for (uint32_t i = 0; i < def->provides_count; i++) {
        if (runner->is_drained[def->provides[i].target]) return true;
    }
    return false;
}

static void drain_inputs(struct runner *runner, const struct endpoint *endpoint)
{
    for (uint32_t slot = 0; slot < endpoint->def->slots_count; slot++) {
        runner->is_drained[endpoint->def->slots[slot]] = true;
    }
}

bool runner_is_stuck(struct runner *runner)
{
    bool more = true, any = false;

    for (uint32_t i = 0; i < runner->test->providers_count; i++) {
        runner->is_open[i] = runner_has_own_values(runner, i);
        runner->is_drained[i] = false;
    }
    for (uint32_t i = 0; i < runner->test->endpoints_count; i++) {
        runner->endpoints[i].can_go_on = false;
    }
    while (more) {
        more = false;
        for (uint32_t i = 0; i < runner->test->endpoints_count; i++) {
            struct endpoint *endpoint = &runner->endpoints[i];

            if (!endpoint->is_here || endpoint->can_go_on) continue;
            if (endpoint->is_stopped && endpoint->in_flight == 0) continue;
            if (!is_alive(endpoint) && !can_wake(endpoint)) continue;
            endpoint->can_go_on = more = any = true;
            runner_each_target(endpoint, open_target);
            drain_inputs(runner, endpoint);
        }
    }
    return !any;
}

/* Notes what each endpoint waits for, as of core/stillness; runner_is_stuck() has looked. */
static void note_waits(struct runner *runner)
{
    for (uint32_t i = 0; i < runner->test->endpoints_count; i++) {
        const struct endpoint *endpoint = &runner->endpoints[i];
        const struct provider *provider;

        runner->stuck.waits[i] = STILL_OVER;
        if (!endpoint->is_here || endpoint->is_stopped) continue;
        provider = runner_waits_for_shut(endpoint);
        runner->stuck.waits[i] = STILL_ROOM;
        if (provider == NULL) continue;
        runner->stuck.waits[i] = STILL_VALUE + (uint32_t)(provider - runner->providers);
    }
}

/* True if the endpoint could make a value for somebody who asks for it. */
static bool is_unasked(const struct endpoint *endpoint, uint32_t provider)
{
    const struct flow_drive *drive = &endpoint->drive;

    if (!endpoint->is_here || endpoint->is_stopped || !drive->on_demand) return false;
    if (drive->is_asked || endpoint->runner->providers[provider].demand > 0) return false;
    for (uint32_t i = 0; i < endpoint->def->provides_count; i++) {
        if (endpoint->def->provides[i].target == provider) return true;
    }
    return false;
}

/* Notes how the providers stand whose values go from worker to worker. */
static void note_stocks(struct runner *runner)
{
    for (uint32_t i = 0; i < runner->test->providers_count; i++) {
        uint32_t stock = 0;

        for (uint32_t e = 0; e < runner->test->endpoints_count; e++) {
            if (is_unasked(&runner->endpoints[e], i)) stock |= STILL_UNASKED;
        }
        if (runner->providers[i].receivers.first != NULL) stock |= STILL_WANTED;
        if (runner_has_own_values(runner, i)) stock |= STILL_THERE;
        if (runner_is_held(runner, i)) stock |= STILL_HELD;
        if (runner->barter.is_kept[i]) {
            stock |= STILL_KEPT;
        } else if (barter_is_open(runner->options.barter, runner->worker->index, i)) {
            stock |= STILL_OPEN;
        }
        runner->stuck.stocks[i] = runner_is_shared(runner, i) ? stock : 0;
    }
}

/* Gives back what endpoints hold of a provider while they wait for other values. */
static void yield_values(struct runner *runner, uint32_t provider)
{
    for (uint32_t i = 0; i < runner->test->endpoints_count; i++) {
        struct endpoint *endpoint = &runner->endpoints[i];

        if (!runner_holds(endpoint, provider)) continue;
        runner_ungather(endpoint);
        endpoint->drive.yields_until_ns = runner->worker->now_ns + YIELD_NS;
        runner->stuck.yielding++;
    }
}

void runner_end_yields(struct runner *runner)
{
    for (uint32_t i = 0; runner->stuck.yielding > 0 && i < runner->test->endpoints_count; i++) {
        struct endpoint *endpoint = &runner->endpoints[i];
        uint64_t until_ns = endpoint->drive.yields_until_ns;

        if (until_ns == 0 || until_ns > runner->worker->now_ns) continue;
        endpoint->drive.yields_until_ns = 0;
        runner->stuck.yielding--;
        runner_touch(endpoint);
    }
}

/* An endpoint that has not stopped, on some worker, and can push into `provider`; UINT32_MAX: none.
 */
static uint32_t feeder_of(const struct runner *runner, uint32_t provider)
{
    for (uint32_t i = 0; i < runner->test->endpoints_count; i++) {
        const struct testfile_endpoint *def = &runner->test->endpoints[i];

        if (runner->stuck.waits[i] == STILL_OVER) continue;
        for (uint32_t p = 0; p < def->provides_count; p++) {
            if (def->provides[p].target == provider) return i;
        }
    }
    return UINT32_MAX;
}

/* Adds to the message; what does not fit is left away. */
__attribute__((format(printf, 2, 3))) static void tell(struct err_info *why, const char *format,
                                                       ...)
{
    size_t len = strlen(why->message);
    va_list args;

    va_start(args, format);
    (void)vsnprintf(why->message + len, sizeof(why->message) - len, format, args);
    va_end(args);
}

/* The first endpoint that waits for a value that will not come; UINT32_MAX: none does. */
static uint32_t first_stuck(const struct runner *runner)
{
    for (uint32_t i = 0; i < runner->test->endpoints_count; i++) {
        if (runner->stuck.waits[i] >= STILL_VALUE) return i;
    }
    return UINT32_MAX;
}

/* Writes who waits for whom, until one comes again or there is none. What has been told of an
 * endpoint is struck out as it goes. */
static void tell_deadlock(struct runner *runner)
{
    const struct testfile *test = runner->test;
    struct err_info *why = &runner->deadlock;
    uint32_t at = first_stuck(runner);
    bool is_first = true;

    if (at == UINT32_MAX) {
        tell(why, "no endpoint is asked for anything");
        return;
    }
    for (uint32_t i = 0; i < test->endpoints_count; i++) {
        runner->endpoints[i].can_go_on = false; /* From here on: it has been named. */
    }
    tell(why, "'%s'", quote(test->endpoints[at].name).text);
    while (!runner->endpoints[at].can_go_on) {
        uint32_t wait = runner->stuck.waits[at], provider = wait - STILL_VALUE;

        runner->endpoints[at].can_go_on = true;
        if (wait < STILL_VALUE) {
            tell(why, ", which waits for room in what it feeds");
            return;
        }
        tell(why, "%s waits for '%s'", is_first ? "" : ", which",
             quote(test->providers[provider].name).text);
        is_first = false;
        at = feeder_of(runner, provider);
        if (at == UINT32_MAX) {
            tell(why, ", which nobody feeds");
            return;
        }
        tell(why, ", fed by '%s'", quote(test->endpoints[at].name).text);
    }
}

static void say_rest(const struct runner *runner)
{
    stillness_rest(&runner->options.barter->still, runner->worker->index,
                   &(struct still_rest){.waits = runner->stuck.waits,
                                        .stocks = runner->stuck.stocks,
                                        .heard = runner->stuck.heard});
}

/* Says to the other workers that nothing can go on here, and looks whether it can there. */
static enum still_found look_around(struct runner *runner)
{
    const struct stillness *still = &runner->options.barter->still;
    uint32_t self = runner->worker->index, provider = 0;
    enum still_found found;

    note_stocks(runner);
    say_rest(runner);
    found = stillness_look(still, self, &provider, runner->stuck.waits);
    if (found != STILL_YIELD && found != STILL_LET_GO && found != STILL_ASK) return found;
    stillness_move(still, self);
    if (found == STILL_YIELD) yield_values(runner, provider);
    if (found == STILL_LET_GO) runner->barter.lets_go[provider] = true;
    if (found == STILL_ASK) runner->providers[provider].demand++;
    runner->is_stirred = runner->ends_changed = true;
    return found;
}

/* The same where components are split. */
static bool is_deadlocked_with_all(struct runner *runner)
{
    const struct stillness *still = &runner->options.barter->still;
    enum still_found found;

    if (stillness_is_told(still)) return true;
    if (runner_has_underway(runner) || !runner_is_stuck(runner)) {
        stillness_move(still, runner->worker->index);
        return false;
    }
    note_waits(runner);
    found = look_around(runner);
    runner->stuck.all_are_over = found == STILL_IS_OVER;
    if (found != STILL_IS_DEAD) return false;
    stillness_tell(still, runner->worker->index);
    tell_deadlock(runner);
    return true;
}

bool runner_is_deadlocked(struct runner *runner)
{
    if (runner->options.barter != NULL) return is_deadlocked_with_all(runner);
    if (runner->stopped_count == runner->here_count || !runner_is_stuck(runner)) return false;
    note_waits(runner);
    tell_deadlock(runner);
    return true;
}

bool runner_is_needed_elsewhere(const struct runner *runner)
{
    if (runner->options.barter == NULL || runner->stuck.all_are_over) return false;
    return !stillness_is_told(&runner->options.barter->still);
}

void runner_rest_for_good(struct runner *runner)
{
    if (runner->options.barter == NULL) return;
    memset(runner->stuck.waits, 0, runner->test->endpoints_count * sizeof(uint32_t));
    memset(runner->stuck.stocks, 0, runner->test->providers_count * sizeof(uint32_t));
    runner->stuck.heard = UINT64_MAX;
    say_rest(runner);
}
