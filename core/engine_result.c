/* What a run found, gathered from its workers, its coordinator and its watch. */
#include "core/engine_impl.h"
#include "core/result_stats.h"
#include "core/result_urls.h"
#include "core/thresholds.h"
#include "io/cpu.h"
#include "tls/tls_ctx.h"

/* Adds what one worker found. */
static void add_worker(struct result *result, const struct crew *crew,
                       struct result_worker *ret_worker)
{
    const struct worker_totals *totals = &crew->totals;

    ret_worker->cpu = crew->cpu;
    ret_worker->cpu_ns = totals->cpu_ns;
    ledger_read(&crew->shared->ledger, &ret_worker->ledger);
    ledger_add(&result->ledger, &ret_worker->ledger);
    result->syscalls += totals->ring.syscalls;
    result->enters += totals->ring.enters;
    result->completions += totals->ring.completions;
    result->no_buffers += totals->ring.no_buffers;
    result->cq_overflow += totals->ring.cq_overflow;
    result->short_sends += totals->ring.short_sends;
    if (totals->batch_wait_us > result->batch_wait_us) {
        result->batch_wait_us = totals->batch_wait_us;
    }
}

/* Which engine it was. Where workers differ, since memlock is per user, the first one that has
 * not all it should have is told of. */
static void name_engine(struct engine *engine)
{
    struct result *result = &engine->result;

    result->engine = worker_ring_facts(engine->crew[0].worker)->engine;
    result->fallback = result->shrunk = "";
    for (uint32_t i = 0; i < engine->plan->workers; i++) {
        const struct ring_facts *facts = worker_ring_facts(engine->crew[i].worker);

        if (facts->fallback[0] != '\0' && result->fallback[0] == '\0') {
            result->engine = facts->engine;
            result->fallback = facts->fallback;
        }
        if (result->shrunk[0] == '\0') result->shrunk = facts->shrunk;
    }
}

static bool judge(struct engine *engine)
{
    uint32_t workers = engine->plan->workers;
    const struct worker_span **spans =
        arena_array(&engine->arena, workers, sizeof(struct worker_span *));

    if (spans == NULL) return false;
    for (uint32_t i = 0; i < workers; i++) {
        spans[i] = &engine->crew[i].totals.span;
    }
    watch_judge(engine->watch, spans, &engine->result);
    return true;
}

static bool fill_urls(struct engine *engine)
{
    uint32_t workers = engine->plan->workers;
    const struct stats_urls **urls =
        arena_array(&engine->arena, workers, sizeof(struct stats_urls *));

    if (urls == NULL) return false;
    for (uint32_t i = 0; i < workers; i++) {
        urls[i] = &engine->crew[i].shared->urls;
    }
    return result_urls_fill(&engine->result, urls, workers, &engine->arena);
}

/* Cuts the run of `run_ns` into warm-up and span, and says what was asked for in the latter. */
static void fill_span(struct engine *engine, uint64_t run_ns)
{
    const struct plan *plan = engine->plan;
    struct result *result = &engine->result;

    result->warmup_ns = min_u64(plan->warmup_ns, run_ns);
    result->span_ns = run_ns - result->warmup_ns;
    if (!plan->open_loop) return;
    result->asked_per_s = mod_interval_mean_per_s(&engine->mod, result->warmup_ns, run_ns);
}

static bool fill_rates(struct engine *engine)
{
    const struct rates *rates = engine->coord.rates;
    struct hist_view *view;

    if (rates == NULL) return true;
    view = arena_array(&engine->arena, 1, sizeof(*view));
    if (view == NULL) return false;
    hist_view_clear(view);
    hist_view_add(view, &rates->per_s);
    engine->result.per_s = view;
    return true;
}

/* Gathers the rows, if there are any. */
static bool gather_rows(struct engine *engine)
{
    struct result *result = &engine->result;
    uint32_t workers = engine->plan->workers;

    if (engine->plan->rows_max == 0) return true;
    result->rows = arena_array(&engine->arena, workers, sizeof(struct rows *));
    if (result->rows == NULL) return false;
    for (uint32_t i = 0; i < workers; i++) {
        const struct rows *rows = &engine->crew[i].shared->rows;

        result->rows[i] = rows;
        result->rows_kept += rows->count;
        result->rows_not_kept += rows->not_kept;
    }
    return true;
}

