/* The receiving half of a connection: armed receives, lent buffers, and what comes in them. */
#include <errno.h>

#include "io/conn_tls.h"
#include "io/pool.h"

/* One receive: of a head, or of the rest of a body, which is drained if nobody looks at it. A small
 * buffer has room for most heads; what it takes of a body besides is all that comes in. */
static void arm_once(struct conn_table *table, const struct conn *conn)
{
    if (conn->part == PART_LENGTH && !conn_oldest(table, conn)->watched) {
        uint64_t len = conn->body_left;

        if (table->sink != NULL) len = min_u64(len, table->sink_bytes);
        ring_drain(table->ring, conn->slot, table->sink, len, conn_op(conn, OP_DRAIN));
    } else {
        ring_recv_once(table->ring, conn->slot, conn->part == PART_HEAD ? RING_SMALL : RING_LARGE,
                       conn_op(conn, OP_RECV));
    }
}

void conn_arm_recv(struct conn_table *table, struct conn *conn)
{
    conn->mode = conn->pool->mode;
    conn->flight |= FLIGHT_RECV;
    if (unlikely(conn->mode == MODE_DRAIN)) {
        arm_once(table, conn);
    } else {
        ring_recv(table->ring, conn->slot, conn->mode == MODE_LARGE ? RING_LARGE : RING_SMALL,
                  conn_op(conn, OP_RECV));
    }
}

/* The pool wants receives of another mode: end this one; it is armed anew when its last event has
 * come. */
static void switch_mode(struct conn_table *table, struct conn *conn)
{
    if (conn->flight != FLIGHT_RECV || conn->window_count != 0) return;
    /* The receive alone: a request may be on its way before the cancel has acted. */
    ring_cancel_recv(table->ring, conn->slot, conn_op(conn, OP_RECV), conn_op(conn, OP_CANCEL));
    conn->flight |= FLIGHT_CANCEL;
}

/* No buffer was left. Most often those that were lent have come back by now, and the receive is
 * simply armed anew; when none has come back since it last was, it waits for the next that does.
 * True if it waits. */
static bool park(struct conn_table *table, struct conn *conn)
{
    if (conn->starved_at != table->returns + 1) {
        conn->starved_at = table->returns + 1;
        return false;
    }
    if (!conn->parked) table->parked[table->parked_count++] = conn->slot;
    conn->parked = true;
    return true;
}

static void return_buffer(struct conn_table *table, const struct ring_event *event)
{
    ring_buffer_return(table->ring, event);
    table->returns++;
    while (unlikely(table->parked_count > 0)) {
        struct conn *conn = &table->conns[table->parked[--table->parked_count]];

        conn->parked = false;
        if (conn->state == CONN_FREE || conn->state == CONN_CONNECTING ||
            conn->state == CONN_CLOSING || (conn->flight & FLIGHT_RECV)) {
            continue; /* It was closed meanwhile, or is another one by now. */
        }
        conn_arm_recv(table, conn);
    }
}

/* A receive ended without bytes. False if the connection waits for a buffer now. */
static bool recv_ended(struct conn_table *table, struct conn *conn, int32_t res)
{
    if (res == 0 && conn->tls != NULL) conn_tls_eof(table, conn);
    if (conn->state == CONN_CLOSING) {
        timers_cancel(table->timers, &conn->timer); /* The peer has closed, or we were tired. */
        if (res != -ECANCELED && res != -ENOBUFS) conn->peer_ended = true;
    } else if (res == 0) {
        conn_eof(table, conn);
    } else if (res == -ENOBUFS) {
        return !park(table, conn);
    } else if (res != -ECANCELED) {
        conn_stream_error(table, conn, -res);
    }
    return true;
}

/* Goes on after a receive: with closing, with the next receive, with the next request. */
static void go_on(struct conn_table *table, struct conn *conn, uint8_t event_flags, bool answered)
{
    if (conn->state == CONN_CLOSING) {
        if (conn->flight != 0 || !conn_chain(table, conn)) conn_closing_step(table, conn);
        return;
    }
    if (unlikely(!(conn->flight & FLIGHT_RECV))) conn_arm_recv(table, conn);
    if (!answered) return;
    if (unlikely(conn->mode != conn->pool->mode)) switch_mode(table, conn);
    /* Behind the last answer there is an end, or bytes that nobody asked for. The receive just
     * armed will show which; a request sent before would take the blame, or the bytes for its
     * answer. With TLS they may as well be a ticket. */
    if (unlikely(event_flags & RING_NONEMPTY) && conn->window_count == 0 && conn->tls == NULL) {
        return;
    }
    if (conn_room(table, conn) > 0) {
        table->owner.ready(table->owner.self, conn, table->done_ns);
    }
}

void conn_on_recv(struct conn_table *table, struct conn *conn, const struct ring_event *event)
{
    uint32_t answered = 0;

    if (!(event->flags & RING_MORE)) conn->flight &= (uint8_t)~FLIGHT_RECV;
    if (likely(event->res > 0)) {
        if (conn->tls != NULL) {
            answered = conn_tls_feed(table, conn, event->data, (size_t)event->res);
        } else if (likely(conn_is_open(conn))) {
            answered = conn_feed(table, conn, event->data, (size_t)event->res);
        } else if (conn->state == CONN_TUNNELING) {
            conn_tunnel_feed(table, conn, event->data, (size_t)event->res);
        }
        return_buffer(table, event);
    } else if (!recv_ended(table, conn, event->res)) {
        return;
    }
    go_on(table, conn, event->flags, answered > 0);
}

void conn_on_drain(struct conn_table *table, struct conn *conn, const struct ring_event *event)
{
    bool answered = false;

    conn->flight &= (uint8_t)~FLIGHT_RECV;
    if (event->res <= 0) {
        (void)recv_ended(table, conn, event->res);
    } else if (conn->state != CONN_CLOSING) {
        answered = conn_drained(table, conn, (uint64_t)event->res);
    }
    go_on(table, conn, event->flags, answered);
}
