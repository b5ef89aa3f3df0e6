/* What of a test file is due, and who sends it. */
#include "core/runner.h"

#include <string.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/runner_impl.h"

/* As for the flow of a command line. */
#define SPIN_NS  (60 * NS_PER_US)
#define BOOKS_NS NS_PER_MS

#define LOG_LOOK_NS (5 * NS_PER_MS) /* Whether a full log has room again. */

enum { OUTBOX_BYTES_MIN = 1024, QUIET_BYTES_MAX = 64 * 1024, ROUNDS_MAX = 64 };

/* The heap of endpoints by when their next hit is due. */

static void sift_down(struct runner *runner, uint32_t at)
{
    struct endpoint **heap = runner->heap;
    struct endpoint *endpoint = heap[at];

    for (uint32_t child; (child = 2 * at) <= runner->heap_count; at = child) {
        if (child < runner->heap_count && heap[child + 1]->next_ns < heap[child]->next_ns) child++;
        if (endpoint->next_ns <= heap[child]->next_ns) break;
        heap[at] = heap[child];
    }
    heap[at] = endpoint;
}

static void make_heap(struct runner *runner)
{
    for (uint32_t at = runner->heap_count / 2; at > 0; at--) {
        sift_down(runner, at);
    }
}

void runner_unschedule(struct endpoint *endpoint)
{
    struct runner *runner = endpoint->runner;

    for (uint32_t at = 1; at <= runner->heap_count; at++) {
        if (runner->heap[at] != endpoint) continue;
        endpoint->next_ns = TIME_NEVER;
        sift_down(runner, at);
        return;
    }
}

void runner_touch(struct endpoint *endpoint)
{
    struct runner *runner = endpoint->runner;
    uint32_t at = runner->touched_first + runner->touched_count;

    if (endpoint->is_touched) return;
    endpoint->is_touched = true;
    runner->touched[at % runner->test->endpoints_count] = endpoint;
    runner->touched_count++;
}

static void note_pending(struct runner *runner)
{
    struct worker *w = runner->worker;

    w->ledger.pending = w->lanes.pending + runner->held;
}

/* Moves on to the endpoint's next hit. */
static void advance_schedule(struct endpoint *endpoint)
{
    uint64_t at_ns = arrivals_next(&endpoint->arrivals);

    endpoint->next_ns =
        at_ns == TIME_NEVER ? TIME_NEVER : worker_pattern_ns(endpoint->runner->worker) + at_ns;
}

static void start(struct worker *w)
{
    struct runner *runner = w->runner;

    for (uint32_t i = 0; i < runner->test->endpoints_count; i++) {
        struct endpoint *endpoint = &runner->endpoints[i];

        if (!endpoint->is_here) continue;
        if (endpoint->drive.by_slots) {
            advance_schedule(endpoint);
            runner->heap[++runner->heap_count] = endpoint;
        } else {
            uint64_t over_ns = endpoint->def->duration_ns;

            over_ns -= min_u64(over_ns, w->plan->pattern_from_ns);
            endpoint->drive.until_ns = w->start_ns + over_ns;
        }
        runner_touch(endpoint);
    }
    make_heap(runner);
    if (runner->options.trial != NULL) runner_trial_start(runner);
    runner->ends_changed = true;
    for (uint32_t i = 0; i < runner->test->providers_count; i++) {
        provider_fill(&runner->providers[i]);
    }
    if (runner->options.trial == NULL) runner_check_ends(runner);
}

static void cut(struct worker *w)
{
    (void)w; /* Looked at when hits are booked. */
}

/* Requests that may wait besides those for which a connection is free. */
static bool has_place(const struct runner *runner, const struct endpoint *endpoint)
{
    const struct worker *w = runner->worker;

    return w->lanes.pending < runner->pending_max + endpoint->pool->idle_count &&
           w->lanes.pending <= w->lanes.mask;
}

/* A request became due. */
static void count_due(struct endpoint *endpoint, uint64_t due_ns)
{
    struct worker *w = endpoint->runner->worker;

    w->ledger.due++;
    endpoint->figures->due++;
    if (likely(due_ns >= w->measured_from_ns)) return;
    w->ledger.warmup++;
    endpoint->figures->warmup++;
}

