/* conn_owner: what the owner of connections is told, and what is counted for it.
 *
 * Threads: the worker's. */
#ifndef IO_CONN_OWNER_H
#define IO_CONN_OWNER_H

#include "io/conn.h"

/* A request that a chain carries, and its bytes, which never change. */
struct conn_next {
    struct conn_ask ask;
    const void *bytes;
    size_t len;
};

/* What the owner of the connections does with what happens on them. All calls come from
 * conn_event(), conn_timer() or conn_body_resume(); they may start requests and close connections,
 * nothing else. */
struct conn_owner {
    void *self;
    /* A request was answered. */
    void (*answered)(void *self, struct conn *conn, const struct conn_request *request,
                     const struct conn_answer *answer);
    /* A request that was sent will not be answered. `now_ns` is when that became known. */
    void (*failed)(void *self, struct conn *conn, const struct conn_request *request,
                   enum failed_class why, uint64_t now_ns);
    /* Only for requests that are watched: the final head of an answer, and its body as it comes,
     * without its transfer coding. They may look and do nothing else; `request` is still
     * outstanding. */
    void (*head)(void *self, const struct conn_request *request, const char *text,
                 const struct http1_head *head);
    void (*body)(void *self, const struct conn_request *request, const char *data, size_t len);
    /* The connection can take conn_room() requests: conn_push() and conn_send(), or leave it. */
    void (*ready)(void *self, struct conn *conn, uint64_t now_ns);
    /* The connection will be closed, and its slot can take a request with it to the next one. True
     * if one waits for its target: it is bound to that attempt to connect. Only asked for if
     * table.chains. */
    bool (*next)(void *self, struct conn *conn, struct conn_next *ret_next);
    /* The attempt to connect, at one address, that began at conn->begun_ns has ended. */
    void (*connect_ended)(void *self, struct conn *conn, uint64_t now_ns, bool connected);
    /* A TLS handshake has ended. */
    void (*handshake_ended)(void *self, struct conn *conn, const struct conn_handshake *handshake);
};

/* Counters of the owner that connections keep up to date. */
struct conn_counts {
    uint64_t *bytes_sent; /* Only of bodies that are sent apart. */
    uint64_t *bytes_received;
    uint64_t *bytes_discarded; /* Of these. */
    uint64_t *discarded;       /* Answers of which some were. */
    uint64_t *closed_by_peer;
    uint64_t *unsolicited_idle;
    uint64_t *conflicting;
    uint64_t *interim;
    uint64_t *bodies_continued; /* Sent because the peer gave leave. */
    uint64_t *bodies_unasked;   /* Sent because it had said nothing for long. */
    uint64_t *bodies_unsent;    /* Not sent, or not all, because the answer had come. */
    uint64_t *tls_unclean;      /* May be NULL where nothing is TLS. */
    uint64_t *alive;
    uint64_t *alive_max;
};

#endif
