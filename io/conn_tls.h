/* conn_tls: what a connection to an https target has besides: its session, and the send buffer that
 * its ciphertext goes out of.
 *
 * Received bytes go through the session to conn_feed(), the bytes of requests through it into the
 * send buffer. All that a call leaves there goes out in one send at the end of the turn: the last
 * flight of a handshake and the first request make one segment. While a send is in flight further
 * ciphertext is put behind it, so a connection takes a request at any time unless part of the one
 * before it still waits for room.
 *
 * What fits the buffer is sent quietly and without waiting: there is no completion unless the
 * socket is full, and then it comes in the next batch, before anything else of the connection. So
 * there is one such send per batch; what follows it in the same batch waits behind an empty loud
 * send. The rest of a send that the socket did not take goes loudly, as does what has no room.
 *
 * With early data, where a ticket allows it, the connection is IDLE, and takes a request, from its
 * beginning on (`early`): the request goes in front of the handshake, which begins with it, or in
 * the next turn without one. There is room for one until the handshake is done.
 *
 * The session lives from connected to FREE. In CLOSING what comes is still read, and dropped: only
 * so is it known whether the peer said that it closes.
 *
 * Private to conn. Threads: the worker's. */
#ifndef IO_CONN_TLS_H
#define IO_CONN_TLS_H

#include "io/conn_impl.h"

struct conn_tls {
    struct tls_session session;
    char *out;         /* [table.tls_out_size]; constant. */
    size_t out_len;    /* Ciphertext in it, … */
    size_t sending;    /* … of which so much is in flight loudly, … */
    size_t quiet;      /* … or went quietly in batch … */
    uint64_t quiet_at; /* … of this number. */
    const char *plain; /* What of a request has found no room; its owner's. */
    size_t plain_left;
    const char *early; /* What went as early data: to be sent again if the peer does not take it. */
    size_t early_len;
    uint64_t begun_ns; /* When the handshake began. */
    bool gone;         /* The peer has closed. */
    bool corked;       /* In the middle of a turn: nothing is sent until its end. */
};

/* Connected: begins the handshake. */
void conn_tls_begin(struct conn_table *table, struct conn *conn, uint64_t now_ns);

/* The timer of a connection that is `early` has fired. True if deadlines of requests are next. */
MUST_USE bool conn_tls_early_timer(struct conn_table *table, struct conn *conn, uint64_t now_ns);

/* Reads received ciphertext; as conn_feed(), in CLOSING too. */
uint32_t conn_tls_feed(struct conn_table *table, struct conn *conn, const char *data, size_t len);

/* The peer has closed its side, in any state. */
void conn_tls_eof(struct conn_table *table, struct conn *conn);

/* The handshake, or the session, has failed. */
void conn_tls_fail(struct conn_table *table, struct conn *conn, enum failed_class why,
                   uint64_t now_ns);

/* A body may go: encrypts and sends what has room. */
void conn_tls_go_on(struct conn_table *table, struct conn *conn);

/* As conn_send(), conn_on_send() and conn_on_quiet(). */
void conn_tls_send(struct conn_table *table, struct conn *conn, const char *bytes, size_t len);
void conn_tls_on_send(struct conn_table *table, struct conn *conn, int32_t res);
void conn_tls_on_quiet(struct conn_table *table, struct conn *conn, int32_t res);

/* CLOSING: says so, or what was wrong, once, unless the peer has closed or a send is in flight. */
void conn_tls_say_goodbye(struct conn_table *table, struct conn *conn);

/* The slot becomes FREE. */
void conn_tls_free(struct conn *conn);

#endif