/* Takes all that waits but the newest out of the lane: it was values, or room in a log, that they
 * waited for. */
static void hold_newest(struct endpoint *endpoint)
{
    struct runner *runner = endpoint->runner;
    struct worker *w = runner->worker;
    struct lane_waiting waiting;

    while (lanes_take(&w->lanes, endpoint->index, &waiting)) {
        if (endpoint->is_held) {
            w->ledger.missed[runner_held_for(endpoint)]++;
            endpoint->figures->missed++;
            runner_wait_passed(endpoint);
        } else {
            runner->held++;
            /* What waits for a log waits for no value. */
            endpoint->held_since_ns = endpoint->is_log_held ? TIME_NEVER : waiting.due_ns;
        }
        endpoint->is_held = true;
        endpoint->held_due_ns = waiting.due_ns;
    }
}

/* A hit is due. One that waits for values is held outside of the lanes; the one before it is then
 * missed, since providers' waits skip. */
static void book_hit(struct endpoint *endpoint, uint64_t due_ns)
{
    struct runner *runner = endpoint->runner;
    struct worker *w = runner->worker;
    struct lane_waiting waiting = {.due_ns = due_ns, .lane = (uint16_t)endpoint->index};

    if (endpoint->drive.on_demand) { /* It is due when somebody asks for it. */
        endpoint->drive.is_slot_open = true;
        return;
    }
    count_due(endpoint, due_ns);
    if (endpoint->is_held) {
        w->ledger.missed[runner_held_for(endpoint)]++;
        endpoint->figures->missed++;
        endpoint->held_due_ns = due_ns;
        runner_wait_passed(endpoint);
        return;
    }
    if (unlikely(!has_place(runner, endpoint))) {
        w->ledger.shed[SHED_FULL]++;
        endpoint->figures->shed++;
        return;
    }
    lanes_add(&w->lanes, &waiting);
    /* Values may come in this very turn, and then it is the newest that takes them. */
    if (endpoint->is_gathering && !endpoint->is_complete) hold_newest(endpoint);
    runner_touch(endpoint);
}

/* Sheds what has waited too long for a connection. */
static void shed_old(struct runner *runner, uint64_t now_ns)
{
    struct worker *w = runner->worker;
    const struct lane_waiting *oldest;
    struct lane_waiting shed;

    if (runner->options.trial != NULL) return; /* It waits until the connect fails. */
    while ((oldest = lanes_oldest(&w->lanes)) != NULL &&
           now_ns - min_u64(now_ns, oldest->due_ns) > w->table.timeout_ns) {
        bool taken = lanes_take(&w->lanes, oldest->lane, &shed);

        CHECK(taken);
        runner->endpoints[shed.lane].figures->shed++;
        w->ledger.shed[SHED_WAITED]++;
    }
}

static void book(struct worker *w)
{
    struct runner *runner = w->runner;

    w->now_ns = clock_now_ns();
    runner_barter(runner);
    for (uint32_t i = 0; i < runner->feeds_count; i++) {
        struct feed *feed = runner->feeds_here[i];

        if (feed_poll(feed)) runner->ends_changed = true;
        if (unlikely(feed->err != ERR_OK) && runner->err == ERR_OK) {
            runner->err = feed->err;
            runner->why = feed->why;
        }
    }
    runner_hosts_poll(runner);
    runner_files_poll(runner);
    runner_streams_poll(runner);
    while (runner->heap_count > 0) {
        struct endpoint *endpoint = runner->heap[1];
        uint64_t due_ns = endpoint->next_ns;

        if (due_ns > w->now_ns || due_ns == TIME_NEVER || due_ns > w->end_ns) break;
        advance_schedule(endpoint);
        if (endpoint->next_ns > w->end_ns) runner->ends_changed = true;
        sift_down(runner, 1);
        book_hit(endpoint, due_ns);
    }
    runner_wake_waiting(runner);
    runner_log_poll(runner);
    shed_old(runner, w->now_ns);
    note_pending(runner);
}

