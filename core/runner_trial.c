#include "core/runner_trial.h"

#include "core/runner_impl.h"

static bool is_busy(const struct endpoint *endpoint)
{
    return endpoint->drive.left > 0 || endpoint->in_flight > 0;
}

static bool feeds(const struct endpoint *endpoint, uint32_t provider)
{
    for (uint32_t i = 0; i < endpoint->def->provides_count; i++) {
        if (endpoint->def->provides[i].target == provider) return true;
    }
    return false;
}

static bool may_be_asked(const struct runner *runner, const struct endpoint *endpoint)
{
    const struct trial_fate *fate = &runner->options.trial->fates[endpoint->index];

    return !is_busy(endpoint) && !fate->is_barren && fate->asks < TRIAL_ASKS_MAX;
}

/* True if `a` is to be asked before `b`. */
static bool comes_before(const struct trial *trial, uint32_t a, uint32_t b)
{
    if (trial->fates[a].asks != trial->fates[b].asks) {
        return trial->fates[a].asks < trial->fates[b].asks;
    }
    return trial->scores[a] < trial->scores[b];
}

/* Somebody waits for a value of the provider, and none is there. */
static bool is_wanted(const struct provider *provider)
{
    return provider->receivers.first != NULL && provider->len == 0 &&
           provider->senders.first == NULL;
}

static void ask(struct endpoint *endpoint)
{
    struct runner *runner = endpoint->runner;

    runner->options.trial->fates[endpoint->index].asks++;
    endpoint->drive.left++;
    runner_touch(endpoint);
    runner->is_stirred = true;
}

/* Asks a feeder of the provider; unless `hurry`, only if none is at it. */
static void ask_feeder(struct runner *runner, uint32_t provider, bool hurry)
{
    struct endpoint *best = NULL;

    for (uint32_t i = 0; i < runner->test->endpoints_count; i++) {
        struct endpoint *endpoint = &runner->endpoints[i];

        if (!feeds(endpoint, provider)) continue;
        if (is_busy(endpoint) && !hurry) return;
        if (!may_be_asked(runner, endpoint)) continue;
        if (best == NULL || comes_before(runner->options.trial, i, best->index)) best = endpoint;
    }
    if (best != NULL) ask(best);
}

static void ask_all(struct runner *runner, bool hurry)
{
    for (uint32_t i = 0; i < runner->test->providers_count; i++) {
        if (is_wanted(&runner->providers[i])) ask_feeder(runner, i, hurry);
    }
}

/* Something is on its way that may change things: a request, room in a log, or a stretch of a data
 * file. */
static bool is_under_way(const struct runner *runner)
{
    const struct worker *w = runner->worker;

    if (w->ledger.in_flight + w->lanes.pending + runner->log_held > 0) return true;
    for (uint32_t i = 0; i < runner->test->providers_count; i++) {
        if (runner->test->providers[i].kind != PROVIDER_FILE) continue;
        if (is_wanted(&runner->providers[i]) && !feed_is_ended(&runner->feeds[i])) return true;
    }
    return false;
}

static bool all_have_answered(const struct runner *runner)
{
    const struct trial *trial = runner->options.trial;

    for (uint32_t i = 0; i < runner->test->endpoints_count; i++) {
        const struct trial_fate *fate = &trial->fates[i];

        if (trial->chosen[i] && fate->answers + fate->failures == 0) return false;
    }
    return true;
}

void runner_trial_start(struct runner *runner)
{
    const struct trial *trial = runner->options.trial;

    for (uint32_t i = 0; i < runner->test->endpoints_count; i++) {
        runner->endpoints[i].drive.left = 0;
        if (trial->chosen[i]) ask(&runner->endpoints[i]);
    }
}

void runner_trial_step(struct runner *runner)
{
    struct worker *w = runner->worker;

    if (runner->options.trial->is_over || w->now_ns >= w->end_ns) return;
    if (!all_have_answered(runner)) {
        ask_all(runner, false);
        if (runner->is_stirred || is_under_way(runner)) return;
        ask_all(runner, true);
        if (runner->is_stirred) return;
    }
    runner->options.trial->is_over = true;
    w->end_ns = min_u64(w->end_ns, w->now_ns); /* What is still under way is not waited for. */
}

void runner_trial_trouble(struct runner *runner, uint32_t endpoint, const char *why)
{
    runner->options.trial->fates[endpoint].trouble = why;
}

void runner_trial_note(struct runner *runner, const struct runner_seen *seen)
{
    struct trial_fate *fate = &runner->options.trial->fates[seen->endpoint];
    const struct testfile_endpoint *def = &runner->test->endpoints[seen->endpoint];
    bool gave = false;

    for (uint32_t i = 0; seen->status != 0 && i < def->provides_count; i++) {
        gave |= runner->outgoing[i].any;
    }
    fate->answers += seen->status != 0;
    fate->failures += seen->failed != NULL;
    if (seen->failed != NULL) fate->failed = seen->error != NULL ? seen->error : seen->failed;
    if (seen->failed != NULL && !gave) fate->is_barren = true;
}

/* Tells of a request that has no answer. */
static void tell_cut(const struct runner *runner, const struct exchange *exchange)
{
    const struct runner_observer *observer = runner->options.observer;
    struct runner_seen seen = {.endpoint = exchange->endpoint->index,
                               .sent = exchange->sent,
                               .sent_len = exchange->sent_len,
                               .due_ns = exchange->due_ns,
                               .sent_ns = exchange->sent_ns,
                               .done_ns = runner->worker->now_ns,
                               .failed = "no answer before the time was over"};

    if (observer != NULL) observer->seen(observer->self, &seen);
}

void runner_trial_end(struct runner *runner)
{
    const struct trial *trial = runner->options.trial;
    struct runner_wait wait = {0};

    for (uint32_t i = 0; !trial->is_over && i < runner->exchanges_count; i++) {
        const struct exchange *exchange = &runner->exchanges[i];

        if (exchange->endpoint == NULL) continue;
        trial->fates[exchange->endpoint->index].is_cut = true;
        tell_cut(runner, exchange);
    }
    for (uint32_t i = 0; !trial->is_over && i < runner->test->endpoints_count; i++) {
        trial->fates[i].is_waiting = lanes_pending_of(&runner->worker->lanes, i) > 0;
    }
    while (runner_next_wait(runner, &wait)) {
        struct trial_fate *fate = &trial->fates[wait.endpoint];

        if (!fate->lacks_value) fate->lacked = wait.provider;
        fate->lacks_value = true;
    }
    for (uint32_t i = 0; i < runner->test->providers_count; i++) {
        trial->was_fed[i] = runner->providers[i].pushed > 0;
    }
}
