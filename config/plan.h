/* plan: what a test is. Made once from the command line (later from a test file too), then never
 * changed: workers and coordinator read it without a lock. READ THIS FIRST.
 *
 * All memory it points to is in its own arena and lives as long as the plan. */
#ifndef CONFIG_PLAN_H
#define CONFIG_PLAN_H

#include "config/net.h"
#include "config/plan_limits.h"
#include "config/plan_tls.h"
#include "core/base/arena.h"
#include "core/base/defs.h"
#include "core/base/err.h"

/* Where requests go: what they must have in common to share connections. */
struct plan_target {
    const char *url;        /* As given, for display. Of several URLs, the first; so is `path`. */
    const char *host;       /* Without brackets; a name or an address. */
    const char *service;    /* The port in digits. */
    const char *path;       /* Path and query as sent: begins with '/', no fragment. */
    const char *host_field; /* Value of the Host field: brackets for IPv6, a non-default port. */
    bool tls;               /* https */
    const char *connect;    /* The CONNECT that asks the proxy for it; NULL: there is no tunnel. */
};

/* A piece of a body that is sent apart from the requests' bytes: memory, or a file. */
struct plan_span {
    const char *data; /* Of a file, its mapping. */
    uint64_t len;     /* At least 1. */
    int fd;           /* The file; -1: it is memory. */
    void *mapping;    /* The same as `data`, to be unmapped; NULL: it is memory. */
};
enum { PLAN_SPANS_MAX = 3 };

/* One kind of request, as the bytes to send. */
struct plan_request {
    uint32_t target;    /* Index into targets. */
    uint32_t weight;    /* How often it is its turn among the others: 1..PLAN_WEIGHT_MAX. */
    const char *url;    /* As given; of a test file the name of the endpoint. It is known by it: no
                           two requests have the same. */
    const char *method; /* As given by the user, e.g. "GET". */
    const char *bytes;  /* Head and body, unless plan.body is the body. */
    size_t len;
    size_t id_at; /* Offset of the PLAN_ID_DIGITS digits of X-Request-Id if plan.ids. */
    /* The same for the last request of a connection, with "Connection: close"; NULL: no other. */
    const char *last_bytes;
    size_t last_len, last_id_at;
};

enum { PLAN_ID_DIGITS = 16 }; /* 4 hex digits of the worker, 12 of its request counter from 0. */

/* A piece of an open loop's rate: linear from one value to the other. */
struct plan_stage {
    uint64_t length_ns;          /* 0: a jump to what the next one begins with. */
    double from_per_s, to_per_s; /* 0..PLAN_RATE_PER_S_MAX */
};

/* When requests of an open loop are due: at even steps of the rate's integral, or as in a Poisson
 * process of that rate. */
enum plan_arrivals { PLAN_ARRIVALS_EVEN, PLAN_ARRIVALS_POISSON };

/* Which of the kernel's interfaces carries the sockets. AUTO: io_uring, or epoll where that is
 * not to be had. */
enum plan_io { PLAN_IO_AUTO, PLAN_IO_URING, PLAN_IO_EPOLL };

struct plan {
    struct arena arena;

    struct plan_target *targets;   /* Each another host or port. */
    uint32_t targets_count;        /* 1..requests_count */
    struct plan_request *requests; /* They take turns, by their weights. */
    uint32_t requests_count;       /* 1..PLAN_URLS_MAX */

    /* Load: closed loop over `connections` × `pipeline` slots, or, if open_loop, requests at the
     * moments that the stages say, over the same connections. */
    uint32_t connections;     /* Over all workers; at least 1. */
    uint32_t connections_max; /* Cap over all workers, as a server counts; 0 = connections. */
    uint32_t workers;         /* 1..connections. */
    uint32_t pipeline;        /* Requests outstanding per connection, 1..PLAN_PIPELINE_MAX; 1 =
                                 none pipelined. */
    uint32_t max_requests_per_connection; /* A connection ends with the answer to so many; at least
                                             pipeline; 0 = no bound. */
    double connect_rate_per_s;            /* Attempts to connect, over all workers; 0 = no bound. */
    const char *test_file; /* Whose endpoints the requests are; NULL: of a command line. */
    uint32_t hosts_max; /* Of a test file: targets of a worker that are only known during the run;
                           0: none. */
    bool hosts_tls;     /* Some of them may be https. */
    uint64_t pattern_from_ns; /* Of a test file: the run begins at this moment of its pattern;
                                 duration_ns is what is left. */
    uint64_t duration_ns;     /* The run ends then (TIME_NEVER: no bound, never add to it) … */
    uint64_t requests_max;    /* … or when so many are done; 0 = no bound. */
    uint64_t warmup_ns;       /* Requests due in this first part of the run are not measured. */

    /* Open loop only. */
    struct plan_stage *stages; /* [stages_count]; together PLAN_STAGES_NS_MAX at most. */
    uint32_t stages_count;
    enum plan_arrivals arrivals;
    uint64_t max_pending; /* Due requests that may wait for a connection, over all workers. */
    uint64_t seed;        /* Of what is drawn at random. */

    /* Deadlines. */
    uint64_t timeout_ns; /* Of a request, from sent to its last byte. */
    uint64_t late_ns;    /* Answers that take so long are counted as late; 0 = none is. */
    uint64_t connect_timeout_ns;
    uint64_t first_byte_timeout_ns; /* From sent; 0 = only the total one. */
    uint64_t drain_ns;              /* How long answers are awaited after the end. */

    /* What is sent behind every request's bytes; without pipelining only. Its files are the plan's.
     */
    struct plan_span body[PLAN_SPANS_MAX];
    uint32_t body_spans;  /* 0: bodies are in the requests' bytes. */
    bool expect_continue; /* It waits for leave (Expect: 100-continue). */

    /* Bodies of known length above these are not looked at: discarded in the kernel or, if
     * read_bodies, received into one place for all. */
    uint64_t discard_above, sink_above;

    struct net net;      /* How connections get to the targets. */
    struct plan_tls tls; /* Of connections to https targets. */
    uint64_t rows_max;   /* Ended requests that are written down one by one; 0 = none. */

    enum plan_io io;
    bool open_loop;
    bool spin;        /* Open loop: do not sleep in the last 60 us before a request is due. */
    bool read_bodies; /* All bytes of them are received into our memory. */
    bool ids;         /* Every request carries its own X-Request-Id. */
    bool batch_wait;  /* A saturated closed loop may wait up to 20 us for a batch. */
};

/* Parses an absolute http:// or https:// URL (RFC 3986) into `ret_target`, its strings in `arena`.
 * An IPv6 zone (RFC 6874, "%25eth0") goes into `host` as "%eth0" and not into `host_field`. Bytes
 * above 127 are sent as given in the path and refused in the host. ERR_USAGE with the reason for
 * anything else: no or unknown scheme, no host, bad port, bad brackets, user information, control
 * characters or spaces. */
MUST_USE enum err plan_parse_url(struct arena *arena, const char *url,
                                 struct plan_target *ret_target, struct err_info *why);

/* Sets everything to its default (see the option table) with an empty arena. */
void plan_init(struct plan *plan);

/* Gives all memory back. A zeroed plan is fine. */
void plan_release(struct plan *plan);

#endif
