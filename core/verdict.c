#include "core/verdict.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/base/check.h"
#include "core/base/units.h"

#define LATENESS_P99_NS  NS_PER_MS
#define LOOP_LAG_P99_NS  (5 * NS_PER_MS)
#define CONN_WAIT_P99_NS NS_PER_MS
#define STALLED_SHARE    0.01
#define CORE_SHARE       0.10
#define USED_SHARE       0.95

enum { SAMPLES_MIN = 100 };

PRINTF_LIKE(2, 3) static void add_line(struct verdict_lines *lines, const char *format, ...)
{
    va_list args;

    CHECK(lines->count < VERDICT_LINES_MAX);
    va_start(args, format);
    (void)vsnprintf(lines->text[lines->count], VERDICT_LINE_BYTES, format, args);
    va_end(args);
    lines->count++;
}

/* The 99th percentile if there is one to speak of, else 0. */
static uint64_t p99_ns(const struct hist_view *view)
{
    if (view == NULL || view->count < SAMPLES_MIN) return 0;
    return hist_view_percentile_ns(view, 0.99);
}

static void judge_times(const struct verdict_facts *facts, struct verdict_lines *reasons)
{
    uint64_t late_ns = facts->has_schedule ? p99_ns(facts->lateness) : 0;
    uint64_t lag_ns = p99_ns(facts->loop_lag);
    char buf[UNITS_TEXT_MAX];

    if (late_ns > LATENESS_P99_NS) {
        add_line(reasons, "requests were sent late: p99 %s (1 ms at most)",
                 units_time(buf, late_ns));
    }
    if (lag_ns > LOOP_LAG_P99_NS) {
        add_line(reasons, "the workers' loops lagged: p99 %s (5 ms at most)",
                 units_time(buf, lag_ns));
    }
    if (facts->stood_still > STALLED_SHARE) {
        add_line(reasons, "the program stood still for %.0f %% of the run (1 %% at most)",
                 facts->stood_still * 100);
    }
}

/* What is judged of each worker's shares, as words around the number. */
static const struct {
    size_t offset; /* Into struct verdict_worker. */
    double bound;
    bool unscheduled_only; /* Only where requests are due when the last one ends. */
    const char *verb, *rest;
} shares[] = {
    {offsetof(struct verdict_worker, used), USED_SHARE, true, "used",
     "of its CPU: the server may do more"},
    {offsetof(struct verdict_worker, stalled), STALLED_SHARE, false, "spent",
     "of the run in turns over 5 ms (1 % at most)"},
    {offsetof(struct verdict_worker, waited), CORE_SHARE, false, "waited",
     "of the time for a CPU (10 % at most)"},
    {offsetof(struct verdict_worker, foreign), CORE_SHARE, false, "shared",
     "of its CPU with other programs (10 % at most)"},
    {offsetof(struct verdict_worker, steal), CORE_SHARE, false, "lost",
     "of its CPU to the hypervisor (10 % at most)"},
};

static double share_at(const struct verdict_worker *worker, size_t offset)
{
    return *(const double *)(const void *)((const char *)worker + offset);
}

/* Says how many workers are over a bound, and how far the worst one is. */
static void judge_share(const struct verdict_facts *facts, size_t which,
                        struct verdict_lines *reasons)
{
    double most = shares[which].bound, percent;
    uint32_t worst = 0, over = 0;
    char others[32] = "";

    for (uint32_t i = 0; i < facts->workers_count; i++) {
        double share = share_at(&facts->workers[i], shares[which].offset);

        if (share <= shares[which].bound) continue;
        over++;
        if (share <= most) continue;
        most = share;
        worst = i;
    }
    if (over == 0) return;
    if (over > 1) (void)snprintf(others, sizeof(others), " (and %u more)", over - 1);
    percent = most < 1 ? most * 100 : 100;
    add_line(reasons, "worker %u%s %s %.*f %% %s", worst, others, shares[which].verb, percent < 20,
             percent, shares[which].rest);
}

static void judge_used_up(const struct verdict_facts *facts, struct verdict_lines *reasons)
{
    char buf[UNITS_TEXT_MAX];

    if (facts->ledger_open) add_line(reasons, "the ledger does not close: a bug of pelt");
    if (facts->no_ports > 0) {
        add_line(reasons, "local ports were used up: %s requests had none",
                 units_grouped(buf, facts->no_ports));
    }
    if (facts->no_descriptors > 0) {
        add_line(reasons, "descriptors or socket memory were used up: %s requests had none",
                 units_grouped(buf, facts->no_descriptors));
    }
    if (facts->cq_overflow > 0) {
        add_line(reasons, "the ring was too small: it overflowed %s times",
                 units_grouped(buf, facts->cq_overflow));
    }
}

static void judge_logs(const struct verdict_facts *facts, struct verdict_lines *reasons)
{
    char buf[UNITS_TEXT_MAX];

    if (facts->log_held == 0) return;
    add_line(reasons, "logs were written too slowly: %s requests were held back and not sent",
             units_grouped(buf, facts->log_held));
}

/* Waiting for a connection is the plan's or the server's doing. */
static void note_pool(const struct verdict_facts *facts, struct verdict_lines *notes)
{
    uint64_t wait_ns = p99_ns(facts->conn_wait);
    char buf[UNITS_TEXT_MAX];

    if (wait_ns > CONN_WAIT_P99_NS) {
        add_line(notes, "pool of %u saturated: requests waited for a connection, p99 %s",
                 facts->connections, units_time(buf, wait_ns));
    } else if (facts->slots > facts->connections) {
        add_line(notes, "pool of %u saturated: %u requests at a time share it", facts->connections,
                 facts->slots);
    }
}

void verdict_judge(const struct verdict_facts *facts, struct verdict *ret_verdict)
{
    *ret_verdict = (struct verdict){.client_limited = false};
    judge_times(facts, &ret_verdict->reasons);
    judge_used_up(facts, &ret_verdict->reasons);
    judge_logs(facts, &ret_verdict->reasons);
    for (size_t i = 0; i < COUNT(shares); i++) {
        if (shares[i].unscheduled_only && facts->has_schedule) continue;
        judge_share(facts, i, &ret_verdict->reasons);
    }
    note_pool(facts, &ret_verdict->notes);
    ret_verdict->client_limited = ret_verdict->reasons.count > 0;
}

const char *verdict_state(const struct verdict *verdict)
{
    return verdict->client_limited ? "CLIENT-LIMITED" : "VALID";
}
