/* What is written down of the requests and answers of a test file. */
#include "core/base/check.h"
#include "core/runner_impl.h"

void runner_note_answer(struct exchange *exchange, const struct conn_request *request,
                        const struct conn_answer *answer, bool picked, bool expected)
{
    struct worker *w = exchange->endpoint->runner->worker;
    struct stats *stats = &w->shared->stats;
    struct stats_moments at = {.due_ns = request->due_ns,
                               .sent_ns = request->sent_ns,
                               .first_ns = answer->first_ns,
                               .done_ns = answer->done_ns};

    struct stats_url *figures = exchange->endpoint->figures;

    figures->ok += picked && expected;
    figures->failed += !picked || !expected;
    if (!picked) {
        w->ledger.failed[FAILED_BODY_TOO_LARGE]++;
    } else if (!expected) {
        w->ledger.failed[FAILED_UNEXPECTED]++;
    } else {
        w->ledger.ok++;
        if (answer->done_ns - w->span_from_ns <= w->end_ns - w->span_from_ns) {
            w->ledger.ok_in_span++;
        }
    }
    if (!picked || !expected) return;
    add_relaxed(&stats->status[answer->status], 1);
    if (request->due_ns >= w->measured_from_ns) {
        stats_answered(stats, answer->status, &at, 1);
        if (w->shared->urls.count > 0) {
            stats_url_record(figures, at.done_ns - at.due_ns, at.done_ns - at.sent_ns, 1);
        }
    }
}

void runner_note_failure(struct exchange *exchange, const struct conn_request *request,
                         enum failed_class why)
{
    struct worker *w = exchange->endpoint->runner->worker;
    struct stats_url *figures = exchange->endpoint->figures;
    uint64_t bound_ns = exchange->endpoint->def->request_timeout_ns;

    figures->failed++;
    if (request == NULL || why != FAILED_TIMEOUT) return;
    if (request->due_ns < w->measured_from_ns) return;
    stats_timed_out(&w->shared->stats, request->due_ns, request->sent_ns, bound_ns);
    if (w->shared->urls.count == 0) return;
    stats_url_record(figures, request->sent_ns + bound_ns - request->due_ns, bound_ns, 1);
}

void runner_note_error(struct exchange *exchange, enum expr_error error)
{
    (void)exchange;
    (void)error;
}

void runner_log(struct exchange *exchange)
{
    (void)exchange;
}