/* The held hit goes back where it can be sent from. */
static void unhold(struct endpoint *endpoint)
{
    struct worker *w = endpoint->runner->worker;
    struct lane_waiting waiting = {.due_ns = endpoint->held_due_ns,
                                   .lane = (uint16_t)endpoint->index};

    /* Past its own slot. */
    if (endpoint->held_since_ns < endpoint->held_due_ns) {
        endpoint->waited_ns = w->now_ns - endpoint->held_since_ns;
        endpoint->waited_on = endpoint->waited_for;
    }
    runner_wait_over(endpoint);
    endpoint->is_held = false;
    endpoint->runner->held--;
    lanes_add(&w->lanes, &waiting);
}

static void line_up(struct endpoint *endpoint)
{
    struct ready_line *line = &endpoint->runner->lines[endpoint->pool->index];

    if (endpoint->is_ready) return;
    endpoint->is_ready = true;
    endpoint->ready_next = NULL;
    if (line->last != NULL) {
        line->last->ready_next = endpoint;
    } else {
        line->first = endpoint;
    }
    line->last = endpoint;
}

/* A request is due now: its values are there, and its queues, or others, want it. */
static void book_now(struct endpoint *endpoint)
{
    struct runner *runner = endpoint->runner;
    struct worker *w = runner->worker;
    struct lane_waiting waiting = {.due_ns = w->now_ns, .lane = (uint16_t)endpoint->index};

    if (!has_place(runner, endpoint)) return; /* Looked at again in the next turn. */
    count_due(endpoint, w->now_ns);
    lanes_add(&w->lanes, &waiting);
    endpoint->drive.is_slot_open = false;
}

void runner_prepare(struct endpoint *endpoint)
{
    struct runner *runner = endpoint->runner;
    const struct worker *w = runner->worker;

    if (endpoint->is_ready || !runner_may_gather(endpoint)) return;
    if (!runner_gather(endpoint, w->now_ns)) {
        hold_newest(endpoint);
        return;
    }
    if (unlikely(!runner_log_has_room(endpoint))) {
        runner_log_hold(endpoint);
        hold_newest(endpoint);
        return;
    }
    runner_log_unhold(endpoint);
    if (endpoint->is_held) unhold(endpoint);
    if (lanes_pending_of(&w->lanes, endpoint->index) == 0 && runner_is_due(endpoint)) {
        book_now(endpoint);
    }
    if (lanes_pending_of(&w->lanes, endpoint->index) == 0 || !runner_may_send(endpoint)) return;
    if (!runner_load_files(endpoint)) return;
    if (!endpoint->build.is_dynamic || runner_find_host(endpoint)) line_up(endpoint);
}

/* Records what a request had to wait for a connection, and what it had to wait for us. */
static void note_sent(struct worker *w, const struct conn *conn, uint64_t due_ns, uint64_t sent_ns)
{
    struct stats *stats = &w->shared->stats;
    uint64_t ready_ns = max_u64(due_ns, w->free_ns[conn->slot]);

    if (due_ns < w->measured_from_ns) return;
    hist_record(&stats->lateness, sent_ns - min_u64(sent_ns, ready_ns));
    hist_record(&stats->conn_wait, ready_ns - due_ns);
}

/* Memory of a connection for what it sends; NULL when there is none. */
static char *outbox_of(struct runner *runner, const struct conn *conn, size_t len)
{
    struct outbox *box = &runner->outboxes[conn->slot];

    if (box->size >= len) return box->bytes;
    blocks_free(&runner->blocks, box->bytes, box->size);
    box->size = len < OUTBOX_BYTES_MIN ? OUTBOX_BYTES_MIN : len;
    box->bytes = blocks_alloc(&runner->blocks, box->size);
    if (box->bytes == NULL) box->size = 0;
    return box->bytes;
}

/* Makes the stream of the request that was built last, if its body is one; false without memory. */
static bool make_stream(struct endpoint *endpoint)
{
    if (likely(endpoint->cuts.count == 0)) return true;
    endpoint->cuts.stream =
        runner_stream_new(endpoint, endpoint->runner->body_bytes, endpoint->cuts.text_len);
    return endpoint->cuts.stream != NULL;
}

/* Builds the request of `exchange` into memory that stays until it is sent. The last one of a
 * connection says so, behind the request line. */
