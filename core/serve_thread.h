/* serve_thread: one serving thread of the test target: its ring, its connections and what they
 * share. Private to serve. */
#ifndef CORE_SERVE_THREAD_H
#define CORE_SERVE_THREAD_H

#include <semaphore.h>

#include "core/serve.h"
#include "core/serve_conn.h"
#include "core/serve_log.h"

enum {
    SERVE_LISTENER = 0,          /* Socket of the listener; */
    SERVE_CONN_FIRST = 1,        /* connections are accepted from here on. */
    SERVE_SAME_BYTES_MAX = 1024, /* Longest request that the shortcut remembers. */
};

struct serve_tls;

struct serve_totals {
    uint64_t connections;
    uint64_t requests;           /* Answered, misbehaviours included. */
    uint64_t faults;             /* Of these, misbehaviours. */
    uint64_t dropped;            /* Connections that we gave up: no memory, or too much unread. */
    uint64_t handshakes;         /* TLS handshakes completed, */
    uint64_t handshakes_resumed; /* of these with an earlier session, */
    uint64_t tls_failed;         /* and TLS connections that failed. */
    uint64_t status[1000];       /* Answers by status; misbehaviours have none. */
};

/* What the threads share. */
struct serve_shared {
    const struct serve_options *options;
    const struct sockaddr *address; /* To listen on, but for the port. */
    socklen_t address_len;
    const struct tls_identity *identity; /* Of --tls without --cert; else NULL. */
    int log_fd;                          /* -1: no log. */
    char *pattern;                       /* [SERVE_PATTERN_BYTES], and */
    char *chunks;                        /* [SERVE_CHUNKS_BYTES]: not written once threads run. */
    _Alignas(CACHE_LINE) _Atomic bool stop; /* Set by the main thread. */
    _Atomic uint64_t first_ns; /* First request, 0: none yet. Whoever comes first sets it. */
};

struct serve_thread {
    struct ring *ring;
    struct serve_shared *shared;
    struct serve_tls *tls;          /* NULL: no TLS. */
    struct serve_conn *conns;       /* [socks_count], by socket. */
    uint64_t batch_ns;              /* Clock at the last reap. */
    uint64_t batch;                 /* Number of the last reap, from 1. */
    uint64_t next_second_ns;        /* When Date must change. */
    struct serve_reply *same_reply; /* The shortcut: the answer to `same`, */
    uint32_t same_len;              /* whose length is 0 while there is none. */
    uint32_t socks_count;
    bool shortcut;    /* No option needs to look at each request. */
    bool notes_first; /* The first request has yet to be noted, for the freeze. */
    char same[SERVE_SAME_BYTES_MAX];
    struct serve_totals totals;
    struct serve_replies replies;
    struct serve_pool pool;
    struct timers timers;
    struct timer accept_timer;
    struct rng rng;
    struct serve_log log;
    char (*ids)[SERVE_ID_MAX]; /* [socks_count]; NULL without a log. */
    struct arena arena;
    uint32_t index;
    uint16_t port; /* In: to listen on; out: listened on. */
    enum err err;  /* Out: ERR_OK, or why it does not serve. */
    struct err_info why;
    sem_t started; /* Posted once `err`, `why` and `port` stand. */
    sem_t leave;   /* Posted once nobody will wake the ring any more. */
};

/* Kinds of operations, in the upper byte of user_data. */
enum serve_op {
    SERVE_OP_ACCEPT,
    SERVE_OP_RECV,
    SERVE_OP_SEND,
    SERVE_OP_QUIET,
    SERVE_OP_CANCEL,
    SERVE_OP_CLOSE
};

enum { SERVE_GENERATION_MASK = 0xffffff };

static inline uint32_t serve_conn_sock(const struct serve_thread *thread,
                                       const struct serve_conn *c)
{
    return (uint32_t)(c - thread->conns);
}

static inline uint64_t serve_user_data(const struct serve_thread *thread, enum serve_op op,
                                       const struct serve_conn *c)
{
    return (uint64_t)op << 56 | (uint64_t)c->generation << 32 | serve_conn_sock(thread, c);
}

/* Sends a kept answer quietly: the first of this batch on this connection (invariant 2). */
static inline void serve_conn_send_quiet(struct serve_thread *thread, struct serve_conn *c,
                                         struct serve_reply *reply, uint32_t len)
{
    c->quiet_batch = thread->batch;
    c->kept = reply;
    c->kept_text = reply->text;
    c->kept_len = len;
    ring_send(thread->ring, serve_conn_sock(thread, c), reply->text, len,
              RING_SEND_QUIET | RING_SEND_NOWAIT, serve_user_data(thread, SERVE_OP_QUIET, c));
}

/* Opens ring and listener and starts to accept: of a zeroed struct serve_thread with `shared`,
 * `index` and `port` set, which sets `port` and fills `why` on failure. The arena is the caller's
 * to release, also after a failure. */
MUST_USE enum err serve_thread_open(struct serve_thread *thread);

/* Waits once and handles what has come. */
void serve_thread_step(struct serve_thread *thread);

/* Closes the ring with all connections; also after a failure to open. */
void serve_thread_close(struct serve_thread *thread);

/* All of it, for pthread_create(): `arg` is a struct serve_thread as for serve_thread_open(), with
 * its semaphores. Ends when `stop` is set and its ring is woken, then waits for `leave`. After the
 * join `totals` and `log` may be read. */
void *serve_thread_main(void *arg);

#endif
