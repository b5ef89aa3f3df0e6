/* conn: one client connection, hand-built HTTP/1.1 over the ring.
 *
 * A connection carries a window of outstanding requests (one without pipelining), reads their
 * answers in order, and reports each to its owner. It stores no body and allocates nothing; only
 * a response head that came in pieces is copied, into the connection's carry.
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
 * Deadlines cost nothing per request: a connection arms one timer, and when that fires looks at
 * its oldest request and arms again for what is left.
 *
 * Threads: the worker's. */
#ifndef IO_CONN_H
#define IO_CONN_H

#include "core/base/arena.h"
#include "core/base/timers.h"
#include "io/failed.h"
#include "io/http1.h"
#include "io/ring.h"

#define CONN_STATES(X)  X(FREE) X(CONNECTING) X(IDLE) X(SENDING) X(RECEIVING) X(CLOSING)
#define CONN_ENUM(name) CONN_##name,
enum conn_state { CONN_STATES(CONN_ENUM) };
#undef CONN_ENUM
#define CONN_ONE(name) +1
enum { CONN_STATE_COUNT = 0 CONN_STATES(CONN_ONE) };
#undef CONN_ONE
/* SENDING: requests are outstanding and no byte of the oldest one's answer has come.
 * RECEIVING: some have. An answer that comes whole leads from SENDING to IDLE at once. */

/* Operations in flight. A quiet send is not among them. */
enum { FLIGHT_CONNECT = 1, FLIGHT_SEND = 2, FLIGHT_RECV = 4, FLIGHT_CANCEL = 8, FLIGHT_CLOSE = 16 };

/* Which part of a response is read next. */
enum conn_part { PART_HEAD, PART_LENGTH, PART_CHUNKED, PART_CLOSE };

enum { TIMER_CONN = 1, TIMER_POOL = 2 }; /* timer.kind */

struct conn_request {
    uint64_t due_ns;
    uint64_t sent_ns;
    uint64_t enters; /* ring_counts.enters when it was queued: bytes seen before the next enter
                        cannot be its answer. */
    uint8_t asked;   /* enum http1_asked */
};

struct conn_answer {
    uint64_t done_ns;
    uint64_t body_bytes;
    uint16_t status;
};

struct pool;

struct conn {
    uint8_t state;               /* enum conn_state; written by conn_to() only. */
    uint8_t flight;              /* FLIGHT_… bits. */
    uint8_t part;                /* enum conn_part. */
    uint8_t group;               /* enum ring_group that the receive was armed with. */
    bool reusable;               /* After the current answer. Valid in RECEIVING. */
    uint8_t interim_count;       /* 1xx heads before the current answer. */
    uint16_t status;             /* Of the current answer, once its head is in. */
    uint32_t slot;               /* Index in the table and in the ring's; constant. */
    uint32_t generation;         /* Grows at each FREE. */
    uint32_t window_first;       /* Oldest outstanding request, modulo the window's size. */
    uint32_t window_count;       /* Outstanding requests. */
    struct conn_request *window; /* [table.window_size]; constant. */
    struct pool *pool;           /* Not in FREE. */
    struct timer timer;       /* Connect deadline, or that of the oldest request, or of CLOSING. */
    uint64_t body_left;       /* PART_LENGTH: bytes to come. */
    uint64_t body_bytes;      /* Of the current answer so far. */
    uint32_t send_len;        /* Of the loud send in flight. */
    uint32_t carry_len;       /* Bytes of an incomplete head in the carry. */
    int32_t send_error;       /* errno of a send that failed; 0 = none. */
    uint32_t address;         /* Index of the pool's address it connects to. */
    uint32_t addresses_tried; /* CONNECTING: addresses that failed in this attempt. */
    bool retry;               /* CLOSING: connect again, to `address`, once closed. */
    bool connected;           /* Counted in `alive`. */
    struct conn *idle_next, *idle_prev; /* In IDLE, when the owner has no request for it. */
    struct http1_chunked chunked;       /* PART_CHUNKED. */
};

/* What the owner of the connections does with what happens on them. All calls come from
 * conn_event() or conn_timer(); they may start requests and close connections, nothing else. */
struct conn_owner {
    void *self;
    /* A request was answered. */
    void (*answered)(void *self, struct conn *conn, const struct conn_request *request,
                     const struct conn_answer *answer);
    /* A request that was sent will not be answered. `now_ns` is when that became known. */
    void (*failed)(void *self, struct conn *conn, const struct conn_request *request,
                   enum failed_class why, uint64_t now_ns);
    /* The connection can take conn_room() requests: conn_push() and conn_send(), or leave it. */
    void (*ready)(void *self, struct conn *conn, uint64_t now_ns);
};

/* Counters of the owner that connections keep up to date. */
struct conn_counts {
    uint64_t *bytes_received;
    uint64_t *closed_by_peer;
    uint64_t *unsolicited_idle;
    uint64_t *conflicting;
    uint64_t *interim;
    uint64_t *alive;
    uint64_t *alive_max;
};

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
    uint32_t window_size; /* A power of two. */
    uint32_t free_count;
    char *carry; /* [count * head_bytes_max], touched only by heads in pieces. */
    uint32_t head_bytes_max;
    uint32_t small_body_max; /* Bodies above it make a pool use large buffers; 0xffffffff: never. */
    uint64_t connect_timeout_ns;
    uint64_t first_byte_timeout_ns; /* TIME_NEVER = none. */
    uint64_t timeout_ns;
    uint64_t done_ns; /* When the last answer was complete. */
};

/* Makes `count` FREE connections in `arena`. The caller has set every field up to `counts`, and
 * count, window_size, head_bytes_max and the deadlines. False when the arena refuses. */
MUST_USE bool conn_table_init(struct conn_table *table, struct arena *arena);

/* Runs one completion. */
void conn_event(struct conn_table *table, const struct ring_event *event);

/* Runs a timer of kind TIMER_CONN that has fired at `now_ns`. */
void conn_timer(struct conn_table *table, struct timer *timer, uint64_t now_ns);

/* Takes a FREE slot for `pool`, which there must be, and begins to connect. When the socket cannot
 * even be made the pool is told at once, and the slot is FREE again. */
void conn_open(struct conn_table *table, struct pool *pool, uint64_t now_ns);

/* How many more requests the connection can take now: 0 while a loud send is in flight. */
uint32_t conn_room(const struct conn_table *table, const struct conn *conn);

/* Puts a request into the window (conn_room() > 0). Its bytes go with the next conn_send(). */
void conn_push(struct conn_table *table, struct conn *conn, uint64_t due_ns, uint64_t now_ns,
               enum http1_asked asked);

/* Queues the bytes of the requests pushed since the last send. `quiet`: the bytes never change
 * (no completion is waited for); else they stay unchanged until the next `ready`. */
void conn_send(struct conn_table *table, struct conn *conn, const void *bytes, size_t len,
               bool quiet);

/* Ends a connection in any state but FREE: cancels, closes, frees. Outstanding requests are the
 * caller's to account for: conn_take_request() first. No-op in CLOSING. */
void conn_close(struct conn_table *table, struct conn *conn);

/* Takes the oldest outstanding request out of the window; false when there is none. */
MUST_USE bool conn_take_request(struct conn_table *table, struct conn *conn,
                                struct conn_request *ret_request);

#endif
