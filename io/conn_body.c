#include "io/conn_body.h"

#include <errno.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "io/conn_tls.h"
#include "io/pool.h"

/* Of one send: large enough that completions do not count, small enough that a socket which takes
 * all at once does not hold the others up. */
#define PIECE_BYTES (UINT64_C(4) << 20)
/* How long leave is waited for. RFC 9110 section 10.1.1 has a client not wait for ever, since a
 * server may not know of it; curl waits as long. */
#define TIRED_NS NS_PER_S

/* All spans that there are have gone. */
static void find_more(struct conn_table *table, struct conn *conn)
{
    const struct conn_body *body = conn->body;
    enum conn_more more = body->next == NULL ? CONN_MORE_NONE : body->next(body->self);

    conn->body_span = 0;
    switch (more) {
    case CONN_MORE_PIECE: conn->body_step = BODY_GOES; return;
    case CONN_MORE_LATER: conn->body_step = BODY_STARVES; return;
    case CONN_MORE_NONE:
        conn->body = NULL;
        conn_body_over(body);
        return;
    case CONN_MORE_LOST:
        conn->body_step = BODY_LOST;
        timers_set(table->timers, &conn->timer, clock_now_ns());
        return;
    }
    UNREACHABLE("no answer to the question for more");
}

void conn_send_body(struct conn_table *table, struct conn *conn, const void *head, size_t len,
                    const struct conn_body *body, bool expects)
{
    CHECK(conn->body == NULL && conn->window_count == 1);
    CHECK(body->count <= CONN_BODY_SPANS && (body->count > 0 || (body->next != NULL && !expects)));
    conn->body = body;
    conn->body_span = 0;
    conn->body_sent = 0;
    conn->body_step = BODY_GOES;
    conn->body_head = true;
    if (expects) {
        uint64_t tired_ns = conn_oldest(table, conn)->sent_ns + TIRED_NS;

        conn->body_step = BODY_WAITS;
        conn->requests_max = conn->window_first + conn->window_count;
        if (conn->timer.at_ns > tired_ns) timers_set(table->timers, &conn->timer, tired_ns);
    }
    if (body->count == 0) find_more(table, conn);
    conn_send(table, conn, head, len, CONN_SEND_LOUD);
}

static void send_piece(struct conn_table *table, struct conn *conn)
{
    struct conn_span rest = conn_body_rest(conn);

    conn->flight |= FLIGHT_SEND;
    ring_send(table->ring, conn->slot, rest.data, min_u64(rest.len, PIECE_BYTES), 0,
              conn_op(conn, OP_SEND));
}

void conn_body_advance(struct conn_table *table, struct conn *conn, uint64_t len)
{
    CHECK(len > 0 && len <= conn_body_rest(conn).len);
    *table->counts.bytes_sent += len;
    conn->body_sent += len;
    if (conn->body_sent < conn->body->spans[conn->body_span].len) return;
    conn->body_sent = 0;
    if (++conn->body_span >= conn->body->count) find_more(table, conn);
}

void conn_body_resume(struct conn_table *table, struct conn *conn)
{
    CHECK(conn->body != NULL && conn->body_step == BODY_STARVES);
    if (conn->send_error != 0) return; /* Its receive will say how it ended. */
    find_more(table, conn);
    if (conn->tls != NULL) {
        conn_tls_go_on(table, conn);
        /* Nothing is left that would tell of the end of a send. */
        if (conn_room(table, conn) > 0) table->owner.ready(table->owner.self, conn, clock_now_ns());
    } else if (conn_body_goes(conn) && !(conn->flight & FLIGHT_SEND)) {
        send_piece(table, conn);
    }
}

void conn_body_break_off(struct conn_table *table, struct conn *conn)
{
    conn->requests_max = conn->window_first + conn->window_count;
    if (conn->window_count == 0) conn_close(table, conn);
}

void conn_body_lost(struct conn_table *table, struct conn *conn, uint64_t now_ns)
{
    if (conn->window_count == 0) {
        conn_close(table, conn);
    } else {
        conn_fail(table, conn, FAILED_BODY_UNREADABLE, now_ns);
    }
}

void conn_body_on_send(struct conn_table *table, struct conn *conn, int32_t res)
{
    if (conn->body_head && res == (int32_t)conn->send_len) {
        conn->body_head = false;
    } else if (conn->body_head || (res <= 0 && res != -EFAULT)) {
        conn->send_error = res < 0 ? -res : EPIPE;
        conn_body_break_off(table, conn);
        return;
    } else if (res == -EFAULT) {
        conn_body_lost(table, conn, clock_now_ns());
        return;
    } else {
        conn_body_advance(table, conn, (uint64_t)res);
    }
    if (conn_body_goes(conn)) {
        send_piece(table, conn);
    } else if (conn_room(table, conn) > 0) {
        table->owner.ready(table->owner.self, conn, clock_now_ns());
    }
}

/* Leave is given, or taken. */
static void go(struct conn_table *table, struct conn *conn)
{
    CHECK(conn->body_step == BODY_WAITS);
    conn->body_step = BODY_GOES;
    if (conn->send_error != 0) return;
    conn->requests_max = table->requests_max;
    if (conn->tls != NULL) {
        conn_tls_go_on(table, conn);
    } else if (!(conn->flight & FLIGHT_SEND)) {
        send_piece(table, conn);
    }
}

void conn_body_continue(struct conn_table *table, struct conn *conn)
{
    if (conn->body_step != BODY_WAITS) return;
    (*table->counts.bodies_continued)++;
    go(table, conn);
}

uint64_t conn_body_tired_ns(const struct conn_table *table, const struct conn *conn)
{
    /* Once a final answer has begun the body will never go. */
    if (conn->body == NULL || conn->body_step != BODY_WAITS || conn->part != PART_HEAD) {
        return TIME_NEVER;
    }
    return conn_oldest(table, conn)->sent_ns + TIRED_NS;
}

bool conn_body_timer(struct conn_table *table, struct conn *conn, uint64_t now_ns)
{
    if (conn->body_step == BODY_LOST) {
        conn_body_lost(table, conn, now_ns);
        return true;
    }
    if (conn_body_tired_ns(table, conn) <= now_ns) {
        (*table->counts.bodies_unasked)++;
        go(table, conn);
    }
    return false;
}
