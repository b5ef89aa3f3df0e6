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

struct pool_owner {
    void *self;
    /* An attempt failed at every address: fail the oldest waiting request, if there is one. */
    void (*connect_failed)(void *self, struct pool *pool, enum failed_class why, uint64_t now_ns);
    /* The back-off has ended at `now_ns`. */
    void (*backoff_ended)(void *self, struct pool *pool, uint64_t now_ns);
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
    struct addresses addresses; /* Resolved; at least one. */
    uint32_t address_next;      /* Where the next attempt begins. */
    uint64_t address_bad_until_ns[RESOLVE_ADDRESSES_MAX];
    uint32_t wanted;     /* Connections to keep. */
    uint32_t slots_used; /* Slots that are not FREE. */
    uint32_t connecting;
    struct conn *idle_first, *idle_last; /* Those with room, the one longest listed first. */
    uint32_t idle_count;
    uint32_t idle_room;                   /* How many requests they can take together. */
    struct timer backoff;                 /* TIMER_POOL; armed while the pool waits. */
    uint64_t backoff_ns;                  /* Of the next failure. */
    uint8_t group;                        /* enum ring_group that receives should use. */
    struct http1_same same;               /* The last response head. */
    struct http1_framing same_framing[3]; /* Its framing per enum http1_asked. */
};

/* Sets up; the caller has set table, owner, counts, addresses and wanted. */
void pool_init(struct pool *pool);

/* Opens connections up to `wanted`, as far as slots and back-off allow. */
void pool_maintain(struct pool *pool, uint64_t now_ns);

/* The pool's timer has fired. */
void pool_timer(struct pool *pool, struct timer *timer, uint64_t now_ns);

/* For conn: an attempt at one address failed. True: `conn` shall go on with the next address
 * (conn->address says which); false: the attempt is over, the owner has been told. */
MUST_USE bool pool_connect_failed(struct pool *pool, struct conn *conn, int errno_value,
                                  uint64_t now_ns);

/* No attempt is begun for a while: 10 ms, doubling to 1 s until one succeeds. No-op while the
 * pool backs off already. */
void pool_back_off(struct pool *pool, uint64_t now_ns);

/* For conn: connected. */
void pool_connected(struct pool *pool, struct conn *conn);

/* Idle list: connections that have room for requests, FIFO, so that they take turns. Adding one
 * that is listed notes what room it has now; true if it was not listed. */
bool pool_idle_add(struct pool *pool, struct conn *conn);
void pool_idle_remove(struct pool *pool, struct conn *conn); /* No-op when not in it. */
struct conn *pool_idle_take(struct pool *pool);              /* NULL when empty. */

#endif
