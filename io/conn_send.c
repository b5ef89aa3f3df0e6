/* The sending half of a connection: requests into the window, their bytes to the kernel. */
#include <errno.h>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "io/conn_tls.h"
#include "io/pool.h"

void conn_on_send(struct conn_table *table, struct conn *conn, int32_t res)
{
    conn->flight &= (uint8_t)~FLIGHT_SEND;
    if (conn->state == CONN_CLOSING) {
        conn_closing_step(table, conn);
        return;
    }
    if (conn->tls != NULL) {
        conn_tls_on_send(table, conn, res);
        return;
    }
    if (conn->body != NULL) {
        conn_body_on_send(table, conn, res);
        return;
    }
    /* After a failed send the receive ends too and says how; see conn_eof(). */
    if (res < 0) {
        conn->send_error = -res;
    } else if ((uint32_t)res != conn->send_len) {
        conn->send_error = EPIPE;
    } else if (conn_room(table, conn) > 0) {
        table->owner.ready(table->owner.self, conn, clock_now_ns());
    }
}

void conn_on_quiet(struct conn_table *table, struct conn *conn, int32_t res)
{
    uint32_t done = res > 0 ? (uint32_t)res : 0;

    if (conn->tls != NULL) {
        conn_tls_on_quiet(table, conn, res);
        return;
    }
    if (conn->send_data == NULL || (res < 0 && res != -EAGAIN)) {
        conn->send_error = res < 0 ? -res : EPIPE;
        if (conn->chained) conn_chain_unsent(table, conn);
        return;
    }
    if (conn->state == CONN_CLOSING) return;
    /* The socket is full. Nothing may overtake the rest, which goes when there is room. */
    CHECK(!(conn->flight & FLIGHT_SEND));
    CHECK(done < conn->send_len);
    table->short_sends++;
    pool_idle_remove(conn->pool, conn);
    conn_send(table, conn, conn->send_data + done, conn->send_len - done, CONN_SEND_LOUD);
}

uint32_t conn_room(const struct conn_table *table, const struct conn *conn)
{
    if (unlikely(conn->body != NULL)) return 0;
    if ((conn->flight & FLIGHT_SEND) && (conn->tls == NULL || conn->tls->plain_left > 0)) return 0;
    if (unlikely(conn->early) && conn->window_count > 0) return 0;
    return (uint32_t)min_u64(table->window_max - conn->window_count,
                             conn->requests_max - conn->window_first - conn->window_count);
}

void conn_push(struct conn_table *table, struct conn *conn, const struct conn_ask *ask,
               uint64_t now_ns)
{
    uint32_t at = (conn->window_first + conn->window_count) & (table->window_size - 1);
    uint64_t deadline_ns =
        now_ns + min_u64(table->first_byte_timeout_ns, conn_bound_ns(table, ask->bound));

    DCHECK(conn_room(table, conn) > 0);
    conn->window[at] = (struct conn_request){.due_ns = ask->due_ns,
                                             .sent_ns = now_ns,
                                             .enters = table->ring_counts->enters,
                                             .kind = ask->kind,
                                             .bound = ask->bound,
                                             .asked = ask->asked,
                                             .watched = ask->watched};
    conn->window_count++;
    if (conn->state == CONN_IDLE) conn_to(conn, CONN_SENDING);
    if (unlikely(!timer_is_armed(&conn->timer) || conn->timer.at_ns > deadline_ns)) {
        timers_set(table->timers, &conn->timer, deadline_ns);
    }
}

void conn_send(struct conn_table *table, struct conn *conn, const void *bytes, size_t len,
               enum conn_send_how how)
{
    if (conn->tls != NULL) {
        conn_tls_send(table, conn, bytes, len);
        return;
    }
    DCHECK(!(conn->flight & FLIGHT_SEND));
    if (how == CONN_SEND_QUIET) {
        ring_send(table->ring, conn->slot, bytes, len, RING_SEND_QUIET,
                  conn_op(conn, OP_SEND_QUIET));
        return;
    }
    conn->send_len = (uint32_t)len;
    conn->send_data = NULL;
    if (how == CONN_SEND_NOWAIT) {
        conn->send_data = bytes;
        ring_send(table->ring, conn->slot, bytes, len, RING_SEND_QUIET | RING_SEND_NOWAIT,
                  conn_op(conn, OP_SEND_QUIET));
        return;
    }
    conn->flight |= FLIGHT_SEND;
    ring_send(table->ring, conn->slot, bytes, len, 0, conn_op(conn, OP_SEND));
}
