/* worker_impl: what the parts of worker share: worker.c (the loop), worker_flow.c (the load
 * of a command line), worker_request.c (a request's life), worker_bytes.c (what is sent),
 * worker_urls.c (figures by URL), worker_open.c (setting up). Private to them. */
#ifndef CORE_WORKER_IMPL_H
#define CORE_WORKER_IMPL_H

#include "core/batch.h"
#include "core/flow.h"
#include "core/worker.h"
#include "core/worker_load.h"
#include "io/conn_body.h"
#include "io/pool.h"

/* The bytes of one of the plan's requests. */
struct worker_ask {
    const char *bytes;
    size_t len;
    size_t id_at;
    const char *last_bytes; /* The same for the last request of a connection; NULL: no other. */
    size_t last_len, last_id_at;
    uint8_t asked; /* enum http1_asked */
};

/* A send of a connection, as it is put together. */
struct worker_send {
    const char *bytes;
    size_t len;
    uint32_t count;
};

enum { SEND_QUIET_MAX = 64 * 1024 }; /* A socket takes so much at once. More goes loudly. */
enum phase { PHASE_WAITING, PHASE_RUNNING, PHASE_DRAINING, PHASE_ENDED };

/* Answers with the same figures, as those that come in one buffer mostly are. */
struct alike {
    struct conn_request request;
    struct conn_answer answer;
    uint64_t count;
};

struct worker {
    const struct worker_load *load;
    struct runner *runner; /* Of a test file; else NULL. */
    struct ring *ring;
    struct conn_table table;
    struct timers timers;
    struct pool *pools; /* [pools_count], one per target. */
    uint32_t pools_count;
    const struct sources *sources; /* Of all pools; NULL: the kernel chooses. */
    struct flow flow;
    struct lanes lanes;      /* One per pool, of the same index. */
    struct mod_interval mod; /* Open loop. */
    struct batch batch;
    struct tls_ctx *tls;             /* NULL: no target is https. */
    struct tls_target **tls_targets; /* [targets_count]; NULL where it is plain. */
    struct ledger ledger;
    uint64_t now_ns;      /* Stamped once per reap; in the open loop again before sending. */
    uint64_t turn_end_ns; /* When the last turn went back to waiting. */
    enum phase phase;
    bool readdressing;       /* A list of addresses has to be given back. */
    struct worker_ask *asks; /* [asks_count]; a single one's bytes stand window_max times in a row,
                                those of its last request behind them. */
    uint32_t asks_count;
    bool plain;      /* What is sent is the asks' `bytes`, as they are. */
    char *own_bytes; /* [table.count * own_size]: for what differs from send to send; or NULL. */
    size_t own_size;
    struct conn_body body; /* Goes behind the bytes of every request; count 0: nothing does. */
    bool own_copied; /* Requests are copied there one by one; else all but the ids stands there. */
    uint64_t ids_used;
    uint64_t start_ns, end_ns, drain_end_ns;
    uint64_t measured_from_ns; /* Requests due before it belong to the warm-up. */
    uint64_t span_from_ns;     /* End of the warm-up; never after end_ns. */
    uint64_t *free_ns;         /* Open loop: [table.count]; since when a connection has room. */
    struct alike alike;        /* Pipelining: answers that are not in the books yet. */
    struct worker_send *sends; /* Pipelining: [table.count] */
    uint32_t *filled;          /* Pipelining: [table.count]; slots with requests to be sent. */
    bool unsettled;            /* Pipelining: nothing could be sent in the last turn. */
    const struct plan *plan;
    struct worker_shared *shared;
    uint32_t index;
    bool runs_test; /* A test file's requests, not the plan's. */
    struct worker_totals totals;
    struct ring_counts counts_at_start;
    uint64_t cpu_at_start_ns;
    int wait_fd; /* Of cpu_wait_open(). */
    uint64_t wait_at_start_ns;
    struct arena arena; /* Holds this struct too; sealed once set up. */
};
/* Of a test file: the moment at which its pattern began, or would have, had it not been begun
 * later; modulo 2^64, to be added to. */
static inline uint64_t worker_pattern_ns(const struct worker *w)
{
    return w->start_ns - w->plan->pattern_from_ns;
}

/* `count` requests became due, the last one at `due_ns`. */
static inline void worker_add_due(struct worker *w, uint64_t count, uint64_t due_ns)
{
    w->ledger.due += count;
    w->ledger.pending = w->lanes.pending;
    if (unlikely(due_ns < w->measured_from_ns)) w->ledger.warmup += count;
}

/* One flow over the plan's requests. */
extern const struct worker_load worker_flow_load;

/* Lays the requests out; false when the arena refuses (worker_bytes.c). */
MUST_USE bool worker_lay_out(struct worker *w);

/* Adds a request to the send. A connection's bytes are its own until the send is over. */
void worker_send_add(struct worker *w, const struct conn *conn, struct worker_send *send,
                     uint32_t request);

/* Ends the figures by URL, if there are several: what waits is missed or cut off, and the lanes are
 * empty then (worker_urls.c). */
void worker_end_urls(struct worker *w);

/* The figures of a URL, or NULL if there is but one. */
static inline struct stats_url *worker_url(struct worker *w, uint32_t request)
{
    struct stats_urls *urls = &w->shared->urls;

    return likely(urls->count == 0) ? NULL : &urls->list[request];
}

/* Sends what waits on `conn`, as far as there is room, or makes it an idle one. */
void worker_fill(struct worker *w, struct conn *conn, uint64_t now_ns);

/* Pipelining: gives what waits to the connections that have room, and sends to each in one go. */
void worker_fill_windows(struct worker *w);

/* Pipelining: puts the answers of this turn into the books. */
void worker_book_alike(struct worker *w);

/* Makes the context and the targets of TLS, where there are https targets (worker_tls.c). Failures
 * as tls_ctx_new(). */
MUST_USE enum err worker_tls_open(struct worker *w, struct err_info *why);

/* Gives the table what TLS needs, once the requests are laid out; false when the arena refuses. */
MUST_USE bool worker_tls_init_table(struct worker *w);

/* Ends all sessions, when the ring is closed. */
void worker_tls_close(struct worker *w);

/* What connections and pools tell their owner, a worker. */
extern const struct conn_owner worker_conn_owner;
extern const struct pool_owner worker_pool_owner;

#endif
