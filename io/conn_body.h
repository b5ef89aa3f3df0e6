/* conn_body: bodies of requests that are sent apart from their head, piece by piece: those too
 * large for one send, and those that wait for leave (Expect: 100-continue, RFC 9110
 * section 10.1.1).
 *
 * A body is a few spans of memory, of which one may be a mapped file. The kernel reads the mapping
 * and fails the send where the file has become shorter (EFAULT); TLS would meet the end of it as
 * SIGBUS, and reads the file. So no file is copied but by a cipher, and none is held in memory.
 *
 * Or its pieces come while it is sent, from its owner: then the connection asks for the next when
 * the one before is gone, and may have to wait for it. Nobody else's request goes out meanwhile.
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

/* What a body's owner says when the connection asks for its next piece. */
enum conn_more {
    CONN_MORE_PIECE, /* Here it is. */
    CONN_MORE_LATER, /* conn_body_resume() will follow. */
    CONN_MORE_NONE,  /* That was all of the body. */
    CONN_MORE_LOST,  /* It cannot be read any more. */
};

struct conn_body {
    struct conn_span spans[CONN_BODY_SPANS];
    uint32_t count; /* At least 1, unless `next` is set. */
    /* Of a body whose pieces come: spans[0] is set to the next one, which stays unchanged until it
     * is asked again, or `over`. NULL: the spans are all of it. It may not call the connection. */
    enum conn_more (*next)(void *self);
    /* The connection has nothing to do with the body any more, however much of it was sent, nor has
     * the kernel. NULL: nobody wants to know. */
    void (*over)(void *self);
    void *self;
};

/* Sends the head, `len` bytes that stay unchanged until the next `ready`, of the only request that
 * was pushed since the last send, and then `body`, which stays until then too. With `expects` not
 * before the peer says 100, or has said nothing for a second. Where requests are pipelined the
 * connection must have had none outstanding; it has room again when the body is gone. */
void conn_send_body(struct conn_table *table, struct conn *conn, const void *head, size_t len,
                    const struct conn_body *body, bool expects);

/* The next piece of the connection's body has come, or will not. Only after CONN_MORE_LATER. */
void conn_body_resume(struct conn_table *table, struct conn *conn);

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

/* True if the peer has been sent some of it, or is about to be. */
static inline bool conn_body_has_begun(const struct conn *conn)
{
    return conn->body != NULL && conn->body_step != BODY_WAITS;
}

/* Tells the owner of a body that it is over; NULL is fine. */
static inline void conn_body_over(const struct conn_body *body)
{
    if (body != NULL && body->over != NULL) body->over(body->self);
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
