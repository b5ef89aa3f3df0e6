/* pool: the connections of one worker to one target: how many, to which address, and when to
 * try again.
 *
 * An attempt for a request goes through all addresses in turn before it fails; addresses that
 * failed are left out for a while, and good ones take turns. After an attempt that failed at
 * every address the pool backs off (10 ms, doubling to 1 s), so that a dead server does not make
 * us spin.
 *
 * Threads: the worker's. */
#ifndef IO_POOL_H
#define IO_POOL_H

#include "io/conn_table.h"
#include "io/resolve.h"
#include "io/sources.h"

struct pool_owner {
    void *self;
    /* An attempt failed at every address, or at the proxy: fail the oldest waiting request, if
     * there is one. */
    void (*connect_failed)(void *self, struct pool *pool, enum failed_class why, uint64_t now_ns);
    /* The same of an attempt that had its request with it. */
    void (*chain_failed)(void *self, struct pool *pool, const struct conn_request *request,
                         enum failed_class why, uint64_t now_ns);
    /* The back-off has ended at `now_ns`. */
    void (*backoff_ended)(void *self, struct pool *pool, uint64_t now_ns);
    /* A proxy answered a CONNECT with this status, not a 2xx. */
    void (*tunnel_refused)(void *self, struct pool *pool, uint16_t status);
};

struct pool_counts {
    uint64_t *connects;
    uint64_t *connects_refused;
    uint64_t *connects_failed;
    uint64_t *opened;
};

struct pool {
    struct conn_table *table;
    struct pool_owner owner;
    uint32_t index; /* The owner's: which of its pools it is. */
    struct pool_counts counts;
    const struct addresses *addresses; /* Resolved; at least one. Borrowed: pool_readdress(). */
    struct tls_target *tls;            /* NULL: its connections are plain. */
    uint32_t address_next;             /* Where the next attempt begins. */
    uint32_t connects;                 /* Connects in flight, */
    uint32_t connects_left;            /* and of these to addresses of the list before. */
    uint64_t address_bad_until_ns[RESOLVE_ADDRESSES_MAX];
    const struct sources *sources; /* Where connections come from; NULL: the kernel chooses. */
    uint64_t source_first;         /* Which source is the first, */
    uint32_t source_step;          /* and how many on is the next. */
    uint64_t opens;                /* Connections begun: whose turn it is. */
    const char *tunnel;  /* The CONNECT that asks a proxy for the target; NULL: none. It */
    uint32_t tunnel_len; /* stays unchanged for the ring's life. */
    uint32_t wanted;     /* Connections to keep. */
    uint32_t slots_used; /* Slots that are not FREE. */
    uint32_t connecting;
    struct conn *idle_first, *idle_last; /* Those with room, the one longest listed first. */
    uint32_t idle_count;
    uint32_t idle_room;                   /* How many requests they can take together. */
    struct timer backoff;                 /* TIMER_POOL; armed while the pool waits. */
    uint64_t backoff_ns;                  /* Of the next failure. */
    uint8_t mode;                         /* enum conn_mode that receives should use. */
    uint8_t smaller_mode;                 /* The most that the last bodies would have needed … */
    uint32_t smaller_count;               /* … so many in a row, when that was less than it. */
    uint64_t drain_above;                 /* Bodies above it are drained, if their length is
                                             known. UINT64_MAX: somebody looks at them. */
    struct http1_same same;               /* The last response head. */
    struct http1_framing same_framing[3]; /* Its framing per enum http1_asked. */
};

/* Sets up; the caller has set table, owner, counts, addresses, sources with their turns, tunnel,
 * wanted and drain_above. */
void pool_init(struct pool *pool);

/* Opens connections up to `wanted`, as far as slots, back-off and the table's pace allow. */
void pool_maintain(struct pool *pool, uint64_t now_ns);

/* The pool's timer has fired. */
void pool_timer(struct pool *pool, struct timer *timer, uint64_t now_ns);

/* New connections go to these addresses from now on; those that there are stay. The list before
 * is borrowed on until pool_is_settled(); only then may this be called again. */
void pool_readdress(struct pool *pool, const struct addresses *addresses);
bool pool_is_settled(const struct pool *pool);

/* Whether the pool lets a connection that ends be followed by a chain: it has one address, does not
 * back off, has not too many connections, and nothing is to be done before requests go out. */
bool pool_may_chain(const struct pool *pool);

/* For conn: where `conn` connects to, and from (NULL: the kernel's choice). The connect's
 * completion must be followed by pool_connect_done(). */
const struct address *pool_destination(struct pool *pool, struct conn *conn);
const struct address *pool_source(const struct pool *pool, const struct conn *conn, int family);
void pool_connect_begun(struct pool *pool);
void pool_connect_done(struct pool *pool, const struct conn *conn);

/* For conn: an attempt at one address failed. True: `conn` shall try again, at the address that
 * pool_destination() then says; false: the attempt is over, the owner has been told. */
MUST_USE bool pool_connect_failed(struct pool *pool, struct conn *conn, enum failed_class why,
                                  uint64_t now_ns);

/* The same of an attempt that had its request with it. It is over. */
void pool_chain_failed(struct pool *pool, const struct conn *conn,
                       const struct conn_request *request, enum failed_class why, uint64_t now_ns);

/* For conn: an attempt that came to a connection has failed after all. The owner is told. */
void pool_attempt_failed(struct pool *pool, enum failed_class why, uint64_t now_ns);

/* No attempt is begun for a while: 10 ms, doubling to 1 s until one succeeds. No-op while the
 * pool backs off already. */
void pool_back_off(struct pool *pool, uint64_t now_ns);

/* For conn: connected, through the proxy where there is one; then, once requests can be sent:
 * ready. */
void pool_connected(struct pool *pool, struct conn *conn);
void pool_ready(struct pool *pool, const struct conn *conn);

/* For conn: a body of `length` bytes comes or, without `drainable`, comes to be looked at or has
 * come to its end. Receives go over to the mode it needs at once if that is for larger ones, and
 * back when for a while none needed it. */
void pool_note_body(struct pool *pool, uint64_t length, bool drainable);

/* Idle list: connections that have room for requests, FIFO, so that they take turns. Adding one
 * that is listed notes what room it has now; true if it was not listed. */
bool pool_idle_add(struct pool *pool, struct conn *conn);
void pool_idle_remove(struct pool *pool, struct conn *conn); /* No-op when not in it. */
struct conn *pool_idle_take(struct pool *pool);              /* NULL when empty. */

#endif
