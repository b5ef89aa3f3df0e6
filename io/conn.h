/* conn: one client connection, hand-built HTTP/1.1 over the ring.
 *
 * A connection carries a window of outstanding requests (one without pipelining), reads their
 * answers in order, and reports each to its owner. It stores no body and allocates nothing; only
 * a response head that came in pieces is copied, into the connection's carry.
 *
 * With pipelining a send may find the socket full, because the peer answers before it has read
 * all. So sends are quiet and NOWAIT, one per turn of the owner's loop, in turns in which
 * ring_is_settled(); of one that was cut short the rest goes loudly, and the connection has no
 * room until it is gone.
 *
 * Invariants
 *  1. A slot is FREE exactly when nothing in the kernel names it (a quiet send that fails late
 *     excepted: it names bytes that never change, and its completion is dropped).
 *  2. At most one send and one receive are in flight.
 *  3. A send's bytes do not change while it is in flight.
 *  4. CLOSING starts nothing but cancel and close.
 *  5. The close's completion is the last.
 *  6. A completion of another generation than the slot's is a bug (quiet sends excepted).
 *
 * Deadlines cost nothing per request: a connection arms one timer, and when that fires again for
 * what its most urgent request has left.
 *
 * Threads: the worker's. */
#ifndef IO_CONN_H
#define IO_CONN_H

#include "core/base/timers.h"
#include "io/failed.h"
#include "io/http1.h"
#include "io/ring.h"
#include "tls/tls.h"

#define CONN_STATES(X) \
    X(FREE) X(CONNECTING) X(TUNNELING) X(HANDSHAKING) X(IDLE) X(SENDING) X(RECEIVING) X(CLOSING)
#define CONN_ENUM(name) CONN_##name,
enum conn_state { CONN_STATES(CONN_ENUM) };
#undef CONN_ENUM
#define CONN_ONE(name) +1
enum { CONN_STATE_COUNT = 0 CONN_STATES(CONN_ONE) };
#undef CONN_ONE
/* TUNNELING: a proxy has been asked for the target and has not answered (conn_tunnel.c).
 * HANDSHAKING: of TLS, with an https target (conn_tls.c).
 * SENDING: requests are outstanding and no byte of the oldest one's answer has come.
 * RECEIVING: some have. An answer that comes whole leads from SENDING to IDLE at once. */

/* Operations in flight. A quiet send is not among them. */
enum { FLIGHT_CONNECT = 1, FLIGHT_SEND = 2, FLIGHT_RECV = 4, FLIGHT_CANCEL = 8, FLIGHT_CLOSE = 16 };

/* How bytes are received, by the sizes of the bodies that the pool has seen: receives that stay
 * armed over small or large buffers; or one receive at a time, the rest of a body whose length is
 * known being drained, never a byte more. */
enum conn_mode { MODE_SMALL, MODE_LARGE, MODE_DRAIN };

/* Which part of a response is read next. */
enum conn_part { PART_HEAD, PART_LENGTH, PART_CHUNKED, PART_CLOSE };

enum conn_body_step { BODY_WAITS, BODY_GOES, BODY_STARVES, BODY_LOST }; /* See conn.body_step. */

enum { TIMER_CONN = 1, TIMER_POOL = 2 }; /* timer.kind */

struct conn_request {
    uint64_t due_ns;
    uint64_t sent_ns;
    uint64_t enters; /* ring_counts.enters when it was queued: bytes seen before the next enter
                        cannot be its answer. */
    uint32_t kind;   /* The owner's: which of its requests it is. */
    uint16_t bound;  /* Its deadline: 0: table.timeout_ns; else table.bounds_ns[bound - 1]. */
    uint8_t asked;   /* enum http1_asked */
    bool watched;    /* The owner wants to see its answer: conn_owner.head and .body. */
};

/* A request for conn_push(). */
struct conn_ask {
    uint64_t due_ns;
    uint32_t kind;
    uint16_t bound;
    uint8_t asked; /* enum http1_asked */
    bool watched;
};

