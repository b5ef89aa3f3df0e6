#include "core/watch.h"

#include "core/base/clock.h"
#include "io/cpu.h"

/* A wait that ends so much too late means that the program stood still. */
#define LATE_NS (50 * NS_PER_MS)
/* Shares of less than this are not told. */
#define SPAN_MIN_NS (100 * NS_PER_MS)

static bool span_is_over(const struct coord *coord, uint64_t now_ns)
{
    return coord->phase == COORD_ENDED || coord->ended > 0 || coord->stops_seen > 0 ||
           now_ns - coord->start_ns >= coord->plan->duration_ns;
}

uint64_t watch_step(struct watch *watch, const struct coord *coord, uint64_t now_ns)
{
    uint64_t left_ns;

    if (coord->phase == COORD_SETUP || watch->ended) return TIME_NEVER;
    if (!watch->begun) {
        watch->begun = true;
        health_read(&watch->begin, "/proc", clock_now_ns());
        watch->begin_cpu_ns = cpu_process_ns();
    }
    if (span_is_over(coord, now_ns)) {
        watch->ended = true;
        health_read(&watch->end, "/proc", clock_now_ns());
        watch->end_cpu_ns = cpu_process_ns();
        return TIME_NEVER;
    }
    left_ns = coord->plan->duration_ns - (now_ns - coord->start_ns);
    return left_ns < TIME_NEVER - now_ns ? now_ns + left_ns : TIME_NEVER;
}

void watch_woke(struct watch *watch, uint64_t until_ns, uint64_t now_ns)
{
    if (!watch->begun || watch->ended || now_ns < until_ns) return;
    if (now_ns - until_ns > LATE_NS) watch->stood_still_ns += now_ns - until_ns;
}

static double share_of(uint64_t part_ns, uint64_t whole_ns)
{
    if (whole_ns < SPAN_MIN_NS) return -1;
    return part_ns < whole_ns ? (double)part_ns / (double)whole_ns : 1;
}

/* CPU time of all threads that are no workers: they may have run on any worker's processor. */
static uint64_t others_cpu_ns(const struct watch *watch, const struct worker_span *const *spans,
                              uint32_t workers)
{
    uint64_t all_ns = watch->end_cpu_ns - watch->begin_cpu_ns, workers_ns = 0;

    for (uint32_t i = 0; i < workers; i++) {
        workers_ns += spans[i]->cpu_ns;
    }
    return all_ns > workers_ns ? all_ns - workers_ns : 0;
}

static void take_max(double *most, double value)
{
    if (value > *most) *most = value;
}

static void judge_workers(const struct watch *watch, const struct worker_span *const *spans,
                          struct result *result)
{
    uint32_t workers = result->plan->workers;
    uint64_t others_ns = others_cpu_ns(watch, spans, workers);
    struct result_health *health = &result->health;

    for (uint32_t i = 0; i < workers; i++) {
        const struct worker_span *span = spans[i];
        struct result_worker *worker = &result->workers[i];
        struct health_core core =
            health_core(&watch->begin, &watch->end, worker->cpu, span->cpu_ns + others_ns);

        worker->shares = (struct verdict_worker){
            .used = share_of(span->cpu_ns, span->span_ns),
            .waited = span->wait_known ? share_of(span->wait_ns, span->span_ns) : -1,
            .stalled = share_of(span->stalled_ns, span->span_ns),
            .foreign = core.foreign,
            .steal = core.steal,
        };
        take_max(&health->foreign_cpu, worker->shares.foreign);
        take_max(&health->steal, worker->shares.steal);
        take_max(&health->cpu_wait, worker->shares.waited);
        take_max(&health->stalled, worker->shares.stalled);
    }
}

void watch_judge(const struct watch *watch, const struct worker_span *const *spans,
                 struct result *result)
{
    const struct plan *plan = result->plan;
    const uint64_t *failed = result->ledger.failed;
    uint32_t cap = plan->connections_max != 0 ? plan->connections_max : plan->connections;
    struct verdict_facts facts = {
        .has_schedule = plan->open_loop,
        .ledger_open = !result_closes(result),
        .no_ports = failed[FAILED_PORTS],
        .no_descriptors = failed[FAILED_DESCRIPTORS],
        .cq_overflow = result->cq_overflow,
        .log_held = result->ledger.missed[MISSED_LOGGER],
        .workers_count = plan->workers,
        .lateness = result->lateness,
        .loop_lag = result->loop_lag,
        .conn_wait = result->conn_wait,
        .connections = cap,
        .slots = plan->open_loop ? 0 : plan->connections,
    };
    struct verdict_worker shares[PLAN_WORKERS_MAX];

    result->health = (struct result_health){
        .steal = -1, .foreign_cpu = -1, .cpu_wait = -1, .stalled = -1, .stood_still = -1};
    if (!watch->ended) return; /* It was over before it began. */
    judge_workers(watch, spans, result);
    result->health.stood_still =
        share_of(watch->stood_still_ns, watch->end.at_ns - watch->begin.at_ns);
    result->health.retransmits_known =
        health_retransmits(&watch->begin, &watch->end, &result->health.retransmits);
    for (uint32_t i = 0; i < plan->workers; i++) {
        shares[i] = result->workers[i].shares;
    }
    facts.stood_still = result->health.stood_still;
    facts.workers = shares;
    verdict_judge(&facts, &result->verdict);
}
