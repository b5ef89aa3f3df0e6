/* sim_peer: servers of the simulated machine, scripted byte machines that live in virtual time.
 *
 * A peer listens at an address and behaves as its struct sim_behaviour says: it parses requests
 * (strictly: a malformed one is a breach by the caller and aborts), answers after a delay, or
 * misbehaves in one of the ways of enum sim_mis. It records what a server sees: connections,
 * requests with their moments and X-Request-Id, answers by status. */
#ifndef TESTS_SIM_SIM_PEER_H
#define TESTS_SIM_SIM_PEER_H

#include <sys/socket.h>

#include "core/base/defs.h"

struct sim;
struct sim_peer;

enum sim_connect { SIM_CONNECT_OK, SIM_CONNECT_REFUSE, SIM_CONNECT_BLACK_HOLE, SIM_CONNECT_ERRNO };

/* What a peer does as soon as it has accepted. */
enum sim_greeting { SIM_GREET_NONE, SIM_GREET_RESET, SIM_GREET_CLOSE, SIM_GREET_RUBBISH };

/* How one answer goes wrong. A way that makes no sense for an answer is replaced before it is
 * recorded: IN_BODY without a body by IN_HEAD, CLOSE_IN_BODY of a body that ends with the
 * connection by RESET_IN_BODY, EXTRA and ENDLESS where they could not be told from a body by NONE.
 * With pipelining, EXTRA bytes may count as the next answer: leave them out. */
enum sim_mis {
    SIM_MIS_NONE,
    SIM_MIS_SILENT,        /* No answer to this request nor to any after it. */
    SIM_MIS_RESET_BEFORE,  /* Reset, or close, before the first byte, */
    SIM_MIS_RESET_IN_HEAD, /* inside the head, */
    SIM_MIS_RESET_IN_BODY, /* inside the body. */
    SIM_MIS_CLOSE_BEFORE,
    SIM_MIS_CLOSE_IN_HEAD,
    SIM_MIS_CLOSE_IN_BODY,
    SIM_MIS_RUBBISH, /* Bytes that are not HTTP, then silence. */
    SIM_MIS_ENDLESS_HEAD,
    SIM_MIS_ENDLESS_CHUNKS,
    SIM_MIS_EXTRA_AFTER,   /* A right answer with unasked-for bytes right behind it. */
    SIM_MIS_EXTRA_IDLE,    /* The same, extra_idle_ns later, if no request came meanwhile. */
    SIM_MIS_INTERIM_FLOOD, /* interims_count 1xx heads before the final one. */
    SIM_MIS_DRIP,          /* A right answer, one byte per drip_ns. */
    SIM_MIS_COUNT
};

#define SIM_MIS_BIT(mis) (UINT32_C(1) << (mis))

enum sim_delay_kind { SIM_DELAY_CONSTANT, SIM_DELAY_TWO_POINT, SIM_DELAY_UNIFORM };

/* From a request's arrival to the first byte of its answer. */
struct sim_delay {
    enum sim_delay_kind kind;
    uint64_t a_ns;  /* The constant; the usual point; the lower end. */
    uint64_t b_ns;  /* Unused; the other point; the upper end. */
    double b_share; /* TWO_POINT: probability of b_ns. */
};

enum sim_body { SIM_BODY_LENGTH, SIM_BODY_CHUNKED, SIM_BODY_CLOSE, SIM_BODY_RAW };

/* The answer to requests whose path (up to '?') is `path`. */
struct sim_route {
    const char *path;   /* NULL: any path. */
    const char *fields; /* Further header lines, each with its CRLF; NULL: none. */
    const char *raw;    /* SIM_BODY_RAW: head and body as they are. */
    size_t raw_bytes;
    uint64_t body_bytes; /* The other kinds. HEAD, 1xx, 204 and 304 have none all the same. */
    uint16_t status;     /* 0 counts as 200. RAW: what is counted. */
    enum sim_body body;
    bool close; /* Connection: close, and does; RAW: closes without a word. */
};