/* Whether a test that ended for want of values did so well before its time (docs/test-file.md). */
static bool ended_early(uint64_t duration_ns, uint64_t run_ns)
{
    return run_ns < min_u64(duration_ns / 10 * 9, duration_ns - min_u64(duration_ns, NS_PER_S));
}

/* The statistics of a test file, which rest on all others. */
static bool fill_test(struct engine *engine, uint64_t drained_ns)
{
    struct result_test *test;

    if (engine->buckets == NULL) return true;
    test = arena_array(&engine->arena, 1, sizeof(*test));
    if (test == NULL) return false;
    buckets_end(engine->buckets, drained_ns);
    test->groups_differ = !buckets_close(engine->buckets);
    test->last = buckets_last(engine->buckets);
    if (!engine_fill_waits(engine, test) || !engine_fill_dropped(engine, test)) return false;
    engine->result.test = test;
    return thresholds_judge(engine->test->test, &engine->result, &engine->arena, test);
}

/* True if a worker could not go on; says why, or what ran dry. */
static bool find_deadlock(struct engine *engine)
{
    struct result *result = &engine->result;

    for (uint32_t i = 0; i < engine->plan->workers && result->deadlock == NULL; i++) {
        result->deadlock = worker_deadlock(engine->crew[i].worker);
        if (result->ran_dry == NULL) result->ran_dry = worker_ran_dry(engine->crew[i].worker);
    }
    return result->deadlock != NULL;
}

bool engine_fill_result(struct engine *engine)
{
    struct result *result = &engine->result;
    struct coord *coord = &engine->coord;
    uint32_t workers = engine->plan->workers;
    uint64_t ended_ns = coord->start_ns, drained_ns = coord->start_ns;

    result->plan = engine->plan;
    result->tls_library = tls_library();
    result->workers = arena_array(&engine->arena, workers, sizeof(struct result_worker));
    result->start_ns = coord->start_ns;
    if (result->workers == NULL || !gather_rows(engine)) return false;
    if (!result_stats_init(result, engine->plan->open_loop, &engine->arena)) return false;
    for (uint32_t i = 0; i < workers; i++) {
        const struct crew *crew = &engine->crew[i];

        add_worker(result, crew, &result->workers[i]);
        if (!result_stats_add(result, &crew->shared->stats, &engine->arena)) return false;
        ended_ns = max_u64(ended_ns, crew->totals.ended_ns);
        drained_ns = max_u64(drained_ns, crew->totals.drained_ns);
    }
    result_stats_end(result);
    if (!fill_urls(engine)) return false;
    name_engine(engine);
    coord_end_series(coord, drained_ns);
    result->series = coord->series;
    if (!fill_rates(engine)) return false;
    if (engine->names.resolver != NULL) result->names = &engine->names.counts;
    result->started_wall_ns = engine->wall_ns;
    fill_span(engine, ended_ns - coord->start_ns);
    result->drained_ns = drained_ns - ended_ns;
    if (!fill_test(engine, drained_ns)) return false;
    result->cpu_ns = engine->cpu_end_ns - engine->cpu_start_ns;
    result->rss_kib = cpu_rss_max_kib();
    result->readings_open = coord->readings_open;
    result->broken = coord->broken;
    if (engine->test != NULL) result->loggers = engine->test->loggers;
    if (coord->broken != NULL) {
        result->end = END_BROKEN;
    } else if (coord->is_killed) {
        result->end = END_KILLED;
    } else if (coord->stops_seen > 0) {
        result->end = END_INTERRUPTED;
    } else if (ended_ns - coord->start_ns >= engine->plan->duration_ns) {
        result->end = END_DURATION;
    } else if (find_deadlock(engine)) {
        result->end = END_DEADLOCK;
    } else if (engine->test != NULL) {
        result->end = ended_early(engine->plan->duration_ns, ended_ns - coord->start_ns)
                          ? END_PROVIDERS
                          : END_DURATION;
    } else {
        result->end = END_COUNT;
    }
    return judge(engine);
}
