/* A request's life on a worker: due, sent, answered or failed, and what is recorded of it. */
#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/worker_impl.h"

static void slot_free(struct worker *w, uint64_t now_ns)
{
    if (w->flow.open) return; /* What is due does not wait for what was. */
    worker_add_due(w, flow_slot_free(&w->flow, now_ns), now_ns);
}

static bool is_measured(const struct worker *w, const struct conn_request *request)
{
    return likely(request->due_ns >= w->measured_from_ns);
}

/* Writes a row for a request that was answered. */
static void note_answered(struct worker *w, const struct conn *conn,
                          const struct conn_request *request, const struct conn_answer *answer)
{
    struct row row = {.due_ns = request->due_ns,
                      .sent_ns = request->sent_ns,
                      .first_ns = answer->first_ns,
                      .done_ns = answer->done_ns,
                      .body_bytes = answer->body_bytes,
                      .request = (uint16_t)request->kind,
                      .connection = conn->number,
                      .end = answer->status};

    rows_add(&w->shared->rows, &row);
}

/* The same for one that was sent and failed. Of its answer there may be a part, unless its turn
 * had not come. */
static void note_failed(struct worker *w, const struct conn *conn,
                        const struct conn_request *request, enum failed_class why, uint64_t now_ns)
{
    bool begun = why != FAILED_NOT_PROCESSED;
    struct row row = {.due_ns = request->due_ns,
                      .sent_ns = request->sent_ns,
                      .first_ns = begun ? conn->first_ns : 0,
                      .done_ns = now_ns,
                      .body_bytes = begun ? conn->body_bytes : 0,
                      .request = (uint16_t)request->kind,
                      .connection = conn->number,
                      .end = (uint16_t)(ROW_FAILED + why)};

    rows_add(&w->shared->rows, &row);
}

/* Puts `count` answers with the same figures into the books. */
static inline void book_answers(struct worker *w, const struct conn_request *request,
                                const struct conn_answer *answer, uint64_t count)
{
    struct stats *stats = &w->shared->stats;
    struct stats_url *url = worker_url(w, request->kind);

    w->ledger.in_flight -= count;
    w->ledger.ok += count;
    if (likely(answer->done_ns - w->span_from_ns <= w->end_ns - w->span_from_ns)) {
        w->ledger.ok_in_span += count;
    }
    add_relaxed(&stats->status[answer->status], count);
    if (is_measured(w, request)) {
        struct stats_moments at = {.due_ns = request->due_ns,
                                   .sent_ns = request->sent_ns,
                                   .first_ns = answer->first_ns,
                                   .done_ns = answer->done_ns};

        stats_answered(stats, answer->status, &at, count);
    }
    if (unlikely(url != NULL)) {
        url->ok += count;
        if (is_measured(w, request)) {
            stats_url_record(url, answer->done_ns - request->due_ns,
                             answer->done_ns - request->sent_ns, count);
        }
    }
    for (uint64_t i = 0; i < count; i++) {
        slot_free(w, answer->done_ns);
    }
}

void worker_book_alike(struct worker *w)
{
    book_answers(w, &w->alike.request, &w->alike.answer, w->alike.count);
    w->alike.count = 0;
}

static void on_answered(void *self, struct conn *conn, const struct conn_request *request,
                        const struct conn_answer *answer)
{
    struct worker *w = self;
    struct alike *alike = &w->alike;

    if (unlikely(rows_are_on(&w->shared->rows))) note_answered(w, conn, request, answer);
    if (likely(w->table.window_max == 1)) {
        book_answers(w, request, answer, 1);
        return;
    }
    if (alike->count > 0) {
        if (request->due_ns == alike->request.due_ns &&
            request->sent_ns == alike->request.sent_ns && request->kind == alike->request.kind &&
            answer->done_ns == alike->answer.done_ns &&
            answer->first_ns == alike->answer.first_ns && answer->status == alike->answer.status) {
            alike->count++;
            return;
        }
        worker_book_alike(w);
    }
    *alike = (struct alike){.request = *request, .answer = *answer, .count = 1};
}

static void on_failed(void *self, struct conn *conn, const struct conn_request *request,
                      enum failed_class why, uint64_t now_ns)
{
    struct worker *w = self;
    struct stats_url *url = worker_url(w, request->kind);
    uint64_t bound_ns = 0;

