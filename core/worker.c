#include "core/worker.h"

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/runner.h"
#include "core/worker_impl.h"
#include "io/cpu.h"

enum { EVENTS_PER_REAP = 64, REAPS_PER_TURN = 32 };

/* Handles completions, but not without end: where many sends are queued the kernel takes them
 * during this, and their completions come behind. What is left waits for the clock and the timers.
 */
static void run_events(struct worker *w)
{
    struct ring_event events[EVENTS_PER_REAP];
    uint32_t count, reaps = 0;

    do {
        count = ring_reap(w->ring, events, EVENTS_PER_REAP);
        conn_tls_note_events(&w->table, events, count);
        for (uint32_t i = 0; i < count; i++) {
            conn_event(&w->table, &events[i]);
        }
    } while (count == EVENTS_PER_REAP && ++reaps < REAPS_PER_TURN);
}

static void run_timers(struct worker *w)
{
    struct timer *timer;

    while ((timer = timers_take_due(&w->timers, w->now_ns)) != NULL) {
        if (timer->kind == TIMER_CONN) {
            conn_timer(&w->table, timer, w->now_ns);
        } else {
            pool_timer(container_of(timer, struct pool, backoff), timer, w->now_ns);
        }
    }
}

static void start(struct worker *w, uint64_t start_ns)
{
    CHECK(w->phase == PHASE_WAITING);
    w->phase = PHASE_RUNNING;
    w->start_ns = start_ns;
    w->end_ns =
        w->plan->duration_ns > TIME_NEVER - start_ns ? TIME_NEVER : start_ns + w->plan->duration_ns;
    w->span_from_ns = min_u64(start_ns + w->plan->warmup_ns, w->end_ns);
    /* A request that is due just when the warm-up ends belongs to it, as one that is due just at
     * the end belongs to the run. */
    if (w->plan->warmup_ns > 0) w->measured_from_ns = start_ns + w->plan->warmup_ns + 1;
    w->counts_at_start = *ring_counts(w->ring);
    w->cpu_at_start_ns = cpu_thread_ns();
    w->totals.span.wait_known = cpu_wait_ns(w->wait_fd, &w->wait_at_start_ns);
    if (w->plan->connect_rate_per_s > 0) {
        pace_start(&w->table.pace, w->plan->connect_rate_per_s, w->plan->workers, w->index,
                   start_ns);
    }
    w->load->start(w);
}

static void stop(struct worker *w, uint64_t end_ns)
{
    if (w->phase == PHASE_WAITING) start(w, end_ns);
    w->end_ns = min_u64(w->end_ns, max_u64(end_ns, w->start_ns));
    w->span_from_ns = min_u64(w->span_from_ns, w->end_ns);
    w->load->cut(w);
}

/* Notes what the thread had of its processor, when its part of the run ends. */
static void end_span(struct worker *w)
{
    struct worker_span *span = &w->totals.span;
    uint64_t wait_ns = 0;

    if (span->span_ns != 0) return; /* Known already. */
    span->span_ns = max_u64(w->now_ns, w->start_ns + 1) - w->start_ns;
    span->cpu_ns = cpu_thread_ns() - w->cpu_at_start_ns;
    span->wait_known = span->wait_known && cpu_wait_ns(w->wait_fd, &wait_ns);
    if (span->wait_known) span->wait_ns = wait_ns - w->wait_at_start_ns;
}

/* Notes how long a turn took that began, at `from_ns`, while the run was on. The one that starts
 * the run is left out: it opens all connections, and no request can be sent before that. */
static void note_turn(struct worker *w, uint64_t from_ns, bool was_running)
{
    uint64_t lag_ns;

    w->turn_end_ns = clock_now_ns();
    if (!was_running) return;
    lag_ns = w->turn_end_ns - from_ns;
    hist_record(&w->shared->stats.loop_lag, lag_ns);
    if (lag_ns > WORKER_TURN_LONG_NS) w->totals.span.stalled_ns += lag_ns;
}

static void end_run(struct worker *w, uint64_t ended_ns)
{
    struct ledger *l = &w->ledger;
    const struct ring_counts *counts = ring_counts(w->ring);
    uint64_t bound = w->load->count_bound(w);

    l->started += bound;
    l->cut_off += l->in_flight + bound;
    l->missed[MISSED_END] += l->pending - bound;
    l->in_flight = 0;
    l->pending = 0;
    w->load->end(w);
    end_span(w);
    w->phase = PHASE_ENDED;
    w->totals.ended_ns = min_u64(ended_ns, w->end_ns);
    /* The last answer may be later than the moment at which its batch was reaped. */
    w->totals.drained_ns = max_u64(w->now_ns, w->totals.ended_ns);
    w->totals.cpu_ns = cpu_thread_ns() - w->cpu_at_start_ns;
    w->totals.batch_wait_us = w->batch.used_us;
    w->totals.ring = *counts;
    w->totals.ring.short_sends += w->table.short_sends;
    w->totals.ring.syscalls -= w->counts_at_start.syscalls;
    w->totals.ring.enters -= w->counts_at_start.enters;
    w->totals.ring.completions -= w->counts_at_start.completions;
    CHECK(ledger_closes(l));
}

