/* serve_tls: TLS between the ring and the connections of the test target. A connection does not
 * know of it: what it receives has been decrypted, what it sends is encrypted on its way out,
 * always loudly and piece by piece through a buffer of its own. Its send is over when the last
 * piece is. Output of the handshake goes the same way without its knowledge.
 *
 * Threads: a serving thread's. */
#ifndef CORE_SERVE_TLS_H
#define CORE_SERVE_TLS_H

#include <sys/uio.h>

#include "core/base/err.h"
#include "core/serve_conn.h"
#include "tls/tls.h"

/* Of one connection. */
struct serve_tls_conn {
    struct tls_session session;
    char *out;         /* Constant. */
    size_t out_len;    /* Ciphertext in it, … */
    size_t sending;    /* … of which so much is in flight. */
    struct iovec own;  /* A send from one place. */
    struct iovec next; /* What is encrypted next, … */
    const struct iovec
        *iov;          /* … and what is behind it; the connection's, until its send is over. */
    size_t plain_left; /* Of both. */
    bool in_flight;
    bool corked; /* More output may come before anything is sent. */
    bool broken; /* Nothing can be sent any more. */
};

/* Of one thread; NULL in its struct serve_thread: it speaks no TLS. */
struct serve_tls {
    struct tls_ctx *ctx;
    struct serve_tls_conn *conns; /* By socket. */
    char *plain;                  /* [TLS_PLAIN_BYTES]: a record that was received, and */
    char *gather;                 /* [TLS_PLAIN_BYTES]: one put together of several places. */
};

/* Makes thread->tls in the thread's arena, as its options say. ERR_FILE, ERR_MEMORY, ERR_USAGE as
 * tls_ctx_new(). */
MUST_USE enum err serve_tls_open(struct serve_thread *thread);

/* Gives back what OpenSSL holds, after the ring was closed. */
void serve_tls_close(struct serve_thread *thread);

/* A connection was accepted, and is closed. False: there is no memory for its session. */
MUST_USE bool serve_tls_accepted(struct serve_thread *thread, const struct serve_conn *c);
void serve_tls_closed(struct serve_thread *thread, const struct serve_conn *c);

/* In place of serve_conn_received(). */
void serve_tls_received(struct serve_thread *thread, struct serve_conn *c,
                        const struct ring_event *event);

/* Sends for a connection; serve_conn_sent() follows when all is out. */
void serve_tls_send(struct serve_thread *thread, struct serve_conn *c, const char *data,
                    uint32_t len);
void serve_tls_sendmsg(struct serve_thread *thread, struct serve_conn *c,
                       const struct msghdr *message, uint32_t bytes);

/* The completion of a send that this part has started. */
void serve_tls_sent(struct serve_thread *thread, struct serve_conn *c, int res);

/* True while something that this part has started is in flight. */
bool serve_tls_is_sending(const struct serve_thread *thread, const struct serve_conn *c);

/* Says that we close, if that can go at once. */
void serve_tls_say_goodbye(struct serve_thread *thread, struct serve_conn *c);

#endif