static bool build(struct endpoint *endpoint, struct exchange *exchange, const struct conn *conn,
                  const char **ret_bytes, size_t *ret_len, enum expr_error *ret_error)
{
    static const char said[] = "Connection: close\r\n";
    bool is_last = conn->window_first + conn->window_count + 1 == conn->requests_max;
    size_t line = 0, said_len = is_last ? sizeof(said) - 1 : 0;
    char *own;

    if (!runner_build(endpoint, exchange, ret_bytes, ret_len, ret_error)) return false;
    if (endpoint->build.is_constant && !is_last) return true;
    own = outbox_of(endpoint->runner, conn, *ret_len + said_len);
    *ret_error = EXPR_FULL;
    if (own == NULL || !make_stream(endpoint)) return false;
    if (is_last) {
        const char *end = memchr(*ret_bytes, '\n', *ret_len);

        CHECK(end != NULL);
        line = (size_t)(end - *ret_bytes) + 1;
        memcpy(own, *ret_bytes, line);
        memcpy(own + line, said, said_len);
    }
    memcpy(own + line + said_len, *ret_bytes + line, *ret_len - line);
    *ret_bytes = own;
    *ret_len += said_len;
    return true;
}

/* The first request on a connection is the one that it was made for. */
static void note_connection(struct runner *runner, const struct conn *conn,
                            struct exchange *exchange)
{
    struct outbox *box = &runner->outboxes[conn->slot];

    exchange->connect_ns = box->connect_ns;
    exchange->tls_ns = box->tls_ns;
    box->connect_ns = box->tls_ns = 0;
}

/* Quietly if nothing can be sent behind it before it is gone: with pipelining the next request may
 * come before the answer, and an early answer while a large one is still on its way. Bytes that
 * change with the connection's next request must not be waited with: what the socket does not take
 * at once comes back, before that request can be there, and its rest goes loudly. */
static enum conn_send_how how_to_send(const struct endpoint *endpoint, const char *bytes,
                                      size_t len)
{
    const struct build *build = &endpoint->build;
    bool changes = !build->is_constant || bytes != build->pieces[0].text;

    if (endpoint->runner->worker->table.window_max > 1 || len > QUIET_BYTES_MAX) {
        return CONN_SEND_LOUD;
    }
    return changes ? CONN_SEND_NOWAIT : CONN_SEND_QUIET;
}

/* Sends a request whose body is not among its bytes. */
static void send_with_body(struct endpoint *endpoint, struct conn *conn, const char *bytes,
                           size_t len)
{
    struct stream *stream = endpoint->cuts.stream;
    const struct conn_body *body = endpoint->apart;

    endpoint->cuts.stream = NULL;
    if (stream != NULL) body = runner_stream_begin(stream, conn);
    conn_send_body(&endpoint->runner->worker->table, conn, bytes, len, body, false);
}

/* Begins the exchange of an endpoint's oldest hit on `conn`, which is free; false when its request
 * cannot be built, and the connection is still free. */
static bool send_one(struct endpoint *endpoint, struct conn *conn)
{
    struct runner *runner = endpoint->runner;
    struct worker *w = runner->worker;
    struct exchange *exchange = exchange_begin(endpoint);
    struct lane_waiting waiting;
    enum expr_error error = EXPR_OK;
    const char *bytes;
    size_t len;
    bool taken = lanes_take(&w->lanes, endpoint->index, &waiting);

    CHECK(exchange != NULL && taken);
    exchange->due_ns = waiting.due_ns;
    note_connection(runner, conn, exchange);
    w->ledger.started++;
    endpoint->figures->started++;
    if (!build(endpoint, exchange, conn, &bytes, &len, &error)) {
        runner_pause(endpoint);
        w->ledger.failed[FAILED_BUILD]++;
        runner_build_failed(exchange, error);
        return false;
    }
    exchange->bytes_sent =
        len + endpoint->apart_len + endpoint->cuts.text_len + endpoint->cuts.bytes;
    exchange->sent_ns = clock_now_ns();
    note_sent(w, conn, waiting.due_ns, exchange->sent_ns);
    conn_push(&w->table, conn,
              &(struct conn_ask){.due_ns = waiting.due_ns,
                                 .kind = exchange->index,
                                 .bound = endpoint->bound,
                                 .asked = endpoint->build.asked,
                                 .watched = endpoint->is_watched},
              exchange->sent_ns);
    runner_keep_sent(exchange, bytes, len);
    endpoint->in_flight++;
    w->ledger.in_flight++;
    w->ledger.bytes_sent += len;
    if (unlikely(endpoint->cuts.stream != NULL || endpoint->apart != NULL)) {
        send_with_body(endpoint, conn, bytes, len);
    } else {
        conn_send(&w->table, conn, bytes, len, how_to_send(endpoint, bytes, len));
    }
    return true;
}

