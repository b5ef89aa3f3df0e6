#include "core/worker.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/batch.h"
#include "core/flow.h"
#include "io/cpu.h"
#include "io/pool.h"

enum {
    EVENTS_PER_REAP = 64,
    SQ_ENTRIES_MIN = 64,
    SQ_ENTRIES_MAX = 1024,
    CQ_ENTRIES_MAX = 65536,
    SMALL_BUFFER_BYTES = 4096,
    SMALL_BUFFERS_MAX = 4096,
    LARGE_BUFFER_BYTES = 32 * 1024,
    LARGE_BUFFERS_MAX = 256,
    SMALL_BODY_MAX = 3072, /* Fits a small buffer with its head. */
};

/* Open loop: how long before a request is due we stop sleeping, with --spin; and how long the
 * books of what is due may lie while no connection is free to send it. */
#define SPIN_NS  (60 * NS_PER_US)
#define BOOKS_NS NS_PER_MS

enum phase { PHASE_WAITING, PHASE_RUNNING, PHASE_DRAINING, PHASE_ENDED };

struct worker {
    struct ring *ring;
    struct conn_table table;
    struct timers timers;
    struct pool pool;
    struct flow flow;
    struct mod_interval mod; /* Open loop. */
    struct batch batch;
    struct ledger ledger;
    uint64_t now_ns;      /* Stamped once per reap; in the open loop again before sending. */
    uint64_t turn_end_ns; /* When the last turn went back to waiting. */
    enum phase phase;
    const char *request_bytes; /* The request, window_size times in a row. */
    size_t request_len;        /* Of one. */
    enum http1_asked asked;
    char *id_bytes; /* With ids: [table.count] copies of the above, one each. */
    size_t id_at;
    uint64_t ids_used;
    uint64_t start_ns, end_ns, drain_end_ns;
    uint64_t measured_from_ns; /* Requests due before it belong to the warm-up. */
    uint64_t span_from_ns;     /* End of the warm-up; never after end_ns. */
    uint64_t *free_ns;         /* Open loop: [table.count]; since when a connection is idle. */
    const struct plan *plan;
    struct worker_shared *shared;
    uint32_t index;
    struct worker_totals totals;
    struct ring_counts counts_at_start;
    uint64_t cpu_at_start_ns;
    int wait_fd; /* Of cpu_wait_open(). */
    uint64_t wait_at_start_ns;
    struct arena arena; /* Holds this struct too; sealed once set up. */
};

static uint64_t share_of(uint64_t total, uint32_t workers, uint32_t index)
{
    return total / workers + (index < total % workers);
}

static uint32_t power_of_two(uint64_t at_least, uint32_t low, uint32_t high)
{
    uint32_t size = low;

    while (size < at_least && size < high) {
        size *= 2;
    }
    return size;
}

/* `count` requests became due, the last one at `due_ns`. */
static void add_due(struct worker *w, uint64_t count, uint64_t due_ns)
{
    w->ledger.due += count;
    w->ledger.pending = w->flow.pending;
    if (unlikely(due_ns < w->measured_from_ns)) w->ledger.warmup += count;
}

static void slot_free(struct worker *w, uint64_t now_ns)
{
    if (w->flow.open) return; /* What is due does not wait for what was. */
    add_due(w, flow_slot_free(&w->flow, now_ns), now_ns);
}

static bool is_measured(const struct worker *w, const struct conn_request *request)
{
    return likely(request->due_ns >= w->measured_from_ns);
}

static void on_answered(void *self, struct conn *conn, const struct conn_request *request,
                        const struct conn_answer *answer)
{
    struct worker *w = self;
    struct stats *stats = &w->shared->stats;

    (void)conn;
    w->ledger.in_flight--;
    w->ledger.ok++;
    if (likely(answer->done_ns - w->span_from_ns <= w->end_ns - w->span_from_ns)) {
        w->ledger.ok_in_span++;
    }
    add_relaxed(&stats->status[answer->status], 1);
    if (is_measured(w, request)) {
        hist_record(&stats->from_due, answer->done_ns - request->due_ns);
        hist_record(&stats->from_sent, answer->done_ns - request->sent_ns);
    }
    slot_free(w, answer->done_ns);
}

static void on_failed(void *self, struct conn *conn, const struct conn_request *request,
                      enum failed_class why, uint64_t now_ns)
{
    struct worker *w = self;
    struct stats *stats = &w->shared->stats;
    uint64_t bound_ns = 0;