/* Zeroed, with `routes_count` 0: answers everything at once with 200 and an empty body. */
struct sim_behaviour {
    enum sim_connect connect;
    int connect_errno;         /* Positive; for SIM_CONNECT_ERRNO. */
    uint64_t connect_delay_ns; /* On top of one round trip. */
    enum sim_greeting greeting;
    bool deaf;                      /* Accepts and never reads: the window fills. */
    const struct sim_route *routes; /* Borrowed for as long as the behaviour is in force; the */
    uint32_t routes_count;          /* first that fits is taken, 404 when none does. */
    struct sim_delay delay;
    uint64_t freeze_from_ns; /* What would be answered in [from, to) is answered at to. */
    uint64_t freeze_to_ns;
    uint32_t keepalive_max; /* Answers per connection; 0: no limit. */
    bool close_unannounced; /* After the last of them closes without Connection: close. */
    uint64_t idle_close_ns; /* Closes a connection idle for so long; 0: never. */
    double mis_share;       /* Probability that an answer goes wrong, */
    uint32_t mis_mask;      /* in one of these ways (SIM_MIS_BIT), all equally likely. */
    double refusal_share;   /* Probability that a CONNECT is answered by 407, not by 200. */
    uint64_t extra_idle_ns;
    bool extra_is_response;  /* Unasked-for bytes are a whole response, not rubbish. */
    uint64_t drip_ns;        /* 0 counts as 1 ms. */
    uint32_t interims_count; /* 0 counts as 1000. */
};

enum { SIM_ID_BYTES = 48, SIM_PATH_BYTES = 48, SIM_METHOD_BYTES = 12 };

/* One request as the peer saw it, complete with its body. */
struct sim_request {
    uint64_t arrived_ns;
    uint64_t answered_ns; /* Its answer's last byte was written, by intent; else 0. */
    uint64_t body_bytes;
    uint32_t connection; /* Number of the connection at this peer, from 1. */
    uint16_t status;     /* Of the answer, 0 while not answered in full. */
    uint8_t mis;         /* enum sim_mis chosen for it. */
    char method[SIM_METHOD_BYTES];
    char path[SIM_PATH_BYTES];
    char id[SIM_ID_BYTES]; /* X-Request-Id, cut; "" when it had none. */
};

struct sim_peer_counts {
    uint32_t connections_now; /* Accepted and not yet closed by the caller. */
    uint32_t connections_max;
    uint64_t connections;
    uint64_t refused; /* Connects that the behaviour let fail. */
    uint64_t requests;
    uint64_t answers; /* Written in full. */
    uint64_t extras;  /* Times that unasked-for bytes were written. */
    uint64_t bytes_in;
    uint64_t bytes_out;
    uint64_t mis[SIM_MIS_COUNT]; /* Requests by what was chosen for them. */
    uint64_t status[1000];       /* `answers` by status. */
};

/* A peer that listens at `address` (copied; port given; an unspecified IP matches any) and lives
 * as long as the machine. `behaviour` is copied. */
struct sim_peer *sim_peer_new(struct sim *sim, const struct sockaddr *address,
                              socklen_t address_len, const struct sim_behaviour *behaviour);

/* The same at 127.0.0.1:`port`; the address is written to `ret_address` unless it is NULL. */
struct sockaddr_in;
struct sim_peer *sim_peer_new_local(struct sim *sim, uint16_t port,
                                    const struct sim_behaviour *behaviour,
                                    struct sockaddr_in *ret_address);

/* Changes the behaviour, for connections that are there already too (not for answers begun). */
void sim_peer_set(struct sim_peer *peer, const struct sim_behaviour *behaviour);

/* From now on its connections begin with a TLS handshake, or do so once a CONNECT was granted.
 * `ctx`, a server's, stays the caller's; what sessions of it there are ends with
 * sim_peer_end_tls(), which is owed before the machine goes. */
struct tls_ctx;
void sim_peer_set_tls(struct sim_peer *peer, struct tls_ctx *ctx, bool in_tunnel);
void sim_peer_end_tls(struct sim_peer *peer);

/* Resets all of its connections, as a server that is killed. */
void sim_peer_kill(struct sim_peer *peer);

const struct sim_peer_counts *sim_peer_counts(const struct sim_peer *peer);

/* All requests in the order of arrival; valid until time moves. */
const struct sim_request *sim_peer_requests(const struct sim_peer *peer, size_t *ret_count);

const char *sim_mis_name(enum sim_mis mis);

#endif