struct endpoint *runner_take_ready(struct runner *runner, struct pool *pool)
{
    struct ready_line *line = &runner->lines[pool->index];
    struct endpoint *endpoint = line->first;

    if (endpoint == NULL) return NULL;
    line->first = endpoint->ready_next;
    if (line->first == NULL) line->last = NULL;
    endpoint->is_ready = false;
    return endpoint;
}

/* A connection for the first in the pool's line; NULL when none is free for it. A body that is read
 * while it is sent has its connection to itself until it is gone: with pipelining it waits for one
 * without outstanding requests, and those behind it wait too, so that there will be one. */
static struct conn *take_conn(struct runner *runner, struct pool *pool)
{
    const struct endpoint *first = runner->lines[pool->index].first;
    struct conn *conn = pool->idle_first;

    if (first == NULL || conn == NULL) return NULL;
    if (unlikely(first->is_streamed)) {
        while (conn != NULL && conn->window_count > 0) {
            conn = conn->idle_next;
        }
    }
    if (conn != NULL) pool_idle_remove(pool, conn);
    return conn;
}

/* Gives a pool's free connections to the endpoints in its line, each one request at a time. */
static void serve_line(struct runner *runner, struct pool *pool)
{
    struct conn *conn;

    while ((conn = take_conn(runner, pool)) != NULL) {
        struct endpoint *endpoint = runner_take_ready(runner, pool);
        /* What it lined up for may have been shed since. Its values are held for the next one. */
        bool is_sent = lanes_pending_of(&runner->worker->lanes, endpoint->index) > 0 &&
                       send_one(endpoint, conn);

        /* With pipelining, and over TLS, there may be room for more. */
        if (!is_sent || conn_room(&runner->worker->table, conn) > 0) pool_idle_add(pool, conn);
        runner_prepare(endpoint);
    }
}

static bool is_exhausted(const struct worker *w)
{
    const struct runner *runner = w->runner;

    if (runner->options.trial != NULL) return runner->options.trial->is_over;
    return w->lanes.pending + runner->held == 0 && runner->stopped_count == runner->here_count &&
           !runner_is_needed_elsewhere(runner);
}

/* Prepares what has been touched, and what no schedule drives. */
static void prepare_all(struct runner *runner)
{
    while (runner->touched_count > 0) {
        struct endpoint *endpoint = runner->touched[runner->touched_first];

        runner->touched_first = (runner->touched_first + 1) % runner->test->endpoints_count;
        runner->touched_count--;
        endpoint->is_touched = false;
        runner_prepare(endpoint);
    }
    for (uint32_t i = 0; i < runner->driven_count; i++) {
        runner_prepare(runner->driven[i]);
    }
}

/* Nothing more can be done in this turn. */
static void come_to_rest(struct runner *runner)
{
    if (runner->options.trial != NULL) {
        runner_trial_step(runner);
    } else {
        runner_check_ends(runner);
    }
}

/* A request that begins takes values, so that there is room for others, or leaves others without,
 * who then ask for them: until all is quiet, but not without an end. */
static void dispatch(struct worker *w)
{
    struct runner *runner = w->runner;
    uint32_t rounds = 0;

    do {
        runner->is_stirred = false;
        runner_wake_waiting(runner);
        prepare_all(runner);
        runner_connect(runner);
        for (uint32_t i = 0; i < w->pools_count; i++) {
            if (runner->lines[i].first != NULL) serve_line(runner, &w->pools[i]);
        }
        if (!runner->is_stirred) come_to_rest(runner); /* It may stir. */
    } while (runner->is_stirred && ++rounds < ROUNDS_MAX);
    runner_trade(runner);
    note_pending(runner);
    runner_publish_gauges(runner, w->now_ns);
}

