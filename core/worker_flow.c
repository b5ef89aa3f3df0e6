/* The load of a command line: one flow, closed or open, over the plan's requests. */
#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/worker_impl.h"

/* Open loop: how long before a request is due we stop sleeping, with --spin; and how long the
 * books of what is due may lie while no connection is free to send it. */
#define SPIN_NS  (60 * NS_PER_US)
#define BOOKS_NS NS_PER_MS

static void start(struct worker *w)
{
    w->flow.measured_from_ns = w->measured_from_ns;
    worker_add_due(w, flow_start(&w->flow, w->start_ns, w->end_ns), w->start_ns);
}

static void cut(struct worker *w)
{
    w->flow.end_ns = w->end_ns;
}

static bool is_exhausted(const struct worker *w)
{
    return flow_is_exhausted(&w->flow);
}

/* How many waiting requests have started, since a connect attempt is under way for them. */
static uint64_t count_bound(const struct worker *w)
{
    uint64_t bound = 0;

    for (uint32_t i = 0; i < w->pools_count; i++) {
        bound += min_u64(lanes_pending_of(&w->lanes, i), w->pools[i].connecting);
    }
    return bound;
}

/* Open loop: books what is due by now. */
static void book(struct worker *w)
{
    struct flow *flow = &w->flow;
    struct ledger *l = &w->ledger;

    if (!flow->open) return;
    w->now_ns = clock_now_ns();
    if (unlikely(flow->next_ns < w->measured_from_ns)) {
        uint64_t warm_ns = min_u64(w->now_ns, w->measured_from_ns - 1);

        worker_add_due(w, flow_due(flow, warm_ns), warm_ns);
    }
    worker_add_due(w, flow_due(flow, w->now_ns), w->now_ns);
    l->shed[SHED_FULL] = flow->shed[SHED_FULL];
    l->shed[SHED_WAITED] = flow->shed[SHED_WAITED];
}

/* Connections are kept while anything waits for one or may yet become due. With a bound on
 * attempts pools take turns at them. */
static void maintain(struct worker *w)
{
    bool more = w->phase == PHASE_RUNNING && !flow_is_exhausted(&w->flow);
    uint32_t first = w->table.pace.after;

    for (uint32_t n = 0; n < w->pools_count; n++) {
        uint32_t i = (first + n) % w->pools_count;

        if (more || lanes_pending_of(&w->lanes, i) > 0) pool_maintain(&w->pools[i], w->now_ns);
    }
}

/* Opens what is missing and gives waiting requests to idle connections. */
static void dispatch(struct worker *w)
{
    struct conn *conn;

    if (w->table.free_count > 0) maintain(w); /* Pools want no more than all there are. */
    if (w->table.window_max > 1) {
        worker_fill_windows(w);
        return;
    }
    for (uint32_t i = 0; w->lanes.pending > 0 && i < w->pools_count; i++) {
        while (lanes_pending_of(&w->lanes, i) > 0 &&
               (conn = pool_idle_take(&w->pools[i])) != NULL) {
            worker_fill(w, conn, clock_now_ns());
        }
    }
}

/* Open loop: when the next request is due. With --spin we wake a while before that, and then no
 * longer sleep. */
static uint64_t next_moment(const struct worker *w, uint64_t now_ns)
{
    uint64_t next_ns, due_ns;

    if (!w->flow.open) return TIME_NEVER;
    next_ns = flow_next_shed_ns(&w->flow);
    due_ns = flow_next_due_ns(&w->flow);
    if (due_ns == TIME_NEVER) return next_ns;
    if (w->pools[turns_peek(&w->flow.turns).lane].idle_count == 0) {
        due_ns = max_u64(due_ns, now_ns + BOOKS_NS); /* It could not be sent. */
    } else if (w->plan->spin) {
        due_ns -= min_u64(due_ns, SPIN_NS);
    }
    return min_u64(next_ns, due_ns);
}

const struct worker_load worker_flow_load = {
    .start = start,
    .cut = cut,
    .book = book,
    .dispatch = dispatch,
    .next_ns = next_moment,
    .count_bound = count_bound,
    .end = worker_end_urls,
    .is_exhausted = is_exhausted,
};
