/* Which endpoints can still send: those that cannot are stopped, and so in the end the test. Looked
 * at in rounds now and then, not per request.
 *
 * A provider is closed when its source has ended, it is empty, and nobody can push into it: every
 * endpoint that could has stopped with nothing under way, or waits for this very provider with
 * nothing under way. An endpoint stops when its schedule is over, when it waits for a closed
 * provider, or, if its queues drive it, when nobody reads them any more. What is left when all that
 * have not stopped wait for each other is runner_deadlock.c's. */
#include "core/base/check.h"
#include "core/runner_impl.h"

bool runner_pops_slot(const struct endpoint *endpoint, uint32_t slot)
{
    const struct testfile_endpoint *def = endpoint->def;

    if (def->is_input[slot]) return true;
    for (uint32_t i = 0; i < def->declares_used; i++) {
        const struct expr_needs *needs = &def->declares[def->declares_order[i]].needs;

        for (uint32_t m = 0; m < needs->mentions_count; m++) {
            if (needs->mentions[m].provider == slot) return true;
        }
    }
    return false;
}

#define ENDS_NS NS_PER_MS /* Between two looks. */

/* Values that wait for room where nobody reads any more, on any worker, need not. */
static void drop_unread(struct runner *runner)
{
    for (uint32_t i = 0; i < runner->test->providers_count; i++) {
        if (runner->providers[i].senders.first == NULL || runner_is_read(runner, i)) continue;
        runner_drop_senders(runner, i, runner->worker->now_ns);
    }
}

/* Ends the endpoint's part. A hit that waits for values has missed them. */
static void stop_endpoint(struct endpoint *endpoint)
{
    struct runner *runner = endpoint->runner;
    const struct testfile_endpoint *def = endpoint->def;

    CHECK(!endpoint->is_stopped && !endpoint->is_ready);
    endpoint->is_stopped = true;
    runner->stopped_count++;
    runner_unschedule(endpoint);
    if (endpoint->is_held) {
        endpoint->is_held = false;
        runner->held--;
        runner->worker->ledger.missed[runner_held_for(endpoint)]++;
        endpoint->figures->missed++;
        runner_wait_over(endpoint);
    }
    runner_log_unhold(endpoint);
    runner_ungather(endpoint);
    for (uint32_t slot = 0; slot < def->slots_count; slot++) {
        uint32_t provider = def->slots[slot];

        if (!runner_pops_slot(endpoint, slot)) continue;
        CHECK(runner->readers[provider] > 0);
        if (--runner->readers[provider] == 0) runner_say_unread(runner, provider);
    }
    drop_unread(runner);
    runner->is_stirred = runner->ends_changed = true;
}

/* True unless it has stopped, or something of it waits for a connection. */
static bool may_stop(const struct endpoint *endpoint)
{
    const struct worker *w = endpoint->runner->worker;

    return endpoint->is_here && !endpoint->is_stopped && !endpoint->is_ready &&
           lanes_pending_of(&w->lanes, endpoint->index) == 0;
}

/* True if the endpoint has nothing more to send, whatever comes. */
static bool is_through(const struct endpoint *endpoint)
{
    const struct flow_drive *drive = &endpoint->drive;
    const struct worker *w = endpoint->runner->worker;

    if (endpoint->is_held) return false;
    if (drive->by_slots) return endpoint->next_ns > w->end_ns && !drive->is_slot_open;
    return drive->left == 0 || w->now_ns >= drive->until_ns;
}

/* True if the endpoint's queues drive it and nobody reads them any more. Those that nobody ever
 * read do not count where it is values that drive it. */
static bool is_unread(const struct endpoint *endpoint)
{
    const struct testfile_endpoint *def = endpoint->def;
    const struct runner *runner = endpoint->runner;
    bool any = false;

    if (endpoint->drive.by_slots || endpoint->drive.left != UINT32_MAX) return false;
    for (uint32_t i = 0; i < def->provides_count; i++) {
        uint32_t target = def->provides[i].target;

        if (runner_is_read(runner, target)) return false;
        any |= runner->had_readers[target];
    }
    return any || (def->provides_count > 0 && def->slots_count == 0);
}

static bool source_has_ended(const struct runner *runner, uint32_t index)
{
    if (runner->providers[index].source.fill == NULL) return true;
    switch (runner->test->providers[index].kind) {
    case PROVIDER_FILE: return feed_is_ended(&runner->feeds[index]);
    case PROVIDER_LIST:
    case PROVIDER_RANGE: return value_source_is_ended(&runner->sources[index]);
    case PROVIDER_RESPONSE: return true;
    }
    UNREACHABLE("a provider without a kind");
}

bool runner_has_own_values(const struct runner *runner, uint32_t index)
{
    const struct provider *provider = &runner->providers[index];

    return provider->len > 0 || provider->senders.first != NULL || !source_has_ended(runner, index);
}

void runner_each_target(struct endpoint *endpoint, runner_target_fn *fn)
{
    const struct testfile_endpoint *def = endpoint->def;
    struct runner *runner = endpoint->runner;

    for (uint32_t i = 0; i < def->provides_count; i++) {
        fn(runner, endpoint, def->provides[i].target);
    }
    for (uint32_t slot = 0; slot < def->slots_count && !def->no_auto_returns; slot++) {
        uint32_t provider = def->slots[slot];

        if (runner->test->providers[provider].auto_return != RETURN_NONE) {
            fn(runner, endpoint, provider);
        }
    }
}

