/* sim_conn: a peer, its connections and the answers they owe. Private to tests/sim. */
#ifndef TESTS_SIM_SIM_CONN_H
#define TESTS_SIM_SIM_CONN_H

#include "tests/sim/sim_link.h"
#include "tests/sim/sim_tls.h"

enum { SIM_HEAD_BYTES = 16 * 1024, SIM_TEXT_BYTES = 640 };

enum sim_stage {
    SIM_STAGE_INTERIM,
    SIM_STAGE_HEAD,
    SIM_STAGE_BODY,
    SIM_STAGE_TAIL,
    SIM_STAGE_OVER
};

/* What ends a connection once an answer, or as much of it as will be, is written. */
enum sim_ending { SIM_ENDING_NONE, SIM_ENDING_CLOSE, SIM_ENDING_RESET, SIM_ENDING_STALL };

/* One answer, whose bytes are made as room comes. */
struct sim_answer {
    struct sim_answer *next;
    uint64_t at_ns; /* Not before. */
    size_t request; /* Index in the peer's requests. */
    enum sim_mis mis;
    enum sim_stage stage;
    enum sim_ending ending;
    const char *text; /* What is being written: text, then filler. */
    size_t text_left;
    uint64_t fill_left;
    uint64_t fill_at;   /* Byte i of a body is 'a' + i % 26. */
    uint64_t wire_left; /* Cut after so many bytes; UINT64_MAX: not cut. */
    uint32_t interims_left;
    enum sim_body body;
    bool has_body;
    bool chunk_open; /* A chunk's data has been written, its line end has not. */
    uint64_t body_left;
    const char *raw;
    size_t raw_bytes;
    uint16_t status;
    size_t head_bytes;
    char head[SIM_TEXT_BYTES];
    char chunk_line[32];
    char extra[64];
};

struct sim_conn {
    struct sim_peer *peer;
    struct sim_conn *next; /* All of the peer's, newest first. */
    struct sim_link *link; /* Its side is 1. */
    struct sim_tls *tls;   /* NULL: it speaks plainly, so far. */
    uint32_t number;
    bool closed;          /* By the peer, or broken. */
    bool left;            /* By the caller. */
    bool parting;         /* Closes when all its ciphertext is on the wire. */
    bool stalled;         /* Answers nothing any more. */
    bool ended;           /* The caller has sent his end; close once all is answered. */
    struct sim_fifo head; /* Of the request that is coming in. */
    uint32_t line_ends;   /* How much of CR LF CR LF the last bytes were. */
    uint64_t body_left;   /* Of a request whose head is complete. */
    bool in_body;
    bool expects;               /* It waits for leave to send its body. */
    bool withheld;              /* It got an answer instead, and whatever comes is ignored. */
    bool request_close;         /* It says Connection: close. */
    struct sim_request request; /* It, until it is complete. */
    uint64_t requests;          /* Complete ones; also tells idle timers whether they are stale. */
    uint64_t answer_last_ns;
    uint64_t drip_next_ns;
    struct sim_answer *answers; /* Oldest first. */
    struct sim_answer *answers_tail;
};

struct sim_peer {
    struct sim *sim;
    struct sim_target *target;
    struct sim_behaviour behaviour;
    struct sim_peer_counts counts;
    struct sim_conn *conns;
    struct sim_request *requests;
    size_t requests_count;
    size_t requests_capacity;
    struct sim_answer *answers_free;
    struct tls_ctx *tls; /* NULL: plain. */
    bool tls_in_tunnel;  /* Only behind a CONNECT that was granted. */
};

/* Bytes for the peer, as it means them. */
void sim_conn_hear(struct sim_conn *conn, const char *data, size_t len);

/* Reads the `len` bytes of a complete request head into conn->request, request_close and body_left.
 * Aborts when they are malformed. */
void sim_request_parse(struct sim_conn *conn, char *head, size_t len);

/* Plans the answer to `request`; `close`: its client wants no more. Owned by the connection. */
struct sim_answer *sim_answer_new(struct sim_conn *conn, const struct sim_request *request,
                                  bool close);
/* Bytes that are not an answer, 1..len_max of them; returns how many. */
size_t sim_rubbish(struct sim_peer *peer, char *ret_bytes, size_t len_max);
/* All that there will be of it is written. */
bool sim_answer_is_over(struct sim_conn *conn, struct sim_answer *answer);
/* Up to `room` bytes of an answer that is not over into `ret_bytes`. */
size_t sim_answer_bytes(struct sim_conn *conn, struct sim_answer *answer, char *ret_bytes,
                        size_t room);

#endif