/* Whether a hit would find a connection, or could have one opened for it. */
static bool can_serve(const struct runner *runner, const struct pool *pool)
{
    return pool->idle_count > 0 ||
           (pool->slots_used < runner->pool_max && runner->worker->table.free_count > 0 &&
            !timer_is_armed(&pool->backoff));
}

/* When the first hit from heap[at] on is due that can be served; `bound_ns` if none is before. */
static uint64_t first_served(const struct runner *runner, uint32_t at, uint64_t bound_ns)
{
    if (at > runner->heap_count || runner->heap[at]->next_ns >= bound_ns) return bound_ns;
    if (can_serve(runner, runner->heap[at]->pool)) return runner->heap[at]->next_ns;
    bound_ns = first_served(runner, 2 * at, bound_ns);
    return first_served(runner, 2 * at + 1, bound_ns);
}

static uint64_t next_moment(const struct worker *w, uint64_t now_ns)
{
    const struct runner *runner = w->runner;
    const struct lane_waiting *oldest = lanes_oldest(&w->lanes);
    uint64_t next_ns = TIME_NEVER;
    uint64_t due_ns = runner->heap_count == 0 ? TIME_NEVER : runner->heap[1]->next_ns;

    if (runner->is_stirred) return now_ns;
    if (w->phase == PHASE_RUNNING) next_ns = runner_driven_next_ns(runner);
    if (runner->options.barter != NULL) next_ns = min_u64(next_ns, runner->barter.next_ns);
    if (oldest != NULL && runner->options.trial == NULL) {
        next_ns = min_u64(next_ns, oldest->due_ns + w->table.timeout_ns);
    }
    if (unlikely(runner->gauges_stale)) next_ns = min_u64(next_ns, runner->gauges_ns);
    /* The writer of a log wakes nobody. */
    if (unlikely(runner->log_held > 0)) next_ns = min_u64(next_ns, now_ns + LOG_LOOK_NS);
    if (due_ns == TIME_NEVER || due_ns > w->end_ns) return next_ns;
    if (unlikely(!can_serve(runner, runner->heap[1]->pool))) {
        /* It could not be sent: it may be booked a little late, but no other one may. */
        due_ns = first_served(runner, 1, max_u64(due_ns, now_ns + BOOKS_NS));
    } else if (w->plan->spin) {
        due_ns -= min_u64(due_ns, SPIN_NS);
    }
    return min_u64(next_ns, due_ns);
}

static uint64_t count_bound(const struct worker *w)
{
    uint64_t connecting = 0;

    for (uint32_t i = 0; i < w->pools_count; i++) {
        connecting += w->pools[i].connecting;
    }
    return min_u64(connecting, w->lanes.pending);
}

/* What waits has missed the end, but for as many as a connect is under way for. */
static void end(struct worker *w)
{
    struct runner *runner = w->runner;
    uint64_t bound = count_bound(w);

    for (uint32_t i = 0; i < runner->test->endpoints_count; i++) {
        struct endpoint *endpoint = &runner->endpoints[i];
        uint64_t waiting = lanes_pending_of(&w->lanes, i), own = min_u64(bound, waiting);

        if (!endpoint->is_here) continue;
        bound -= own;
        endpoint->figures->started += own;
        endpoint->figures->cut_off += endpoint->in_flight + own;
        endpoint->figures->missed += waiting - own + endpoint->is_held;
    }
    runner_rest_for_good(runner);
    if (runner->options.trial != NULL) runner_trial_end(runner);
}

const struct worker_load runner_load = {
    .start = start,
    .cut = cut,
    .book = book,
    .dispatch = dispatch,
    .next_ns = next_moment,
    .count_bound = count_bound,
    .end = end,
    .is_exhausted = is_exhausted,
};

bool runner_is_killed(const struct runner *runner)
{
    return runner->is_killed;
}

enum err runner_failure(const struct runner *runner, struct err_info *ret_why)
{
    if (runner->err != ERR_OK) *ret_why = runner->why;
    return runner->err;
}

const char *runner_ran_dry(const struct runner *runner)
{
    return runner->ran_dry;
}

const char *runner_deadlock(const struct runner *runner)
{
    return runner->deadlock.message[0] == '\0' ? NULL : runner->deadlock.message;
}
