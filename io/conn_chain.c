/* A connection per request, where the ring has chains: the slot of a connection that ends is given
 * to the next one, with a request, in one operation of the ring. The request is bound to the
 * attempt to connect: it is sent, as far as we know, when that begins, and fails with it. */
#include "core/base/check.h"
#include "core/base/clock.h"
#include "io/conn_impl.h"
#include "io/pool.h"

/* Queues it; `next` is its request. */
static void begin(struct conn_table *table, struct conn *conn, const struct conn_next *next)
{
    struct pool *pool = conn->pool;
    const struct address *address = pool_destination(pool, conn);
    struct ring_chain chain = {.address = (const struct sockaddr *)&address->storage,
                               .data = next->bytes,
                               .len = next->len,
                               .address_len = address->len,
                               .group = pool->mode == MODE_LARGE ? RING_LARGE : RING_SMALL,
                               .ud_socket = conn_op(conn, OP_SOCKET),
                               .ud_connect = conn_op(conn, OP_CONNECT),
                               .ud_send = conn_op(conn, OP_SEND_QUIET),
                               .ud_recv = conn_op(conn, OP_RECV)};

    (*pool->counts.connects)++;
    pool_connect_begun(pool);
    conn->mode = pool->mode;
    conn->flight = FLIGHT_CONNECT | FLIGHT_RECV;
    ring_chain(table->ring, conn->slot, &chain);
}

bool conn_chain(struct conn_table *table, struct conn *conn)
{
    struct conn_next next;

    if (!table->chains || conn->retry || !pool_may_chain(conn->pool)) return false;
    /* The kernel may put a chain's close off until its connect is under way. A peer that has closed
     * already counts the old connection no more; any other must see its end first. */
    if (!conn->peer_ended) return false;
    if (!table->owner.next(table->owner.self, conn, &next)) return false;
    conn_reset(table, conn);
    conn->chained = true;
    conn->begun_ns = clock_now_ns();
    conn->addresses = conn->pool->addresses;
    conn->address = 0;
    conn->addresses_tried = 0;
    conn->sources_tried = 0;
    conn_to(conn, CONN_CONNECTING);
    conn_push(table, conn, &next.ask, conn->begun_ns);
    timers_set(table->timers, &conn->timer, conn->begun_ns + table->connect_timeout_ns);
    begin(table, conn, &next);
    return true;
}

void conn_chain_connected(struct conn_table *table, struct conn *conn)
{
    uint64_t now_ns = clock_now_ns();
    uint64_t deadline_ns =
        conn->begun_ns + min_u64(table->first_byte_timeout_ns, table->timeout_ns);

    pool_connected(conn->pool, conn);
    conn->pool->backoff_ns = 0;
    table->owner.connect_ended(table->owner.self, conn, now_ns, true);
    conn_to(conn, CONN_IDLE);
    conn_to(conn, CONN_SENDING);
    /* If it fires too early, conn_timer() sets it anew. */
    if (conn->timer.at_ns > deadline_ns) timers_set(table->timers, &conn->timer, deadline_ns);
}

void conn_chain_no_socket(struct conn_table *table, struct conn *conn, int errno_value)
{
    conn->flight &= (uint8_t) ~(FLIGHT_CONNECT | FLIGHT_RECV);
    pool_connect_done(conn->pool, conn);
    if (conn->state == CONN_CLOSING) {
        conn_closing_step(table, conn);
    } else {
        conn_connect_failed(table, conn, conn_class_of_connect(conn, errno_value), clock_now_ns());
    }
}

void conn_chain_unsent(struct conn_table *table, struct conn *conn)
{
    if (!conn->connected) return; /* The connect has failed, and its receive will say so too. */
    conn->flight &= (uint8_t)~FLIGHT_RECV;
    if (conn->state == CONN_CLOSING) {
        conn_closing_step(table, conn);
    } else {
        conn_arm_recv(table, conn); /* It will tell how the connection ended. */
    }
}
