/* conn_table: all connections of a worker, and what can be done with one.
 *
 * Threads: the worker's. */
#ifndef IO_CONN_TABLE_H
#define IO_CONN_TABLE_H

#include "core/base/arena.h"
#include "io/conn_owner.h"
#include "io/pace.h"

/* All connections of a worker. */
struct conn_table {
    struct ring *ring;
    const struct ring_counts *ring_counts; /* The ring's, for `enters`. */
    struct timers *timers;
    struct conn_owner owner;
    struct conn_counts counts;
    struct conn *conns;      /* [count] */
    struct conn *free_first; /* Linked by idle_next. */
    uint32_t count;
    uint32_t window_size; /* A power of two, at least */
    uint32_t window_max;  /* the requests that may be outstanding on a connection. */
    uint32_t free_count;
    char *carry; /* [count * head_bytes_max], touched only by heads in pieces. */
    uint32_t head_bytes_max;
    uint32_t small_body_max; /* Bodies above it make a pool use large buffers. */
    void *sink;          /* Where bodies are drained to; NULL: nowhere, the kernel discards them. */
    uint32_t sink_bytes; /* Its size. */
    uint32_t requests_max; /* Per connection, whatever the server says; UINT32_MAX: no bound. */
    struct pace pace;      /* Of attempts to connect. */
    bool chains;           /* Connections for one request each are made by ring_chain(). */
    uint64_t connect_timeout_ns;
    uint64_t first_byte_timeout_ns; /* TIME_NEVER = none. */
    uint64_t timeout_ns;
    const uint64_t *bounds_ns; /* Of requests with deadlines of their own; NULL: there are none. */
    uint64_t tls_timeout_ns;   /* Of a handshake. */
    struct conn_tls *tls;      /* [count]; NULL: nothing is TLS. */
    char *tls_plain;           /* [TLS_PLAIN_BYTES]: what a record held, until it is read. */
    char *tls_body;            /* [TLS_PLAIN_BYTES]: of a file, on its way into a record. */
    uint64_t batch;            /* Of completions; the owner counts, before it runs the first. */
    bool unheard;              /* Among the events in hand are some of quiet sends. */
    size_t tls_work;           /* What TLS has done since the last ring_submit(), in bytes. */
    size_t tls_out_size;       /* Of each connection's send buffer. */
    uint32_t returns;          /* Buffers given back so far, modulo 2^32. */
    uint32_t parked_count;
    uint32_t *parked;     /* [count]: slots whose receive waits for a buffer to come back. */
    uint64_t short_sends; /* NOWAIT sends that the kernel did not take whole. */
    uint64_t done_ns;     /* When the last answer was complete. */
    uint64_t fed_ns;      /* The clock, once read for the received bytes in hand; else 0. */
};

/* Makes `count` FREE connections in `arena`. The caller has set every field up to `counts`, and
 * count, window_size, window_max, head_bytes_max, requests_max and the deadlines. False when the
 * arena refuses.
 */
MUST_USE bool conn_table_init(struct conn_table *table, struct arena *arena);

/* The same for what TLS needs, where a pool is TLS: the caller has set tls_out_size, which a send's
 * bytes need not fit. False when the arena refuses. */
MUST_USE bool conn_table_init_tls(struct conn_table *table, struct arena *arena);

/* Closes the sessions of all connections, when the ring is closed. */
void conn_table_release(struct conn_table *table);

/* Looks at completions that will be run one by one; where anything is TLS. */
void conn_tls_note_events(struct conn_table *table, const struct ring_event *events,
                          uint32_t count);

/* Runs one completion. */
void conn_event(struct conn_table *table, const struct ring_event *event);

/* Runs a timer of kind TIMER_CONN that has fired at `now_ns`. */
void conn_timer(struct conn_table *table, struct timer *timer, uint64_t now_ns);

/* Takes a FREE slot for `pool`, which there must be, and begins to connect. When the socket cannot
 * even be made the pool is told at once, and the slot is FREE again. */
void conn_open(struct conn_table *table, struct pool *pool, uint64_t now_ns);

/* True if the newest outstanding request is the last that the connection carries. */
static inline bool conn_is_last(const struct conn *conn)
{
    return conn->window_first + conn->window_count == conn->requests_max;
}

/* How many more requests the connection can take now: 0 while a loud send is in flight. */
uint32_t conn_room(const struct conn_table *table, const struct conn *conn);

/* Puts a request into the window (conn_room() > 0). Its bytes go with the next conn_send(), in
 * this turn of the owner's loop. */
void conn_push(struct conn_table *table, struct conn *conn, const struct conn_ask *ask,
               uint64_t now_ns);

/* LOUD: the bytes stay unchanged until the next `ready`. QUIET: they never change; no completion
 * is waited for. NOWAIT: they stay unchanged until the next send; one per turn of the owner's loop,
 * and only while ring_is_settled(). */
enum conn_send_how { CONN_SEND_LOUD, CONN_SEND_QUIET, CONN_SEND_NOWAIT };

/* Queues the bytes of the requests pushed since the last send. */
void conn_send(struct conn_table *table, struct conn *conn, const void *bytes, size_t len,
               enum conn_send_how how);

/* Ends a connection in any state but FREE: cancels, closes, frees. Outstanding requests are the
 * caller's to account for: conn_take_request() first. No-op in CLOSING. */
void conn_close(struct conn_table *table, struct conn *conn);

/* Takes the oldest outstanding request out of the window; false when there is none. */
MUST_USE bool conn_take_request(struct conn_table *table, struct conn *conn,
                                struct conn_request *ret_request);

#endif
