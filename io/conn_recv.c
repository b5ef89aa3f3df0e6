/* The receiving half of a connection: armed receives, lent buffers, and what comes in them. */
#include <errno.h>

#include "io/conn_impl.h"
#include "io/pool.h"

void conn_arm_recv(struct conn_table *table, struct conn *conn)
{
    conn->group = conn->pool->group;
    ring_recv(table->ring, conn->slot, (enum ring_group)conn->group, conn_op(conn, OP_RECV));
    conn->flight |= FLIGHT_RECV;
}
/* The pool wants receives from the other group of buffers: end this one; it is armed anew when
 * its last event has come. */
static void switch_group(struct conn_table *table, struct conn *conn)
{
    if (conn->flight != FLIGHT_RECV || conn->window_count != 0) return;
    ring_cancel(table->ring, conn->slot, conn_op(conn, OP_CANCEL));
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

void conn_on_recv(struct conn_table *table, struct conn *conn, const struct ring_event *event)
{
    uint32_t answered = 0;

    if (!(event->flags & RING_MORE)) conn->flight &= (uint8_t)~FLIGHT_RECV;
    if (likely(event->res > 0)) {
        if (likely(conn_is_open(conn))) {
            answered = conn_feed(table, conn, event->data, (size_t)event->res);
        } else if (conn->state == CONN_TUNNELING) {
            conn_tunnel_feed(table, conn, event->data, (size_t)event->res);
        }
        return_buffer(table, event);
    } else if (conn->state == CONN_CLOSING) {
        timers_cancel(table->timers, &conn->timer); /* The peer has closed. */
    } else if (event->res == 0) {
        conn_eof(table, conn);
    } else if (event->res == -ENOBUFS) {
        if (park(table, conn)) return;
    } else if (event->res != -ECANCELED) {
        conn_stream_error(table, conn, -event->res);
    }
    if (conn->state == CONN_CLOSING) {
        conn_closing_step(table, conn);
        return;
    }
    if (unlikely(!(conn->flight & FLIGHT_RECV))) conn_arm_recv(table, conn);
    if (answered == 0) return;
    if (unlikely(conn->group != conn->pool->group)) switch_group(table, conn);
    if (conn_room(table, conn) > 0) {
        table->owner.ready(table->owner.self, conn, table->done_ns);
    }
}
