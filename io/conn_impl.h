/* conn_impl: what the parts of conn share: conn.c (life), conn_send.c and conn_recv.c (its two
 * halves towards the kernel), conn_body.c (long requests), conn_tunnel.c (a proxy's consent),
 * conn_tls.c (https) and conn_http.c (the bytes of answers). */
#ifndef IO_CONN_IMPL_H
#define IO_CONN_IMPL_H

#include "core/base/check.h"
#include "io/conn_body.h"
#include "io/op.h"

/* Which states may follow each: bits. */
extern const uint8_t conn_legal[CONN_STATE_COUNT];

/* Changes the state; aborts if the step is not a legal one. */
static inline void conn_to(struct conn *conn, enum conn_state next)
{
    CHECK(conn_legal[conn->state] & (1u << next));
    conn->state = (uint8_t)next;
}

/* Takes CLOSING one step on: cancel what is in flight, then close, then free. */
void conn_closing_step(struct conn_table *table, struct conn *conn);

/* What it takes to be connected is done: TLS is next, where the target speaks it. */
void conn_established(struct conn_table *table, struct conn *conn);

/* The connection is idle for the first time, and its owner is told. */
void conn_ready(struct conn_table *table, struct conn *conn, uint64_t now_ns);

/* This attempt to connect, or what has to follow it, failed: another one is made, or the pool's
 * owner has been told. Not for IDLE and later. */
void conn_connect_failed(struct conn_table *table, struct conn *conn, enum failed_class why,
                         uint64_t now_ns);

/* Asks the proxy for the target. From then on until the connection is established what comes is
 * conn_tunnel_feed()'s, and an end of the stream is conn_tunnel_ended()'s (errno 0: in order). */
void conn_tunnel_begin(struct conn_table *table, struct conn *conn);
void conn_tunnel_feed(struct conn_table *table, struct conn *conn, const char *data, size_t len);
void conn_tunnel_ended(struct conn_table *table, struct conn *conn, int errno_value);

/* A response head, whole in what came or put together in the carry. */
struct conn_head {
    struct http1_head facts;
    const char *text; /* Valid until the next receive. */
    size_t used;      /* How much of what came was the head's. */
};

/* Reads a head from `data`, or goes on with the one in the carry. HTTP1_MORE: all of it is kept
 * there. Other results but HTTP1_DONE: the connection is of no use any more. */
MUST_USE enum http1_result conn_take_head(struct conn_table *table, struct conn *conn,
                                          const char *data, size_t len, struct conn_head *ret_head);

/* The class of a response that cannot be read. */
enum failed_class conn_class_of(enum http1_result result);

/* What on_closed() leaves: FREE, another generation, nothing of what was. */
void conn_reset(struct conn_table *table, struct conn *conn);

/* Instead of closing, if a request waits: closes, and begins the next connection with it, in one go
 * (conn_chain.c). For a connection in CLOSING with nothing in flight, from events only, for
 * the slot is another connection afterwards. False if it is to be closed. */
MUST_USE bool conn_chain(struct conn_table *table, struct conn *conn);

/* Of a chain: it is connected; its socket could not be made; its request could not be sent, so that
 * its receive has not begun. */
void conn_chain_connected(struct conn_table *table, struct conn *conn);
void conn_chain_no_socket(struct conn_table *table, struct conn *conn, int errno_value);
void conn_chain_unsent(struct conn_table *table, struct conn *conn);

/* The class of an attempt to connect that ended with this errno. */
enum failed_class conn_class_of_connect(const struct conn *conn, int errno_value);

/* Starts the receive of a connection that has none in flight. */
void conn_arm_recv(struct conn_table *table, struct conn *conn);

/* Completions of a receive, of one that drains, of a loud send, and of a send that should have
 * had none. */
void conn_on_recv(struct conn_table *table, struct conn *conn, const struct ring_event *event);
void conn_on_drain(struct conn_table *table, struct conn *conn, const struct ring_event *event);
void conn_on_send(struct conn_table *table, struct conn *conn, int32_t res);
void conn_on_quiet(struct conn_table *table, struct conn *conn, int32_t res);

/* True in IDLE, SENDING and RECEIVING: what comes is answers. */
static inline bool conn_is_open(const struct conn *conn)
{
    return (unsigned)conn->state - CONN_IDLE <= CONN_RECEIVING - CONN_IDLE;
}

/* Reads received bytes. May report answers and failures and may close the connection; returns
 * how many requests were answered. */
uint32_t conn_feed(struct conn_table *table, struct conn *conn, const char *data, size_t len);

/* `len` bytes of the body were drained, not more than were left of it. True if it is complete. */
MUST_USE bool conn_drained(struct conn_table *table, struct conn *conn, uint64_t len);

/* The peer has closed its side. */
void conn_eof(struct conn_table *table, struct conn *conn);

/* A send or receive ended with an errno. */
void conn_stream_error(struct conn_table *table, struct conn *conn, int errno_value);

/* Reports the oldest request as failed with `why`, those behind it as not processed, closes. */
void conn_fail(struct conn_table *table, struct conn *conn, enum failed_class why, uint64_t now_ns);

/* Closes once the peer has closed, or after a short while: after the last answer of a
 * connection the server closes at once, and so it never sees more connections than it should. */
void conn_close_after_peer(struct conn_table *table, struct conn *conn, uint64_t now_ns);

static inline uint64_t conn_op(const struct conn *conn, enum op_kind kind)
{
    return op_pack(kind, conn->slot, conn->generation);
}

static inline struct conn_request *conn_oldest(const struct conn_table *table,
                                               const struct conn *conn)
{
    return &conn->window[conn->window_first & (table->window_size - 1)];
}

/* How long a request may take. */
static inline uint64_t conn_bound_ns(const struct conn_table *table, uint16_t bound)
{
    return likely(bound == 0) ? table->timeout_ns : table->bounds_ns[bound - 1];
}

/* conn_take_request(), known here. */
static inline bool conn_take(struct conn_table *table, struct conn *conn,
                             struct conn_request *ret_request)
{
    if (conn->window_count == 0) return false;
    *ret_request = *conn_oldest(table, conn);
    conn->window_first++;
    conn->window_count--;
    return true;
}

#endif