struct conn_answer {
    uint64_t first_ns; /* Its first byte was there; done_ns if it came whole. */
    uint64_t done_ns;
    uint64_t body_bytes;
    uint16_t status;
};

/* A TLS handshake that has ended. */
struct conn_handshake {
    uint64_t begun_ns, ended_ns;
    enum failed_class why;  /* FAILED_COUNT: it did well. */
    const char *detail;     /* What more is known of a failure; static, "" for nothing. */
    struct tls_facts facts; /* If it did well. */
};

struct pool;
struct conn_tls;
struct conn_body;

struct conn {
    uint8_t state;               /* enum conn_state; written by conn_to() only. */
    uint8_t flight;              /* FLIGHT_… bits. */
    uint8_t part;                /* enum conn_part. */
    uint8_t mode;                /* enum conn_mode that the receive was armed in. */
    bool reusable;               /* After the current answer. Valid in RECEIVING. */
    uint8_t interim_count;       /* 1xx heads before the current answer. */
    uint16_t status;             /* Of the current answer, once its head is in. */
    uint32_t slot;               /* Index in the table and in the ring's; constant. */
    uint32_t generation;         /* Grows at each FREE. */
    uint32_t number;             /* The owner's, for telling connections apart. */
    uint32_t window_first;       /* Oldest outstanding request, modulo the window's size. */
    uint32_t window_count;       /* Outstanding requests. */
    struct conn_request *window; /* [table.window_size]; constant. */
    uint32_t requests_max;       /* How many it carries; UINT32_MAX: no bound. */
    struct pool *pool;           /* In FREE only while it waits to connect again. */
    struct conn_tls *tls;        /* NULL: plain, or not connected. */
    struct timer timer;  /* Connect deadline, or that of the oldest request, or of CLOSING; in FREE,
                            when it connects again. */
    uint64_t begun_ns;   /* When its last attempt to connect, at one address, began. */
    uint64_t first_ns;   /* When the first byte of an answer that is not whole had come; else 0. */
    uint64_t body_left;  /* PART_LENGTH: bytes to come. */
    uint64_t body_bytes; /* Of the current answer so far. */
    const char *send_data;        /* Of the last NOWAIT send; and */
    uint32_t send_len;            /* of that, or of the loud send in flight. */
    const struct conn_body *body; /* Of a request, until all of it is sent; else NULL. So are: */
    uint64_t body_sent;           /* so many bytes have been, of the span */
    uint8_t body_span, body_step; /* of this index; waits, goes, lacks its next piece, is lost; */
    bool body_head;               /* the head is not yet known to be sent (not TLS). */
    const struct conn_body *owed; /* CLOSING: the body that is over once the slot is FREE. */
    uint32_t idle_room;           /* In the idle list: conn_room() as it is counted there. */
    uint32_t carry_len;           /* Bytes of an incomplete head in the carry. */
    int32_t send_error;           /* errno of a send that failed; 0 = none. */
    const struct addresses *addresses; /* The pool's list when it began to connect, */
    uint32_t address;                  /* and which of these it connects to. */
    uint32_t addresses_tried; /* Until established: addresses that failed in this attempt, */
    uint32_t sources_tried;   /* and sources that had no port. */
    bool retry;               /* CLOSING: connect again once closed. */
    bool cancelled;           /* CLOSING: a cancel has been started. */
    bool parked;              /* Listed in table.parked: no buffer is left for its receive. */
    uint32_t starved_at;      /* table.returns + 1 when its receive last found no buffer. */
    bool connected;           /* Counted in `alive`. */
    bool early;               /* May take a request, and its handshake goes on. */
    bool chained;             /* Made by ring_chain(), with its only request. */
    bool peer_ended;          /* The peer has closed its side. */
    struct conn *idle_next, *idle_prev; /* Listed by the pool: has room, waits for requests. */
    struct http1_chunked chunked;       /* PART_CHUNKED. */
};

#endif