    w->ledger.in_flight--;
    w->ledger.failed[why]++;
    if (why == FAILED_TIMEOUT) bound_ns = w->table.timeout_ns;
    if (why == FAILED_FIRST_BYTE_TIMEOUT) bound_ns = w->table.first_byte_timeout_ns;
    if (bound_ns != 0 && is_measured(w, request)) {
        stats_timed_out(&w->shared->stats, request->due_ns, request->sent_ns, bound_ns);
        if (url != NULL) {
            stats_url_record(url, request->sent_ns + bound_ns - request->due_ns, bound_ns, 1);
        }
    }
    if (url != NULL) url->failed++;
    if (unlikely(rows_are_on(&w->shared->rows))) note_failed(w, conn, request, why, now_ns);
    slot_free(w, now_ns);
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

static void note_started(struct worker *w, uint32_t request)
{
    struct stats_url *url = worker_url(w, request);

    if (unlikely(url != NULL)) url->started++;
}

/* Binds up to `count` requests that wait for its target to `conn`, and adds them to its send. */
static void take_waiting(struct worker *w, struct conn *conn, struct worker_send *send,
                         uint32_t count, uint64_t now_ns)
{
    uint32_t had = send->count;
    struct lane_waiting waiting;

    while (send->count < had + count && lanes_take(&w->lanes, conn->pool->index, &waiting)) {
        struct conn_ask ask = {.due_ns = waiting.due_ns,
                               .kind = waiting.request,
                               .asked = w->asks[waiting.request].asked};

        if (w->flow.open) note_sent(w, conn, waiting.due_ns, now_ns);
        conn_push(&w->table, conn, &ask, now_ns);
        worker_send_add(w, conn, send, waiting.request);
        note_started(w, waiting.request);
    }
    w->ledger.pending = w->lanes.pending;
    w->ledger.started += send->count - had;
    w->ledger.in_flight += send->count - had;
}

static enum conn_send_how how_to_send(const struct worker *w, const struct worker_send *send)
{
    if (w->table.window_max > 1) {
        return send->len <= SEND_QUIET_MAX ? CONN_SEND_NOWAIT : CONN_SEND_LOUD;
    }
    if (likely(w->plain)) return CONN_SEND_QUIET;
    return w->own_bytes == NULL && send->len <= SEND_QUIET_MAX ? CONN_SEND_QUIET : CONN_SEND_LOUD;
}

/* Sends what was added. */
static void send_taken(struct worker *w, struct conn *conn, struct worker_send *send)
{
    w->ledger.bytes_sent += send->len;
    if (unlikely(!w->plain) && w->body.count > 0) {
        conn_send_body(&w->table, conn, send->bytes, send->len, &w->body, w->plan->expect_continue);
    } else {
        conn_send(&w->table, conn, send->bytes, send->len, how_to_send(w, send));
    }
    send->len = 0;
    send->count = 0;
}

void worker_fill(struct worker *w, struct conn *conn, uint64_t now_ns)
{
    struct worker_send send = {.count = 0};

    take_waiting(w, conn, &send, conn_room(&w->table, conn), now_ns);
    if (send.count > 0) {
        send_taken(w, conn, &send);
    } else {
        (void)pool_idle_add(conn->pool, conn);
    }
}

/* Gives what waits for a pool's target to its connections; returns how many will send, more than
 * `filled` by now. In a closed loop a connection gets back what it gave; in an open loop each gets
 * one in turn, so that requests wait for each other as little as can be. */
static uint32_t fill_pool(struct worker *w, struct pool *pool, uint32_t filled)
{
    struct conn *conn;

    while (lanes_pending_of(&w->lanes, pool->index) > 0 && (conn = pool_idle_take(pool)) != NULL) {
        struct worker_send *send = &w->sends[conn->slot];
        uint32_t count = w->flow.open ? 1 : conn_room(&w->table, conn);

        if (send->count == 0) w->filled[filled++] = conn->slot;
        take_waiting(w, conn, send, count, clock_now_ns());
        if (conn_room(&w->table, conn) > 0) (void)pool_idle_add(pool, conn);
    }
    return filled;
}

void worker_fill_windows(struct worker *w)
{
    uint32_t filled = 0;

    w->unsettled = w->lanes.pending > 0 && !ring_is_settled(w->ring);
    if (unlikely(w->unsettled)) return;
    for (uint32_t i = 0; w->lanes.pending > 0 && i < w->pools_count; i++) {
        filled = fill_pool(w, &w->pools[i], filled);
    }
    for (uint32_t i = 0; i < filled; i++) {
        struct conn *conn = &w->table.conns[w->filled[i]];

        send_taken(w, conn, &w->sends[conn->slot]);
        if (conn_room(&w->table, conn) == 0) pool_idle_remove(conn->pool, conn);
    }
}

static void on_ready(void *self, struct conn *conn, uint64_t now_ns)
{
    struct worker *w = self;

    if (w->flow.open || w->table.window_max > 1) {
        /* dispatch() sends, once all that came in is run: so `sent` is read from the clock
         * shortly before the kernel gets it, and a window is filled in one send. */
        if (pool_idle_add(conn->pool, conn) && w->flow.open) w->free_ns[conn->slot] = now_ns;
        return;
    }
    worker_fill(w, conn, now_ns);
}

static void on_connect_ended(void *self, struct conn *conn, uint64_t now_ns, bool connected)
{
    struct worker *w = self;
    struct stats *stats = &w->shared->stats;

    if (connected) conn->number = (uint32_t)w->ledger.opened;
    if (connected && conn->chained) w->ledger.bytes_sent += w->asks[conn->window[0].kind].len;
    if (conn->begun_ns < w->measured_from_ns) return;
    hist_record(connected ? &stats->connect : &stats->connect_failed, now_ns - conn->begun_ns);
}

static bool on_next(void *self, struct conn *conn, struct conn_next *ret_next)
{
    struct worker *w = self;
    struct lane_waiting waiting;
    const struct worker_ask *ask;

    if (!lanes_take(&w->lanes, conn->pool->index, &waiting)) return false;
    ask = &w->asks[waiting.request];
    *ret_next = (struct conn_next){
        .ask = {.due_ns = waiting.due_ns, .kind = waiting.request, .asked = ask->asked},
        .bytes = ask->bytes,
        .len = ask->len};
    w->ledger.pending = w->lanes.pending;
    w->ledger.started++;
    w->ledger.in_flight++;
    note_started(w, waiting.request);
    return true;
}

/* A request that was due at `due_ns` has failed with the attempt to connect that was for it. */
static void unconnected(struct worker *w, struct pool *pool, enum failed_class why,
                        const struct row *row)
{
    struct stats_url *url = worker_url(w, row->request);

    w->ledger.failed[why]++;
    if (url != NULL) url->failed++;
    if (unlikely(rows_are_on(&w->shared->rows))) rows_add(&w->shared->rows, row);
    if (!w->flow.open) flow_hold_slot(&w->flow, pool->index);
}

static void on_connect_failed(void *self, struct pool *pool, enum failed_class why, uint64_t now_ns)
{
    struct worker *w = self;
    struct lane_waiting waiting;
    struct row row;

    if (!lanes_take(&w->lanes, pool->index, &waiting)) return;
    row = (struct row){.due_ns = waiting.due_ns,
                       .done_ns = now_ns,
                       .request = waiting.request,
                       .end = (uint16_t)(ROW_FAILED + why)};
    w->ledger.pending = w->lanes.pending;
    w->ledger.started++;
    note_started(w, waiting.request);
    unconnected(w, pool, why, &row);
}

static void on_chain_failed(void *self, struct pool *pool, const struct conn_request *request,
                            enum failed_class why, uint64_t now_ns)
{
    struct worker *w = self;
    struct row row = {.due_ns = request->due_ns,
                      .done_ns = now_ns,
                      .request = (uint16_t)request->kind,
                      .end = (uint16_t)(ROW_FAILED + why)};