    (void)conn;
    w->ledger.in_flight--;
    w->ledger.failed[why]++;
    if (why == FAILED_TIMEOUT) bound_ns = w->table.timeout_ns;
    if (why == FAILED_FIRST_BYTE_TIMEOUT) bound_ns = w->table.first_byte_timeout_ns;
    if (bound_ns != 0 && is_measured(w, request)) {
        hist_record(&stats->from_due, request->sent_ns + bound_ns - request->due_ns);
        hist_record(&stats->from_sent, bound_ns);
    }
    slot_free(w, now_ns);
}

static void write_id(char *to, uint32_t worker, uint64_t number)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t id = (uint64_t)worker << 48 | number;

    for (int i = PLAN_ID_DIGITS - 1; i >= 0; i--) {
        to[i] = digits[id & 15];
        id >>= 4;
    }
}

/* The bytes of `count` requests: the same for all, or the connection's own copy with fresh ids. */
static const char *bytes_for(struct worker *w, const struct conn *conn, uint32_t count)
{
    char *own;

    if (w->id_bytes == NULL) return w->request_bytes;
    own = w->id_bytes + (size_t)conn->slot * w->table.window_size * w->request_len;
    for (uint32_t i = 0; i < count; i++) {
        write_id(own + i * w->request_len + w->id_at, w->index, w->ids_used++);
    }
    return own;
}

/* Open loop: the request that was due at `due_ns` goes out on `conn` at `sent_ns`. What it had to
 * wait for a connection is not our being late. */
static void note_sent(struct worker *w, const struct conn *conn, uint64_t due_ns, uint64_t sent_ns)
{
    struct stats *stats = &w->shared->stats;
    uint64_t free_ns = w->free_ns[conn->slot];
    uint64_t ready_ns = max_u64(due_ns, free_ns);

    if (due_ns < w->measured_from_ns) return;
    DCHECK(sent_ns >= ready_ns);
    hist_record(&stats->lateness, sent_ns - ready_ns);
    hist_record(&stats->conn_wait, ready_ns - due_ns);
}

/* Sends what waits on `conn`, as far as there is room, or makes it an idle one. */
static void fill(struct worker *w, struct conn *conn, uint64_t now_ns)
{
    uint32_t room = conn_room(&w->table, conn);
    uint32_t count = 0;
    uint64_t due_ns;

    while (count < room && flow_take(&w->flow, &due_ns)) {
        if (w->flow.open) note_sent(w, conn, due_ns, now_ns);
        conn_push(&w->table, conn, due_ns, now_ns, w->asked);
        count++;
    }
    if (count == 0) {
        if (conn->window_count == 0) pool_idle_add(conn->pool, conn);
        return;
    }
    w->ledger.pending = w->flow.pending;
    w->ledger.started += count;
    w->ledger.in_flight += count;
    w->ledger.bytes_sent += count * w->request_len;
    conn_send(&w->table, conn, bytes_for(w, conn, count), count * w->request_len,
              w->id_bytes == NULL && w->table.window_size == 1);
}

static void on_ready(void *self, struct conn *conn, uint64_t now_ns)
{
    struct worker *w = self;

    if (w->flow.open) {
        /* dispatch() sends, once all that came in is run: so `sent` is read from the clock
         * shortly before the kernel gets it. */
        w->free_ns[conn->slot] = now_ns;
        pool_idle_add(conn->pool, conn);
        return;
    }
    fill(w, conn, now_ns);
}

static void on_connect_failed(void *self, struct pool *pool, enum failed_class why, uint64_t now_ns)
{
    struct worker *w = self;
    uint64_t due_ns;

    (void)pool;
    (void)now_ns;
    if (!flow_take(&w->flow, &due_ns)) return;
    w->ledger.pending = w->flow.pending;
    w->ledger.started++;
    w->ledger.failed[why]++;
    if (!w->flow.open) flow_hold_slot(&w->flow);
}

static void on_backoff_ended(void *self, struct pool *pool, uint64_t now_ns)
{
    struct worker *w = self;

    (void)pool;
    add_due(w, flow_release_held(&w->flow, now_ns), now_ns);
}

static void run_events(struct worker *w)
{
    struct ring_event events[EVENTS_PER_REAP];
    uint32_t count;

    do {
        count = ring_reap(w->ring, events, EVENTS_PER_REAP);
        for (uint32_t i = 0; i < count; i++) {
            conn_event(&w->table, &events[i]);
        }
    } while (count == EVENTS_PER_REAP);
}