/* Puts a list in the place of another one. */
static void take_addresses(struct worker *w, const struct order_addresses *order)
{
    CHECK(!w->readdressing);
    for (uint32_t i = 0; i < w->pools_count; i++) {
        if (w->pools[i].addresses == order->old) pool_readdress(&w->pools[i], order->fresh);
    }
    w->readdressing = true;
}

/* Gives the old list back once no connect is under way to one of its addresses. */
static void return_addresses(struct worker *w)
{
    bool posted;

    for (uint32_t i = 0; i < w->pools_count; i++) {
        if (!pool_is_settled(&w->pools[i])) return;
    }
    w->readdressing = false;
    /* The coordinator will see it soon enough without being woken. */
    posted = mailbox_post(&w->shared->news, (struct mail){.kind = NEWS_ADDRESSES});
    CHECK(posted);
}

static void take_orders(struct worker *w)
{
    struct mail mail;

    while (mailbox_take(&w->shared->orders, &mail)) {
        switch ((enum order_kind)mail.kind) {
        case ORDER_START: start(w, mail.value); break;
        case ORDER_STOP: stop(w, mail.value); break;
        case ORDER_ADDRESSES: take_addresses(w, w->shared->addresses); break;
        case ORDER_ABORT:
            stop(w, w->now_ns);
            end_span(w);
            w->phase = PHASE_DRAINING;
            w->drain_end_ns = w->now_ns;
            break;
        }
    }
}

/* Moves from running to draining to ended. */
static void advance(struct worker *w)
{
    bool nothing_open = w->ledger.in_flight == 0 && w->ledger.pending == 0;

    if (w->phase == PHASE_RUNNING) {
        if (nothing_open && w->load->is_exhausted(w)) {
            end_run(w, w->table.done_ns > w->start_ns ? w->table.done_ns : w->now_ns);
            return;
        }
        if (w->now_ns < w->end_ns) return;
        end_span(w);
        w->phase = PHASE_DRAINING;
        w->drain_end_ns = w->end_ns + w->plan->drain_ns;
    }
    if (w->phase == PHASE_DRAINING && (nothing_open || w->now_ns >= w->drain_end_ns)) {
        end_run(w, w->end_ns);
    }
}

/* When there is something to do even if nothing completes. */
static uint64_t next_moment(const struct worker *w)
{
    uint64_t next_ns = min_u64(timers_next_ns(&w->timers), pace_next_ns(&w->table.pace));

    if (w->phase == PHASE_RUNNING) next_ns = min_u64(next_ns, w->end_ns);
    if (w->phase == PHASE_DRAINING) next_ns = min_u64(next_ns, w->drain_end_ns);
    return next_ns;
}

bool worker_step(struct worker *w)
{
    uint64_t next_ns = min_u64(next_moment(w), w->load->next_ns(w, w->turn_end_ns));
    struct ring_wait wait = {.timeout_ns = TIME_NEVER};
    bool is_running = w->phase == PHASE_RUNNING;
    uint64_t reaped_ns;

    CHECK(w->phase != PHASE_ENDED);
    if (next_ns != TIME_NEVER) {
        wait.timeout_ns = next_ns > w->turn_end_ns ? next_ns - w->turn_end_ns : 0;
    }
    if (unlikely(w->unsettled)) wait.timeout_ns = 0;
    if (is_running) batch_choose(&w->batch, &wait);
    ring_wait(w->ring, &wait);
    reaped_ns = clock_now_ns();
    w->now_ns = reaped_ns;
    w->table.batch++;
    pace_turn(&w->table.pace);
    run_events(w);
    if (w->alike.count > 0) worker_book_alike(w);
    run_timers(w);
    take_orders(w);
    if (unlikely(w->readdressing)) return_addresses(w);
    if (w->phase != PHASE_WAITING) {
        batch_note(&w->batch, w->now_ns, ring_counts(w->ring)->completions);
        w->load->book(w);
        w->load->dispatch(w);
        advance(w);
    }
    DCHECK(ledger_closes(&w->ledger));
    ledger_publish(&w->shared->ledger, &w->ledger);
    note_turn(w, reaped_ns, is_running);
    return w->phase != PHASE_ENDED;
}

const struct worker_totals *worker_totals(const struct worker *w)
{
    CHECK(w->phase == PHASE_ENDED);
    return &w->totals;
}

const struct ring_facts *worker_ring_facts(const struct worker *w)
{
    return ring_facts(w->ring);
}

bool worker_is_broken(const struct worker *w)
{
    return w->runner != NULL && runner_failure(w->runner, &w->shared->broken) != ERR_OK;
}

bool worker_is_killed(const struct worker *w)
{
    return w->runner != NULL && runner_is_killed(w->runner);
}

const char *worker_ran_dry(const struct worker *w)
{
    CHECK(w->phase == PHASE_ENDED);
    return w->runner == NULL ? NULL : runner_ran_dry(w->runner);
}

const char *worker_deadlock(const struct worker *w)
{
    CHECK(w->phase == PHASE_ENDED);
    return w->runner == NULL ? NULL : runner_deadlock(w->runner);
}

void worker_add_dropped(const struct worker *w, uint32_t index, struct result_dropped *sum)
{
    CHECK(w->phase == PHASE_ENDED);
    if (w->runner != NULL) runner_add_dropped(w->runner, index, sum);
}

void worker_wake(struct worker *w)
{
    ring_wake(w->ring);
}
