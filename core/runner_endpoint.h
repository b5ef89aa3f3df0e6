/* runner_endpoint: an endpoint of a test file on a worker, how its requests are built, and one of
 * them on its way. Private to the runner (core/runner_impl.h).
 *
 * Threads: the worker's. */
#ifndef CORE_RUNNER_ENDPOINT_H
#define CORE_RUNNER_ENDPOINT_H

#include "config/testfile.h"
#include "core/arrivals.h"
#include "core/groups.h"
#include "core/runner_flow.h"
#include "core/runner_stream.h"
#include "core/stats_urls.h"
#include "io/coding.h"
#include "io/conn_body.h"

struct body_file;
struct host;
struct runner;

/* Text that a request is made of, in its order. */
enum build_kind {
    BUILD_TEXT,   /* As it is. */
    BUILD_HEADER, /* A template, in a header. */
    BUILD_HOST,   /* Host and port of the URL, as the Host header wants them. */
    BUILD_PATH,   /* The URL: path and query of what its template gives. */
    BUILD_BODY,   /* Length, the end of the head, and the body. */
};

struct build_piece {
    enum build_kind kind;
    const char *text; /* TEXT. */
    uint32_t len;
    const struct template *template; /* HEADER, PATH. */
};

/* How an endpoint's requests are built. */
struct build {
    const struct build_piece *pieces; /* [count] */
    uint32_t count;
    uint32_t authority_len; /* PATH: of the URL's scheme and authority, which never change. */
    bool is_dynamic;        /* Scheme, host or port are only known with the values. */
    bool is_constant;       /* One piece of TEXT is all there is. */
    bool is_form;           /* The body is multipart/form-data. */
    uint8_t asked;          /* enum http1_asked */
};

struct endpoint {
    const struct testfile_endpoint *def;
    struct runner *runner;
    uint32_t index; /* In the test file; its lane's too. */
    struct build build;
    struct pool *pool;                /* Of the next request, */
    const struct plan_target *target; /* and where that goes. */
    struct host *host;                /* Of a URL that was made; NULL: there are too many. */
    bool has_url;                     /* The next request's URL is made, if build.is_dynamic: */
    char *url;                        /* [url_len], of url_size bytes. */
    size_t url_len, url_size;
    size_t url_path;         /* Where its path begins. */
    struct body_file *files; /* Of the body; NULL: it has none. */
    struct conn_body *apart; /* Its body, if that is sent apart from the head; else NULL. */
    uint64_t apart_len;
    bool loads_files;  /* Some are read for each request, */
    bool awaits_files; /* which the next one waits for, */
    bool has_files;    /* or has. */
    bool is_streamed;  /* The next request's body is: some are too large to be among its bytes. */
    struct body_cuts cuts; /* Of the request that was built last. */
    uint16_t bound;        /* conn_ask.bound */

    /* Load. */
    bool is_here; /* This worker sends requests of it. */
    struct mod_interval mod;
    struct arrivals arrivals;
    uint64_t next_ns; /* When the next hit becomes due; TIME_NEVER: none will. */
    bool is_held;     /* A due hit waits for values, outside of the lane: */
    uint64_t held_due_ns;
    uint64_t held_since_ns;            /* When the first hit of this wait was due. */
    const struct provider *waited_for; /* By a hit past its slot; NULL: none waits so. */
    uint64_t waited_ns; /* How long the next request's wait was, if it passed a slot; else 0. */
    const struct provider *waited_on; /* Whose value that was for; NULL: not known. */
    bool is_log_held;                 /* Nothing is sent before its loggers have room. */

    struct flow_drive drive;

    /* Values for the next request. */
    struct inputs inputs;
    struct provider_wait *waits; /* By slot: its places in lines. */
    struct declaring *declaring; /* By declare. */
    uint32_t missing;            /* Slots whose value is not there yet. */
    bool is_gathering;           /* Inputs are being popped; some may be there … */
    bool is_complete;            /* … and all are. */
    bool is_stopped;             /* It sends nothing more. */
    bool can_go_on;              /* For the search for deadlocks. */

    struct stats_url *figures; /* What is counted of it. */
    struct group_tag *tags;    /* [tags_count]; of those that vary only the names. */
    uint32_t tags_count;
    bool tags_vary;              /* Some tag has to be evaluated for each request. */
    struct group *group;         /* Of its last request, or of all if no tag varies. */
    struct endpoint *ready_next; /* In the pool's line. */
    bool is_ready;
    bool is_touched; /* Among those to look at in this turn. */
    uint32_t in_flight;
    bool is_watched;            /* Something looks at its answers. */
    bool keeps_head;            /* Something looks at their heads. */
    bool keeps_sent;            /* Something looks at what was sent. */
    bool keeps_body;            /* Something looks at their bodies. */
    struct json_select *select; /* Picks what is wanted of a body; NULL: nothing is. */
};

/* The line of endpoints that have all but a connection of this pool. */
struct ready_line {
    struct endpoint *first, *last;
};

/* What a connection sends, its own until the next send, and what making it took. */
struct outbox {
    char *bytes;
    size_t size;
    uint64_t connect_ns, tls_ns; /* 0 once it has carried a request. */
};
enum { EXCHANGE_UNASKED = 0xffffffff };

/* One request, from its values to the end of its answer. */
struct exchange {
    struct exchange *free_next;
    struct endpoint *endpoint; /* NULL: free. */
    uint32_t index;            /* In runner.exchanges; constant. */
    uint64_t due_ns, sent_ns;
    uint64_t connect_ns, tls_ns; /* Of the connection, if it was made for this request. */
    struct inputs inputs;
    const struct plan_target *target; /* Where it goes. */
    uint32_t asked; /* The provider whose demand it answers; EXCHANGE_UNASKED: none. */
    char *sent;     /* The request's bytes, if something looks at them. */
    size_t sent_len;
    char *head; /* The answer's head, if something looks at it. */
    size_t head_len;
    uint64_t waited_ns;               /* For its values, past its slot; 0: it did not. */
    const struct provider *waited_on; /* For whose. */
    size_t bytes_sent;                /* How long the request is. */
    struct group *group;              /* That it was counted in; NULL: it has not ended. */
    uint16_t status;                  /* 0: no answer yet. */
    char *body;                       /* What has come of the body, if something looks at it. */
    size_t body_len, body_size;
    struct codings codings;           /* Of the body. */
    bool body_is_full;                /* There was no memory for all of it, or it was too large. */
    const struct conn_answer *answer; /* While it is evaluated. */
};

#endif