static void run_timers(struct worker *w)
{
    struct timer *timer;

    while ((timer = timers_take_due(&w->timers, w->now_ns)) != NULL) {
        if (timer->kind == TIMER_CONN) {
            conn_timer(&w->table, timer, w->now_ns);
        } else {
            pool_timer(&w->pool, timer, w->now_ns);
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
    add_due(w, flow_start(&w->flow, start_ns, w->end_ns), start_ns);
}

static void stop(struct worker *w, uint64_t end_ns)
{
    if (w->phase == PHASE_WAITING) start(w, end_ns);
    w->end_ns = min_u64(w->end_ns, max_u64(end_ns, w->start_ns));
    w->span_from_ns = min_u64(w->span_from_ns, w->end_ns);
    w->flow.end_ns = w->end_ns;
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
    uint64_t bound = min_u64(l->pending, w->pool.connecting);

    /* A waiting request for which a connect attempt is under way has started. */
    l->started += bound;
    l->cut_off += l->in_flight + bound;
    l->missed[MISSED_END] += l->pending - bound;
    l->in_flight = 0;
    l->pending = 0;
    end_span(w);
    w->phase = PHASE_ENDED;
    w->totals.ended_ns = min_u64(ended_ns, w->end_ns);
    /* The last answer may be later than the moment at which its batch was reaped. */
    w->totals.drained_ns = max_u64(w->now_ns, w->totals.ended_ns);
    w->totals.cpu_ns = cpu_thread_ns() - w->cpu_at_start_ns;
    w->totals.batch_wait_us = w->batch.used_us;
    w->totals.ring = *counts;
    w->totals.ring.syscalls -= w->counts_at_start.syscalls;
    w->totals.ring.enters -= w->counts_at_start.enters;
    w->totals.ring.completions -= w->counts_at_start.completions;
    CHECK(ledger_closes(l));
}

static void take_orders(struct worker *w)
{
    struct mail mail;

    while (mailbox_take(&w->shared->orders, &mail)) {
        switch ((enum order_kind)mail.kind) {
        case ORDER_START: start(w, mail.value); break;
        case ORDER_STOP: stop(w, mail.value); break;
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
        if (nothing_open && flow_is_exhausted(&w->flow)) {
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

/* Open loop: books what is due by now. */
static void take_due(struct worker *w)
{
    struct flow *flow = &w->flow;
    struct ledger *l = &w->ledger;
    uint32_t idle = w->pool.idle_count;

    w->now_ns = clock_now_ns();
    if (unlikely(flow->next_ns < w->measured_from_ns)) {
        uint64_t warm_ns = min_u64(w->now_ns, w->measured_from_ns - 1);

        add_due(w, flow_due(flow, warm_ns, idle), warm_ns);
    }
    add_due(w, flow_due(flow, w->now_ns, idle), w->now_ns);
    l->shed[SHED_FULL] = flow->shed[SHED_FULL];
    l->shed[SHED_WAITED] = flow->shed[SHED_WAITED];
}

/* Opens what is missing and gives waiting requests to idle connections. */
static void dispatch(struct worker *w)
{
    struct conn *conn;

    /* Connections are kept while anything waits for one or may yet become due. */
    if (w->flow.pending > 0 || (w->phase == PHASE_RUNNING && !flow_is_exhausted(&w->flow))) {
        pool_maintain(&w->pool, w->now_ns);
    }
    while (w->flow.pending > 0 && (conn = pool_idle_take(&w->pool)) != NULL) {
        fill(w, conn, clock_now_ns());
    }
}

/* When there is something to do even if nothing completes. */
static uint64_t next_moment(const struct worker *w)
{
    uint64_t next_ns = timers_next_ns(&w->timers);

    if (w->phase == PHASE_RUNNING) next_ns = min_u64(next_ns, w->end_ns);
    if (w->phase == PHASE_DRAINING) next_ns = min_u64(next_ns, w->drain_end_ns);
    return next_ns;
}

/* The same in an open loop. With --spin we wake a while before a request is due, and then no
 * longer sleep. */
static uint64_t next_moment_open(const struct worker *w, uint64_t now_ns)
{
    uint64_t next_ns = min_u64(next_moment(w), flow_next_shed_ns(&w->flow));
    uint64_t due_ns = flow_next_due_ns(&w->flow);

    if (due_ns == TIME_NEVER) return next_ns;
    if (w->pool.idle_count == 0) {
        due_ns = max_u64(due_ns, now_ns + BOOKS_NS); /* It could not be sent. */
    } else if (w->plan->spin) {
        due_ns -= min_u64(due_ns, SPIN_NS);
    }
    return min_u64(next_ns, due_ns);
}

bool worker_step(struct worker *w)
{
    uint64_t next_ns = w->flow.open ? next_moment_open(w, w->turn_end_ns) : next_moment(w);
    struct ring_wait wait = {.timeout_ns = TIME_NEVER};
    bool is_running = w->phase == PHASE_RUNNING;
    uint64_t reaped_ns;

    CHECK(w->phase != PHASE_ENDED);
    if (next_ns != TIME_NEVER) {
        wait.timeout_ns = next_ns > w->turn_end_ns ? next_ns - w->turn_end_ns : 0;
    }
    if (is_running) batch_choose(&w->batch, &wait);
    ring_wait(w->ring, &wait);
    reaped_ns = clock_now_ns();
    w->now_ns = reaped_ns;
    run_events(w);
    run_timers(w);
    take_orders(w);
    if (w->phase != PHASE_WAITING) {
        batch_note(&w->batch, w->now_ns, ring_counts(w->ring)->completions);
        if (w->flow.open) take_due(w);
        dispatch(w);
        advance(w);
    }
    DCHECK(ledger_closes(&w->ledger));
    ledger_publish(&w->shared->ledger, &w->ledger);
    note_turn(w, reaped_ns, is_running);
    return w->phase != PHASE_ENDED;
}

static enum ring_engine engine_of(enum plan_io io)
{
    switch (io) {
    case PLAN_IO_AUTO: return RING_AUTO;
    case PLAN_IO_URING: return RING_URING;
    case PLAN_IO_EPOLL: return RING_EPOLL;
    }
    UNREACHABLE("an engine without a name");
}

static enum err open_ring(struct worker *w, struct err_info *why)
{
    uint32_t conns = w->table.count;
    struct ring_options options = {
        .engine = engine_of(w->plan->io),
        .sq_entries = power_of_two(conns, SQ_ENTRIES_MIN, SQ_ENTRIES_MAX),
        .cq_entries = power_of_two(UINT64_C(2) * conns, 2 * SQ_ENTRIES_MIN, CQ_ENTRIES_MAX),
        .socks_count = conns,
        .accept_from = conns,
        .buffer_bytes = {SMALL_BUFFER_BYTES, LARGE_BUFFER_BYTES},
        .buffers_count = {power_of_two(UINT64_C(2) * conns, 64, SMALL_BUFFERS_MAX),
                          power_of_two(UINT64_C(2) * conns, 16, LARGE_BUFFERS_MAX)},
    };

    return ring_open(&w->ring, &options, why);
}

/* Lays the request out: window_size times in a row, and with ids once more per connection. */
static bool lay_out_requests(struct worker *w)
{
    const struct plan_request *request = &w->plan->requests[0];
    uint32_t window = w->table.window_size;
    char *bytes = arena_array(&w->arena, window, request->len);
    size_t all = (size_t)window * request->len;

    if (bytes == NULL) return false;
    for (uint32_t i = 0; i < window; i++) {
        memcpy(bytes + i * request->len, request->bytes, request->len);
    }
    w->request_bytes = bytes;
    w->request_len = request->len;
    w->id_at = request->id_at;
    w->asked = HTTP1_ASKED_OTHER;
    if (strcmp(request->method, "HEAD") == 0) w->asked = HTTP1_ASKED_HEAD;
    if (strcmp(request->method, "CONNECT") == 0) w->asked = HTTP1_ASKED_CONNECT;
    if (!w->plan->ids) return true;
    w->id_bytes = arena_array(&w->arena, w->table.count, all);
    if (w->id_bytes == NULL) return false;
    for (uint32_t i = 0; i < w->table.count; i++) {
        memcpy(w->id_bytes + i * all, bytes, all);
    }
    return true;
}

static bool init_table(struct worker *w)
{
    struct ledger *l = &w->ledger;
    struct timer **heap = arena_array(&w->arena, (size_t)w->table.count + 2, sizeof(void *));

    if (heap == NULL) return false;
    timers_init(&w->timers, heap, w->table.count + 1); /* One per connection, one per pool. */
    w->table.ring = w->ring;
    w->table.timers = &w->timers;
    w->table.owner = (struct conn_owner){
        .self = w, .answered = on_answered, .failed = on_failed, .ready = on_ready};
    w->table.counts = (struct conn_counts){
        .bytes_received = &l->bytes_received,
        .closed_by_peer = &l->closed_by_peer,
        .unsolicited_idle = &l->unsolicited_idle,
        .conflicting = &l->conflicting,
        .interim = &l->interim,
        .alive = &l->alive,
        .alive_max = &l->alive_max,
    };
    w->table.one_request_each = !w->plan->keepalive;
    w->table.head_bytes_max = HTTP1_HEAD_BYTES_MAX;
    w->table.small_body_max = SMALL_BODY_MAX;
    w->table.connect_timeout_ns = w->plan->connect_timeout_ns;
    w->table.timeout_ns = w->plan->timeout_ns;
    w->table.first_byte_timeout_ns =
        w->plan->first_byte_timeout_ns == 0 ? TIME_NEVER : w->plan->first_byte_timeout_ns;
    return conn_table_init(&w->table, &w->arena);
}

static void init_pool(struct worker *w, const struct addresses *addresses)
{
    struct ledger *l = &w->ledger;

    w->pool.table = &w->table;
    w->pool.owner = (struct pool_owner){
        .self = w, .connect_failed = on_connect_failed, .backoff_ended = on_backoff_ended};
    w->pool.counts = (struct pool_counts){.connects = &l->connects,
                                          .connects_refused = &l->connects_refused,
                                          .connects_failed = &l->connects_failed,
                                          .opened = &l->opened};
    w->pool.addresses = *addresses;
    w->pool.wanted = w->table.count;
    pool_init(&w->pool);
}

static bool init_open_flow(struct worker *w, uint64_t requests_max)
{
    const struct plan *plan = w->plan;
    struct flow_open options = {
        .mod = &w->mod,
        .arrivals = {.kind = plan->arrivals,
                     .workers = plan->workers,
                     .index = w->index,
                     .seed = plan->seed},
        .issued_max = requests_max,
        .wait_max_ns = plan->timeout_ns,
        .pending_max = (uint32_t)share_of(plan->max_pending, plan->workers, w->index),
        .idle_max = w->table.count,
    };

    CHECK(plan->pipeline == 1);
    w->free_ns = arena_array(&w->arena, w->table.count, sizeof(*w->free_ns));
    return w->free_ns != NULL &&
           mod_interval_init(&w->mod, &w->arena, plan->stages, plan->stages_count) &&
           flow_init_open(&w->flow, &w->arena, &options);
}

static bool init_flow(struct worker *w)
{
    const struct plan *plan = w->plan;
    uint32_t slots =
        (uint32_t)share_of(plan->connections, plan->workers, w->index) * plan->pipeline;
    uint64_t requests_max = share_of(plan->requests_max, plan->workers, w->index);
    bool done = plan->open_loop ? init_open_flow(w, requests_max)
                                : flow_init(&w->flow, &w->arena, slots, requests_max);

    /* A counted run in which this worker has no share. */
    if (plan->requests_max != 0 && requests_max == 0) w->flow.issued_max = 0;
    return done;
}

static bool init_memory(struct worker *w, const struct worker_options *options)
{
    if (!init_table(w) || !lay_out_requests(w) || !init_flow(w)) return false;
    if (!stats_init(&w->shared->stats, options->stats_arena)) return false;
    init_pool(w, options->addresses);
    arena_seal(&w->arena);
    return true;
}

enum err worker_new(struct worker **ret_worker, const struct worker_options *options,
                    struct err_info *why)
{
    const struct plan *plan = options->plan;
    uint64_t cap = plan->connections_max == 0 ? plan->connections : plan->connections_max;
    struct arena arena;
    struct worker *w;
    enum err err;

    arena_init(&arena, 0);
    w = arena_alloc(&arena, sizeof(*w), CACHE_LINE);
    if (w == NULL) return err_set(why, ERR_MEMORY, ENOMEM, "no memory for a worker");
    w->arena = arena;
    w->plan = plan;
    w->shared = options->shared;
    w->index = options->index;
    w->wait_fd = cpu_wait_open();
    w->turn_end_ns = clock_now_ns();
    w->table.window_size = power_of_two(plan->pipeline, 1, 1u << 16);
    w->table.count = (uint32_t)min_u64(share_of(plan->connections, plan->workers, options->index),
                                       share_of(cap, plan->workers, options->index));
    CHECK(w->table.count > 0);
    err = open_ring(w, why);
    if (err == ERR_OK && !init_memory(w, options)) {
        err = err_set(why, ERR_MEMORY, ENOMEM, "no memory for %u connections", w->table.count);
    }
    if (err != ERR_OK) {
        worker_free(w);
        return err;
    }
    batch_init(&w->batch, plan->batch_wait && !plan->open_loop && ring_facts(w->ring)->min_wait,
               w->table.count);
    *ret_worker = w;
    return ERR_OK;
}

void worker_free(struct worker *w)
{
    struct arena arena;

    if (w == NULL) return;
    ring_close(w->ring);
    if (w->wait_fd >= 0) (void)close(w->wait_fd);
    arena = w->arena;
    arena_release(&arena);
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

void worker_wake(struct worker *w)
{
    ring_wake(w->ring);
}