static void keep_open(struct runner *runner, const struct endpoint *endpoint, uint32_t provider)
{
    if (endpoint->drive.running == 0 && !endpoint->is_ready &&
        runner_waits_for(endpoint, &runner->providers[provider])) {
        return;
    }
    runner->is_open[provider] = true;
}

/* Finds out which providers are open. */
static void find_open(struct runner *runner)
{
    for (uint32_t i = 0; i < runner->test->providers_count; i++) {
        runner->is_open[i] = runner_has_own_values(runner, i);
    }
    for (uint32_t i = 0; i < runner->test->endpoints_count; i++) {
        struct endpoint *endpoint = &runner->endpoints[i];

        if (!endpoint->is_here || (endpoint->is_stopped && endpoint->drive.running == 0)) continue;
        runner_each_target(endpoint, keep_open);
    }
    for (uint32_t i = 0; i < runner->test->providers_count; i++) {
        runner_say_open(runner, i, runner->is_open[i], runner_is_held(runner, i));
        runner->is_open[i] |= runner_is_fed_elsewhere(runner, i);
    }
}

const struct provider *runner_waits_for_shut(const struct endpoint *endpoint)
{
    const struct runner *runner = endpoint->runner;
    const struct testfile_endpoint *def = endpoint->def;

    for (uint32_t slot = 0; slot < def->slots_count; slot++) {
        const struct provider *provider = &runner->providers[def->slots[slot]];

        if (!runner->is_open[def->slots[slot]] && runner_waits_for(endpoint, provider)) {
            return provider;
        }
    }
    return NULL;
}

/* Stops the first endpoint that has to; false if none has. */
static bool stop_one(struct runner *runner)
{
    drop_unread(runner); /* Others may have stopped. */
    find_open(runner);
    for (uint32_t i = 0; i < runner->test->endpoints_count; i++) {
        struct endpoint *endpoint = &runner->endpoints[i];
        const struct provider *shut;

        if (!endpoint->is_here || endpoint->is_stopped) continue;
        if (is_unread(endpoint)) endpoint->drive.left = 0; /* What is due already is sent. */
        if (!may_stop(endpoint)) continue;
        shut = runner_waits_for_shut(endpoint);
        if (shut == NULL && !is_through(endpoint)) continue;
        if (shut != NULL && runner->ran_dry == NULL) runner->ran_dry = shut->name;
        stop_endpoint(endpoint);
        return true; /* What it held is back, and may be what others wait for. */
    }
    return false;
}

/* What is due is missed. */
static void miss_due(struct endpoint *endpoint)
{
    struct worker *w = endpoint->runner->worker;
    struct lane_waiting waiting;

    while (lanes_take(&w->lanes, endpoint->index, &waiting)) {
        w->ledger.missed[MISSED_END]++;
        endpoint->figures->missed++;
    }
}

/* Stops all in a deadlock: what is due cannot be sent if as many as there may be wait for room. */
static void give_up(struct runner *runner)
{
    for (uint32_t i = 0; i < runner->test->endpoints_count; i++) {
        struct endpoint *endpoint = &runner->endpoints[i];

        if (!endpoint->is_here || endpoint->is_stopped || endpoint->is_ready) continue;
        miss_due(endpoint);
        stop_endpoint(endpoint);
    }
}

static void stop_all(struct runner *runner)
{
    for (uint32_t i = 0; i < runner->test->endpoints_count; i++) {
        struct endpoint *endpoint = &runner->endpoints[i];

        if (may_stop(endpoint)) stop_endpoint(endpoint);
    }
}

void runner_check_ends(struct runner *runner)
{
    struct worker *w = runner->worker;

    if (w->now_ns >= w->end_ns) {
        stop_all(runner);
        if (runner->options.barter == NULL && runner->stopped_count < runner->here_count &&
            runner_is_stuck(runner)) {
            give_up(runner);
        }
        return;
    }
    if (!runner->ends_changed || w->now_ns < runner->ends_next_ns) return;
    runner->ends_changed = false;
    runner->ends_next_ns = w->now_ns + ENDS_NS;
    if (runner->options.barter != NULL) {
        runner->stuck.heard = stillness_changes(&runner->options.barter->still);
    }
    while (stop_one(runner)) {
    }
    if (runner_is_deadlocked(runner)) give_up(runner);
}

/* What the endpoint waits for at place `at`: its slots, then its declares. */
static const struct provider_wait *wait_at(const struct endpoint *endpoint, uint32_t at)
{
    if (at < endpoint->def->slots_count) return &endpoint->waits[at];
    return &endpoint->declaring[at - endpoint->def->slots_count].wait;
}

bool runner_next_wait(const struct runner *runner, struct runner_wait *wait)
{
    for (; wait->next_endpoint < runner->test->endpoints_count; wait->next_endpoint++) {
        const struct endpoint *endpoint = &runner->endpoints[wait->next_endpoint];
        uint32_t places = endpoint->def->slots_count + endpoint->def->declares_count;

        if (!endpoint->is_here) continue;
        while (wait->next_place < places) {
            const struct provider_wait *found = wait_at(endpoint, wait->next_place++);

            if (found->provider == NULL) continue;
            wait->endpoint = endpoint->index;
            wait->provider = (uint32_t)(found->provider - runner->providers);
            return true;
        }
        wait->next_place = 0;
    }
    return false;
}