    w->ledger.in_flight--;
    unconnected(w, pool, why, &row);
}

static void on_backoff_ended(void *self, struct pool *pool, uint64_t now_ns)
{
    struct worker *w = self;

    worker_add_due(w, flow_release_held(&w->flow, pool->index, now_ns), now_ns);
}

static void on_tunnel_refused(void *self, struct pool *pool, uint16_t status)
{
    struct worker *w = self;

    (void)pool;
    add_relaxed(&w->shared->stats.refused[status], 1);
}

static void on_handshake_ended(void *self, struct conn *conn,
                               const struct conn_handshake *handshake)
{
    struct worker *w = self;
    bool measured = handshake->begun_ns >= w->measured_from_ns;

    (void)conn;
    if (handshake->why != FAILED_COUNT) {
        w->ledger.handshakes_failed++;
    } else {
        w->ledger.handshakes++;
        if (handshake->facts.resumed) w->ledger.handshakes_resumed++;
        w->ledger.early_sent += handshake->facts.early;
        w->ledger.early_taken += handshake->facts.early_taken;
    }
    stats_tls_note(&w->shared->stats.tls, handshake, measured);
}

const struct conn_owner worker_conn_owner = {.answered = on_answered,
                                             .failed = on_failed,
                                             .ready = on_ready,
                                             .next = on_next,
                                             .connect_ended = on_connect_ended,
                                             .handshake_ended = on_handshake_ended};
const struct pool_owner worker_pool_owner = {.connect_failed = on_connect_failed,
                                             .chain_failed = on_chain_failed,
                                             .backoff_ended = on_backoff_ended,
                                             .tunnel_refused = on_tunnel_refused};
