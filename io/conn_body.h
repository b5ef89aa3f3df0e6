/* conn_body: bodies of requests that are sent apart from their head, piece by piece: those too
 * large for one send, and those that wait for leave (Expect: 100-continue, RFC 9110
 * section 10.1.1).
 *
 * A body is a few spans of memory, of which one may be a mapped file. The kernel reads the mapping
 * and fails the send where the file has become shorter (EFAULT); TLS would meet the end of it as
 * SIGBUS, and reads the file. So no file is copied but by a cipher, and none is held in memory.
 *
 * A peer may answer before it has all of the body. The rest is sent all the same, for the
 * connection can be used again then, unless the answer ends it. While the body waits for leave its
 * request is the last of the connection: a final answer instead of leave ends it, and the body is
 * not sent.
 *
 * Threads: the worker's. */
#ifndef IO_CONN_BODY_H
#define IO_CONN_BODY_H

#include "io/conn_table.h"

enum { CONN_BODY_SPANS = 3 };

struct conn_span {
    const char *data; /* Unchanged for the ring's life; of a file: its mapping. */
    uint64_t len;     /* At least 1. */
    int fd;           /* The file, from whose start the span comes; -1: `data` is memory. */
};

struct conn_body {
    struct conn_span spans[CONN_BODY_SPANS];
    uint32_t count; /* At least 1. */
};

/* Sends the head, `len` bytes that stay unchanged until the next `ready`, of the only request that
 * was pushed since the last send, and then `body`, which stays until then too. With `expects` not
 * before the peer says 100, or has said nothing for a second. Without pipelining only. */
void conn_send_body(struct conn_table *table, struct conn *conn, const void *head, size_t len,
                    const struct conn_body *body, bool expects);

/* For the parts of conn, all of a connection that has a body. */

/* What is left of the span that is being sent. */
static inline struct conn_span conn_body_rest(const struct conn *conn)
{
    struct conn_span rest = conn->body->spans[conn->body_span];

    rest.data += conn->body_sent;
    rest.len -= conn->body_sent;
    return rest;
}

/* True if a piece of it may be sent. */
static inline bool conn_body_goes(const struct conn *conn)
{
    return conn->body != NULL && conn->body_step == BODY_GOES;
}

/* `len` bytes of it, at least 1, are gone; with the last of them it is no more the connection's. */
void conn_body_advance(struct conn_table *table, struct conn *conn, uint64_t len);

/* The completion of a plain send of the head, or of a piece. */
void conn_body_on_send(struct conn_table *table, struct conn *conn, int32_t res);

/* The peer has said 100. */
void conn_body_continue(struct conn_table *table, struct conn *conn);

/* A send has failed (conn->send_error): nothing more goes. How the connection ended says the end of
 * its receive; see conn_eof(). */
void conn_body_break_off(struct conn_table *table, struct conn *conn);

/* Its file cannot be read any more. Not while the owner is calling. */
void conn_body_lost(struct conn_table *table, struct conn *conn, uint64_t now_ns);

/* The connection's timer has fired. True if that was the connection's end. */
MUST_USE bool conn_body_timer(struct conn_table *table, struct conn *conn, uint64_t now_ns);

/* When the connection is tired of waiting for leave; TIME_NEVER: it does not wait. */
uint64_t conn_body_tired_ns(const struct conn_table *table, const struct conn *conn);

#endif
