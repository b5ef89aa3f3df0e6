/* What is written down of the requests and answers of a test file: in the ledger, in the figures of
 * endpoints, and in the group of the request's tags. */
#include <stdio.h>

#include "core/base/quote.h"
#include "core/result_test.h"
#include "core/runner_impl.h"

/* Tells why an answer was not expected. */
static void note_unexpected(struct exchange *exchange)
{
    const struct testfile_expect *expect = &exchange->endpoint->def->expect;
    struct worker *w = exchange->endpoint->runner->worker;
    bool any = expect->statuses_count == 0;
    char text[64] = "'where' of 'expect' is not true";

    for (uint32_t i = 0; i < expect->statuses_count; i++) {
        any |= exchange->status >= expect->statuses[i].from &&
               exchange->status <= expect->statuses[i].to;
    }
    if (!any) {
        (void)snprintf(text, sizeof(text), "status %u is not expected", exchange->status);
    }
    group_error(&w->shared->groups, runner_group_of(exchange), TEST_ERROR_EXPECT, text);
}

static void note_in_ledger(struct worker *w, const struct conn_answer *answer,
                           enum failed_class why)
{
    if (why != FAILED_COUNT) {
        w->ledger.failed[why]++;
        return;
    }
    w->ledger.ok++;
    if (answer->done_ns - w->span_from_ns <= w->end_ns - w->span_from_ns) w->ledger.ok_in_span++;
}

/* A request that had to wait for a value: how long, and whose. */
static void note_wait(const struct exchange *exchange, struct group *group)
{
    struct worker *w = exchange->endpoint->runner->worker;
    char text[GROUP_ERROR_TEXT_MAX];

    group_waited(group, exchange->waited_ns);
    if (exchange->waited_on == NULL) return;
    (void)snprintf(text, sizeof(text), "waited for provider `%s`",
                   quote(exchange->waited_on->name).text);
    group_error(&w->shared->groups, group, TEST_ERROR_PROVIDER_WAIT, text);
}

/* Counts a request that has ended in the group of its tags. */
static void note_in_group(struct exchange *exchange, const struct group_request *request)
{
    struct group *group = runner_group_of(exchange);

    group_add(group, request);
    if (unlikely(exchange->waited_ns > 0)) note_wait(exchange, group);
}

void runner_note_answer(struct exchange *exchange, const struct conn_request *request,
                        const struct conn_answer *answer, enum failed_class why)
{
    struct worker *w = exchange->endpoint->runner->worker;
    struct stats_url *figures = exchange->endpoint->figures;
    struct stats *stats = &w->shared->stats;
    struct stats_moments at = {.due_ns = request->due_ns,
                               .sent_ns = request->sent_ns,
                               .first_ns = answer->first_ns,
                               .done_ns = answer->done_ns};
    bool is_good = why == FAILED_COUNT;
    bool is_measured = is_good && request->due_ns >= w->measured_from_ns;

    note_in_ledger(w, answer, why);
    figures->ok += is_good;
    figures->failed += !is_good;
    note_in_group(exchange, &(struct group_request){
                                .at = is_measured ? &at : NULL,
                                .bytes_sent = exchange->bytes_sent,
                                .bytes_received = answer->body_bytes,
                                .status = answer->status,
                                .why = why,
                            });
    if (why == FAILED_UNEXPECTED) note_unexpected(exchange);
    if (!is_good) return;
    add_relaxed(&stats->status[answer->status], 1);
    if (!is_measured) return;
    stats_answered(stats, answer->status, &at, 1);
    if (w->shared->urls.count > 0) {
        stats_url_record(figures, at.done_ns - at.due_ns, at.done_ns - at.sent_ns, 1);
    }
}

void runner_note_failure(struct exchange *exchange, const struct conn_request *request,
                         enum failed_class why)
{
    struct worker *w = exchange->endpoint->runner->worker;
    struct stats_url *figures = exchange->endpoint->figures;
    uint64_t bound_ns = exchange->endpoint->def->request_timeout_ns;
    struct stats_moments at = {0};
    bool is_measured =
        request != NULL && why == FAILED_TIMEOUT && request->due_ns >= w->measured_from_ns;

    if (is_measured) {
        at = (struct stats_moments){.due_ns = request->due_ns,
                                    .sent_ns = request->sent_ns,
                                    .done_ns = request->sent_ns + bound_ns};
    }
    figures->failed++;
    note_in_group(exchange, &(struct group_request){
                                .at = is_measured ? &at : NULL,
                                .bytes_sent = exchange->bytes_sent,
                                .why = why,
                            });
    if (!is_measured) return;
    stats_timed_out(&w->shared->stats, at.due_ns, at.sent_ns, bound_ns);
    if (w->shared->urls.count == 0) return;
    stats_url_record(figures, at.done_ns - at.due_ns, bound_ns, 1);
}

void runner_note_error(struct exchange *exchange, enum test_error code, enum expr_error error)
{
    struct worker *w = exchange->endpoint->runner->worker;
    const char *before = code == TEST_ERROR_BUILD ? "request could not be built: " : "";
    char text[GROUP_ERROR_TEXT_MAX];

    (void)snprintf(text, sizeof(text), "%s%s", before, expr_error_text(error));
    group_error(&w->shared->groups, runner_group_of(exchange), code, text);
    if (w->runner->options.trial != NULL && code == TEST_ERROR_INDEXING) {
        runner_trial_trouble(w->runner, exchange->endpoint->index, expr_error_text(error));
    }
}

/* Between two publications, where there are many providers. A worker that falls asleep in between
 * wakes for it, so that what is published is never older than that. */
enum { GAUGES_NS = 20 * 1000 * 1000, GAUGES_EACH_TURN_MAX = 16 };

void runner_publish_gauges(struct runner *runner, uint64_t now_ns)
{
    struct provider_gauge *gauges = runner->worker->shared->gauges;
    uint32_t count = runner->test->providers_count;

    if (gauges == NULL || count == 0) return;
    runner->gauges_stale = count > GAUGES_EACH_TURN_MAX && now_ns < runner->gauges_ns;
    if (runner->gauges_stale) return;
    runner->gauges_ns = now_ns + GAUGES_NS;
    for (uint32_t i = 0; i < count; i++) {
        if (runner_has_provider(runner, i)) provider_gauge_set(&gauges[i], &runner->providers[i]);
    }
}

void runner_add_dropped(const struct runner *runner, uint32_t index, struct result_dropped *sum)
{
    const struct provider *provider = &runner->providers[index];

    if (!runner_has_provider(runner, index)) return;
    sum->full += provider->refused;
    sum->unread += provider->unread;
    sum->same += provider->dropped;
    sum->no_memory += provider->no_memory;
}
