/* runner_impl: what the parts of the runner share: runner.c (what is due, and who sends it),
 * runner_connect.c (connections for it), runner_inputs.c (values for requests), runner_request.c (a
 * request's bytes), runner_answer.c (what is made of an answer), runner_log.c (what is logged of
 * it), runner_open.c (setting up).
 * Private to them.
 *
 * A request's way. A hit of an endpoint becomes due and waits in the endpoint's lane. The endpoint
 * pops a value from every provider that it names, and holds them until all are there; then it
 * stands in the line of its pool until a connection is free. An exchange is begun: the bytes are
 * built from the values and sent. When the answer has come, what the endpoint wants of it is
 * evaluated, values go where they are to go, and the exchange ends. */
#ifndef CORE_RUNNER_IMPL_H
#define CORE_RUNNER_IMPL_H

#include "core/barter.h"
#include "core/feed.h"
#include "core/runner.h"
#include "core/runner_drive.h"
#include "core/runner_endpoint.h"
#include "core/runner_files.h"
#include "core/runner_hosts.h"
#include "core/runner_kept.h"
#include "core/runner_log.h"
#include "core/runner_record.h"
#include "core/runner_request.h"
#include "core/runner_stream.h"
#include "core/runner_trial.h"
#include "core/worker_impl.h"

enum {
    RUNNER_BUILD_BYTES = 17 << 20, /* Of a request. */
    RUNNER_SCRATCH_BYTES = 32 << 20,
    RUNNER_BOUNDARY_BYTES = 32,
};

struct runner {
    struct worker *worker;
    const struct testfile *test;
    struct runner_options options;
    struct endpoint *endpoints; /* [test->endpoints_count] */
    struct endpoint **heap;     /* Those that will become due, the soonest first; from 1. */
    uint32_t heap_count;
    struct endpoint **touched; /* Those to look at in this turn. */
    uint32_t touched_count;
    uint64_t held;            /* Endpoints that hold a hit outside of the lanes. */
    struct log_port *log;     /* NULL: nothing is logged. */
    uint32_t log_held;        /* Endpoints that wait for room in a log. */
    bool is_killed;           /* A logger has ended the test. */
    uint64_t waiting;         /* Places taken in lines of providers. */
    struct endpoint **driven; /* Those that no schedule alone drives; [driven_count]. */
    uint32_t driven_count;
    uint32_t touched_first;             /* Touched ones are a ring. */
    uint32_t here_count, stopped_count; /* Endpoints. */
    uint32_t *readers;          /* By provider: endpoints that pop from it and have not stopped. */
    bool *had_readers;          /* By provider: some did at the start. */
    bool *is_open, *is_drained; /* By provider, while ends are looked for. */
    bool is_stirred;            /* Values moved, or were asked for, since it was last false. */
    bool ends_changed;          /* It may be that one more endpoint has to stop. */
    uint64_t ends_next_ns;      /* Not looked at before. */
    const char *ran_dry;        /* The first provider that was; NULL: none. */
    struct stuck stuck;
    struct err_info deadlock;  /* Its message is empty unless there was one. */
    struct outgoing *outgoing; /* By provides of the endpoint at hand. */
    bool has_outgoing;         /* Some of them wait. */
    struct barter_side barter;
    struct scratch feed_scratch; /* A declare's evaluation may make a feed read. */
    int64_t *counters_before;
    uint32_t pool_max;            /* Connections to one target. */
    struct conn *leaving;         /* Was closed to make room for another target, */
    uint32_t leaving_generation;  /* and is until the slot has another one. */
    uint32_t pending_max;         /* Due requests that may wait for a connection. */
    struct provider *providers;   /* [test->providers_count] */
    struct value_source *sources; /* The same; used by lists and ranges. */
    struct feed *feeds;           /* The same; used by files. */
    struct feed **feeds_here;     /* Those used; [feeds_count]. */
    uint32_t feeds_count;
    uint32_t awaiting_files;    /* Endpoints whose next request waits for files. */
    struct streams streams;     /* Bodies that are read while they are sent. */
    struct hosts *hosts;        /* NULL: all targets are known before the run. */
    struct ready_line *lines;   /* By pool. */
    struct outbox *outboxes;    /* By connection. */
    uint64_t *bounds_ns;        /* By endpoint: deadlines of requests. */
    struct exchange *exchanges; /* [exchanges_count] */
    struct exchange *exchange_free;
    uint32_t exchanges_count;
    struct stats_url spare; /* Figures of the only endpoint: the ledger's are those. */
    struct blocks blocks;   /* Values, and bytes of requests and answers. */
    struct scratch scratch;
    struct rng rng;
    struct expr_env env;
    struct value *env_providers; /* By slot. */
    struct value *env_declares;
    struct value *env_locals;
    int64_t *counters;
    uint32_t *popped;
    struct json_result *results;          /* Of the paths of a body. */
    char boundary[RUNNER_BOUNDARY_BYTES]; /* Of multipart bodies. */
    size_t build_size;                    /* RUNNER_BUILD_BYTES, or what a body may have. */
    char *build_bytes;                    /* [build_size]: where requests are built. */
    char *body_bytes;                     /* [RUNNER_BUILD_BYTES]: the same, of bodies. */
    uint64_t gauges_ns;                   /* When gauges may be published again … */
    bool gauges_stale;                    /* … and whether that is waited for. */
    enum err err;                         /* Why the run has to end, if it has to. */
    struct err_info why;
};

/* runner.c */

/* To be looked at in this turn, or the next. */
void runner_touch(struct endpoint *endpoint);

/* Brings an endpoint as far as it can come without a connection: the next request has its values
 * and, once it is due, stands in the pool's line. */
void runner_prepare(struct endpoint *endpoint);

/* Takes the first out of a pool's line; NULL when nobody is in it. */
struct endpoint *runner_take_ready(struct runner *runner, struct pool *pool);

/* Takes the endpoint out of those that will become due. */
void runner_unschedule(struct endpoint *endpoint);

/* runner_connect.c: opens what connections the lines of all pools want. */
void runner_connect(struct runner *runner);

/* runner_answer.c */

/* An endpoint's next request begins: its values are the exchange's now. */
struct exchange *exchange_begin(struct endpoint *endpoint);
void exchange_end(struct exchange *exchange, uint64_t now_ns);

/* A request of the exchange's endpoint has not ended well. */
void runner_note_ill(const struct exchange *exchange, const char *what);

/* The endpoint's oldest request, which is due and has its values, fails before it is sent; of
 * FAILED_BUILD `error` says why. */
void runner_fail_oldest(struct endpoint *endpoint, enum failed_class why, enum expr_error error);

/* The request of this exchange, which has started, cannot be built; ends it. */
void runner_build_failed(struct exchange *exchange, enum expr_error error);

struct conn_owner runner_conn_owner(void);
struct pool_owner runner_pool_owner(void);

/* runner_open.c: whether a provider's values are popped on this worker. */
bool runner_has_provider(const struct runner *runner, uint32_t provider);

#endif
