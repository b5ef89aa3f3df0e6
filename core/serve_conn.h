/* serve_conn: one connection of the test target. Private to serve.
 *
 * Invariants:
 *  1. It is FREE exactly when nothing in the kernel names its socket.
 *  2. At most one receive and one loud send are in flight. A quiet send does not wait, so it has
 *     ended once the batch is submitted: there is one per batch, and nothing is sent behind it in
 *     that batch but an empty loud send, a fence: whether the quiet one took all its bytes is
 *     known before the fence's completion.
 *  3. The bytes of a loud send stay until its completion: constants, a kept answer that is held, or
 *     `out` and `body`, which are given back only when no send is in flight.
 *  4. In CANCELLING nothing is started but the cancel; in CLOSING nothing at all.
 *  5. The close's completion makes it FREE, and only that; then its generation counts up.
 *  6. A completion of another generation, but for a quiet send's failure, is a bug. */
#ifndef CORE_SERVE_CONN_H
#define CORE_SERVE_CONN_H

#include "core/base/timers.h"
#include "core/serve_fault.h"
#include "core/serve_http.h"
#include "core/serve_pool.h"
#include "core/serve_reply.h"
#include "io/ring.h"

struct serve_thread;

/* States, and where each may lead. */
#define SERVE_CONN_STATES(X)                                                            \
    X(FREE, TO(READY))                                                                  \
    X(READY, TO(BODY) | TO_ANSWER)               /* For a request's head. */            \
    X(BODY, TO(READY) | TO_ANSWER)               /* Reads a request's body. */          \
    X(DELAYED, TO(READY) | TO_ANSWER)            /* The answer waits. */                \
    X(SENDING, TO(READY) | TO(BODY) | TO_ANSWER) /* A loud send is in flight. */        \
    X(PAUSED, TO(SENDING) | TO(CANCELLING))      /* Between two pieces of an answer. */ \
    X(SILENT, TO(CANCELLING))                    /* Never answers again. */             \
    X(LINGERING, TO(CANCELLING))                 /* Drops what comes, then closes. */   \
    X(CANCELLING, TO(CLOSING))                   /* Waits for what is in flight. */     \
    X(CLOSING, TO(FREE))

enum serve_conn_state {
#define X(name, next) SERVE_CONN_##name,
    SERVE_CONN_STATES(X)
#undef X
        SERVE_CONN_STATES_COUNT
};

struct serve_conn {
    uint32_t generation;
    uint8_t state;            /* enum serve_conn_state; changed by serve_conn_to() only. */
    bool recv_armed;          /* A receive is in flight, */
    bool send_busy;           /* a loud send, */
    bool cancel_busy;         /* a cancel. */
    bool eof;                 /* The client has sent its last byte. */
    bool more;                /* Bytes wait behind the request under way. */
    bool kept_held;           /* The edition of `kept` that was sent is held. */
    bool continuing;          /* SENDING is of 100 Continue, the body comes next. */
    bool body_chunked;        /* BODY: its framing. */
    bool deaf;                /* Takes no further request; what comes is dropped. */
    bool heard;               /* LINGERING: something has come in this round. */
    uint8_t end;              /* enum serve_end, of the answer under way. */
    uint8_t variant;          /* SERVE_SAYS_… of the answer under way. */
    uint8_t linger_rounds;    /* LINGERING: so far. */
    uint8_t id_len;           /* Of the id in the thread's `ids`. */
    uint32_t kept_len;        /* Length of `kept_text`. */
    uint32_t send_len;        /* Of the loud send in flight; 0: a fence. */
    uint64_t quiet_batch;     /* Batch of the last quiet send. */
    struct serve_reply *kept; /* The kept answer that was sent last, */
    const char *kept_text;    /* and what was sent of it. */
    struct serve_block *in;   /* Bytes that came and wait. NULL: none, here and below. */
    struct serve_block *out;  /* An answer built for the occasion. */
    struct serve_block *body; /* A request's body that is to be sent back. */
    uint64_t requests;        /* Taken so far. */
    struct serve_route route; /* Of the request under way. */
    uint64_t body_left;       /* BODY by length: bytes still to come. */
    struct serve_chunked chunked;
    const char *loop;   /* What is left of the answer: this again and again, */
    uint64_t loop_left; /* so many bytes of it (UINT64_MAX: without end), */
    const char *tail;   /* then this, */
    uint32_t loop_len;
    uint32_t tail_left;
    uint32_t piece_bytes; /* in pieces of so many bytes, */
    uint32_t pause_ms;    /* each after a pause. */
    struct timer timer;   /* DELAYED, PAUSED, LINGERING. */
};

/* Changes the state; aborts if the table above does not allow it. */
void serve_conn_to(struct serve_conn *c, enum serve_conn_state next);

/* A connection was accepted at `c`, which is FREE. */
void serve_conn_accepted(struct serve_thread *thread, struct serve_conn *c);

/* An event of its receive; a lent buffer is the caller's to return. */
void serve_conn_received(struct serve_thread *thread, struct serve_conn *c,
                         const struct ring_event *event);

/* Its quiet send did not take all of its bytes. */
void serve_conn_quiet_failed(struct serve_thread *thread, struct serve_conn *c, int res);

/* Its loud send, its cancel, its close completed. */
void serve_conn_sent(struct serve_thread *thread, struct serve_conn *c, int res);
void serve_conn_cancelled(struct serve_thread *thread, struct serve_conn *c);
void serve_conn_closed(struct serve_thread *thread, struct serve_conn *c);

/* Something in flight has ended: closes in CANCELLING, if nothing else is. */
void serve_conn_try_close(struct serve_thread *thread, struct serve_conn *c);

/* Its timer is due. */
void serve_conn_timed(struct serve_thread *thread, struct serve_conn *c);

/* For serve_answer: sends a kept answer `copies` times, quietly if that may be, which leaves it
 * READY; sends loudly (`message` as ring_sendmsg() wants it, `bytes` in all); goes on
 * with what is left of the answer, to its end; ends the connection. */
void serve_conn_send_kept(struct serve_thread *thread, struct serve_conn *c,
                          struct serve_reply *reply, uint32_t copies);
void serve_conn_send(struct serve_thread *thread, struct serve_conn *c, const char *data,
                     uint32_t len);
void serve_conn_sendmsg(struct serve_thread *thread, struct serve_conn *c,
                        const struct msghdr *message, uint32_t bytes);
void serve_conn_continue(struct serve_thread *thread, struct serve_conn *c);
void serve_conn_end(struct serve_thread *thread, struct serve_conn *c);

/* True while it may take a request or a part of one. */
static inline bool serve_conn_takes(const struct serve_conn *c)
{
    return (c->state == SERVE_CONN_READY || c->state == SERVE_CONN_BODY) && !c->deaf;
}

#endif
