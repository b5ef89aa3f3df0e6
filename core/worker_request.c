/* A request's life on a worker: due, sent, answered or failed, and what is recorded of it. */
#include "core/base/check.h"
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

static void on_answered(void *self, struct conn *conn, const struct conn_request *request,
                        const struct conn_answer *answer)
{
    struct worker *w = self;
    struct stats *stats = &w->shared->stats;

    w->ledger.in_flight--;
    w->ledger.ok++;
    if (likely(answer->done_ns - w->span_from_ns <= w->end_ns - w->span_from_ns)) {
        w->ledger.ok_in_span++;
    }
    add_relaxed(&stats->status[answer->status], 1);
    if (is_measured(w, request)) {
        struct stats_moments at = {.due_ns = request->due_ns,
                                   .sent_ns = request->sent_ns,
                                   .first_ns = answer->first_ns,
                                   .done_ns = answer->done_ns};

        stats_answered(stats, answer->status, &at);
    }
    if (unlikely(rows_are_on(&w->shared->rows))) note_answered(w, conn, request, answer);
    slot_free(w, answer->done_ns);
}

static void on_failed(void *self, struct conn *conn, const struct conn_request *request,
                      enum failed_class why, uint64_t now_ns)
{
    struct worker *w = self;
    uint64_t bound_ns = 0;

    w->ledger.in_flight--;
    w->ledger.failed[why]++;
    if (why == FAILED_TIMEOUT) bound_ns = w->table.timeout_ns;
    if (why == FAILED_FIRST_BYTE_TIMEOUT) bound_ns = w->table.first_byte_timeout_ns;
    if (bound_ns != 0 && is_measured(w, request)) {
        stats_timed_out(&w->shared->stats, request->due_ns, request->sent_ns, bound_ns);
    }
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

void worker_fill(struct worker *w, struct conn *conn, uint64_t now_ns)
{
    uint32_t room = conn_room(&w->table, conn);
    struct worker_send send = {.count = 0};
    struct lane_waiting waiting;

    while (send.count < room && lanes_take(&w->lanes, conn->pool->index, &waiting)) {
        struct conn_ask ask = {.due_ns = waiting.due_ns,
                               .kind = waiting.request,
                               .asked = w->asks[waiting.request].asked};

        if (w->flow.open) note_sent(w, conn, waiting.due_ns, now_ns);
        conn_push(&w->table, conn, &ask, now_ns);
        worker_send_add(w, conn, &send, waiting.request);
    }
    if (send.count == 0) {
        if (conn->window_count == 0) pool_idle_add(conn->pool, conn);
        return;
    }
    w->ledger.pending = w->lanes.pending;
    w->ledger.started += send.count;
    w->ledger.in_flight += send.count;
    w->ledger.bytes_sent += send.len;
    conn_send(&w->table, conn, send.bytes, send.len,
              w->own_bytes == NULL && w->table.window_size == 1);
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
    worker_fill(w, conn, now_ns);
}

static void on_connect_ended(void *self, struct conn *conn, uint64_t now_ns, bool connected)
{
    struct worker *w = self;
    struct stats *stats = &w->shared->stats;

    if (connected) conn->number = (uint32_t)w->ledger.opened;
    if (conn->begun_ns < w->measured_from_ns) return;
    hist_record(connected ? &stats->connect : &stats->connect_failed, now_ns - conn->begun_ns);
}

static void on_connect_failed(void *self, struct pool *pool, enum failed_class why, uint64_t now_ns)
{
    struct worker *w = self;
    struct lane_waiting waiting;

    if (!lanes_take(&w->lanes, pool->index, &waiting)) return;
    w->ledger.pending = w->lanes.pending;
    w->ledger.started++;
    w->ledger.failed[why]++;
    if (unlikely(rows_are_on(&w->shared->rows))) {
        struct row row = {.due_ns = waiting.due_ns,
                          .done_ns = now_ns,
                          .request = waiting.request,
                          .end = (uint16_t)(ROW_FAILED + why)};

        rows_add(&w->shared->rows, &row);
    }
    if (!w->flow.open) flow_hold_slot(&w->flow, pool->index);
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
    }
    stats_tls_note(&w->shared->stats.tls, handshake, measured);
}

const struct conn_owner worker_conn_owner = {.answered = on_answered,
                                             .failed = on_failed,
                                             .ready = on_ready,
                                             .connect_ended = on_connect_ended,
                                             .handshake_ended = on_handshake_ended};
const struct pool_owner worker_pool_owner = {.connect_failed = on_connect_failed,
                                             .backoff_ended = on_backoff_ended,
                                             .tunnel_refused = on_tunnel_refused};
