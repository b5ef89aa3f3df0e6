/* A request's life on a worker: due, sent, answered or failed, and what is recorded of it. */
#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/worker_impl.h"

/* What a socket that the peer reads from takes at once; more goes loudly from the start. */
enum { NOWAIT_BYTES_MAX = 64 * 1024 };

static void slot_free(struct worker *w, uint64_t now_ns)
{
    if (w->flow.open) return; /* What is due does not wait for what was. */
    worker_add_due(w, flow_slot_free(&w->flow, now_ns), now_ns);
}

static bool is_measured(const struct worker *w, const struct conn_request *request)
{
    return likely(request->due_ns >= w->measured_from_ns);
}

/* Puts `count` answers with the same figures into the books. */
static inline void book_answers(struct worker *w, const struct conn_request *request,
                                const struct conn_answer *answer, uint64_t count)
{
    struct stats *stats = &w->shared->stats;

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

    (void)conn;
    if (likely(w->table.window_max == 1)) {
        book_answers(w, request, answer, 1);
        return;
    }
    if (alike->count > 0) {
        if (request->due_ns == alike->request.due_ns &&
            request->sent_ns == alike->request.sent_ns &&
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
    uint64_t bound_ns = 0;

    (void)conn;
    w->ledger.in_flight--;
    w->ledger.failed[why]++;
    if (why == FAILED_TIMEOUT) bound_ns = w->table.timeout_ns;
    if (why == FAILED_FIRST_BYTE_TIMEOUT) bound_ns = w->table.first_byte_timeout_ns;
    if (bound_ns != 0 && is_measured(w, request)) {
        stats_timed_out(&w->shared->stats, request->due_ns, request->sent_ns, bound_ns);
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
    own = w->id_bytes + (size_t)conn->slot * w->table.window_max * w->request_len;
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

/* Binds up to `count` waiting requests to `conn`; returns how many there were. */
static uint32_t take_waiting(struct worker *w, struct conn *conn, uint32_t count, uint64_t now_ns)
{
    uint32_t taken = 0;
    uint64_t due_ns;

    while (taken < count && flow_take(&w->flow, &due_ns)) {
        if (w->flow.open) note_sent(w, conn, due_ns, now_ns);
        conn_push(&w->table, conn, due_ns, now_ns, w->asked);
        taken++;
    }
    w->ledger.pending = w->flow.pending;
    w->ledger.started += taken;
    w->ledger.in_flight += taken;
    return taken;
}

/* Sends the `count` requests that were bound last. */
static void send_taken(struct worker *w, struct conn *conn, uint32_t count)
{
    size_t len = count * w->request_len;
    enum conn_send_how how = w->id_bytes == NULL ? CONN_SEND_QUIET : CONN_SEND_LOUD;

    if (w->table.window_max > 1) how = len <= NOWAIT_BYTES_MAX ? CONN_SEND_NOWAIT : CONN_SEND_LOUD;
    w->ledger.bytes_sent += len;
    conn_send(&w->table, conn, bytes_for(w, conn, count), len, how);
}

void worker_fill(struct worker *w, struct conn *conn, uint64_t now_ns)
{
    uint32_t count = take_waiting(w, conn, conn_room(&w->table, conn), now_ns);

    if (count > 0) {
        send_taken(w, conn, count);
    } else {
        (void)pool_idle_add(conn->pool, conn);
    }
}

/* In a closed loop a connection gets back what it gave; in an open loop each gets one in turn, so
 * that requests wait for each other as little as can be. */
void worker_fill_windows(struct worker *w)
{
    uint32_t filled = 0;
    struct conn *conn;

    w->unsettled = w->flow.pending > 0 && !ring_is_settled(w->ring);
    if (unlikely(w->unsettled)) return;
    while (w->flow.pending > 0 && (conn = pool_idle_take(&w->pool)) != NULL) {
        uint32_t room = conn_room(&w->table, conn);

        if (conn->unsent == 0) w->filled[filled++] = conn->slot;
        (void)take_waiting(w, conn, w->flow.open ? 1 : room, clock_now_ns());
        if (conn_room(&w->table, conn) > 0) (void)pool_idle_add(&w->pool, conn);
    }
    for (uint32_t i = 0; i < filled; i++) {
        conn = &w->table.conns[w->filled[i]];
        send_taken(w, conn, conn->unsent);
        if (conn_room(&w->table, conn) == 0) pool_idle_remove(&w->pool, conn);
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

    if (conn->begun_ns < w->measured_from_ns) return;
    hist_record(connected ? &stats->connect : &stats->connect_failed, now_ns - conn->begun_ns);
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
    worker_add_due(w, flow_release_held(&w->flow, now_ns), now_ns);
}

const struct conn_owner worker_conn_owner = {.answered = on_answered,
                                             .failed = on_failed,
                                             .ready = on_ready,
                                             .connect_ended = on_connect_ended};
const struct pool_owner worker_pool_owner = {.connect_failed = on_connect_failed,
                                             .backoff_ended = on_backoff_ended};
