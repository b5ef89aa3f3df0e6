/* conn_tunnel: a step between connected and established: a proxy is asked for the target by CONNECT
 * (RFC 9110 section 9.3.6). A 2xx makes the connection a tunnel, whatever it says of a body; what
 * comes from then on is the target's. Anything else is the proxy's refusal. The deadline is that
 * of connecting, which goes on. */
#include "core/base/check.h"
#include "core/base/clock.h"
#include "io/conn_impl.h"
#include "io/pool.h"

void conn_tunnel_begin(struct conn_table *table, struct conn *conn)
{
    const struct pool *pool = conn->pool;

    conn_to(conn, CONN_TUNNELING);
    ring_send(table->ring, conn->slot, pool->tunnel, pool->tunnel_len, RING_SEND_QUIET,
              conn_op(conn, OP_SEND_QUIET));
}

static void fail(struct conn_table *table, struct conn *conn, enum failed_class why)
{
    conn_connect_failed(table, conn, why, clock_now_ns());
}

/* The proxy's last word is in; `left` bytes came behind it. */
static void answered(struct conn_table *table, struct conn *conn, uint16_t status, size_t left)
{
    struct pool *pool = conn->pool;

    conn->interim_count = 0;
    if (status / 100 != 2) {
        pool->owner.tunnel_refused(pool->owner.self, pool, status);
        fail(table, conn, FAILED_PROXY_REFUSED);
    } else if (left > 0) { /* A target that speaks first does not speak HTTP, nor TLS. */
        fail(table, conn, FAILED_UNSOLICITED);
    } else {
        conn_established(table, conn);
    }
}

void conn_tunnel_feed(struct conn_table *table, struct conn *conn, const char *data, size_t len)
{
    *table->counts.bytes_received += len;
    while (len > 0 && conn->state == CONN_TUNNELING) {
        struct conn_head head;
        enum http1_result result = conn_take_head(table, conn, data, len, &head);

        if (result == HTTP1_MORE) return;
        if (result != HTTP1_DONE) {
            fail(table, conn, conn_class_of(result));
            return;
        }
        conn->carry_len = 0;
        data += head.used;
        len -= head.used;
        if (head.facts.status / 100 != 1) {
            answered(table, conn, head.facts.status, len);
            return;
        }
        (*table->counts.interim)++;
        if (++conn->interim_count > HTTP1_INTERIM_MAX) fail(table, conn, FAILED_HEAD_TOO_LARGE);
    }
}

void conn_tunnel_ended(struct conn_table *table, struct conn *conn, int errno_value)
{
    enum failed_place place = conn->carry_len > 0 ? FAILED_IN_HEAD : FAILED_BEFORE;

    if (errno_value != 0) {
        fail(table, conn, failed_of_stream(errno_value, place));
    } else {
        fail(table, conn,
             place == FAILED_BEFORE ? FAILED_CLOSED_BEFORE_RESPONSE : FAILED_INCOMPLETE);
    }
}
