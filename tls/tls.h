/* tls: one TLS connection, client or server, without a socket. Ciphertext comes in as it was
 * received, ciphertext goes out into the caller's send buffer; who moves it is not our business.
 *
 * Every call leaves all output there is in the send buffer: handshake flights, alerts,
 * close_notify; the answer to a KeyUpdate goes before the next record written. Only what does not
 * fit waits in the session (at most TLS_SPILL_MAX, or the peer is at fault: TLS_ERR_FLOOD) until
 * tls_flush() finds room.
 *
 * A client begins with tls_handshake(); whoever gets TLS_MORE feeds what comes next and calls
 * again. A session stays where it was opened. The error queue of OpenSSL is cleared before every
 * call, so that one connection's failure is never charged to another.
 *
 * Threads: the one of its tls_ctx. */
#ifndef TLS_TLS_H
#define TLS_TLS_H

#include "tls/tls_ctx.h"
#include "tls/tls_err.h"

struct ssl_st;
struct bio_st;

enum {
    TLS_PLAIN_BYTES = 16384,    /* Plaintext of a record: room for tls_read(). */
    TLS_OVERHEAD_BYTES = 320,   /* A record is longer than its plaintext by this at most. */
    TLS_SPILL_MAX = 256 * 1024, /* Output that waits for room. */
};

enum tls_result {
    TLS_DONE,   /* What was asked is done. */
    TLS_MORE,   /* All ciphertext is taken, and more is needed. */
    TLS_CLOSED, /* The peer has said that it sends no more. */
    TLS_FAILED, /* session.err says why, session.detail more; only tls_close() may follow. */
};

/* Where output goes: appended at `len`. */
struct tls_out {
    char *data;
    size_t len;
    size_t size;
};

struct tls_session {
    struct ssl_st *ssl;        /* NULL: closed. */
    struct tls_target *target; /* Client only. */
    const char *in;            /* Ciphertext not yet taken; the caller's, until TLS_MORE. */
    size_t in_len;
    struct tls_out *out;  /* The caller's, during a call; else NULL. */
    struct bio_st *spill; /* Output that found no room; NULL until there is some. */
    const char *detail;   /* After TLS_FAILED: OpenSSL's words, static; "" if it has none. */
    uint32_t write_max;   /* Plaintext of a record that is sent. */
    uint8_t err;          /* After TLS_FAILED: enum tls_err. */
    bool failed;
    bool established; /* The handshake is complete. */
    bool resumed;     /* By a ticket. Valid once established. */
    bool seen;        /* Something has been received. */
    bool alien;       /* It did not look like TLS. */
    bool cert_asked;  /* The peer wanted a certificate, and we have none. */
    bool notify_sent; /* Our close_notify is out. */
    bool flooded;     /* The spill would pass its maximum. */
    bool begun;       /* The handshake has begun: it is too late for early data. */
    bool early;       /* Early data was sent. */
    bool early_taken; /* And the peer took it. Valid once established. */
};

/* What was agreed on. Strings are static. */
struct tls_facts {
    const char *version; /* "TLSv1.3" */
    const char *cipher;  /* "TLS_AES_256_GCM_SHA384" */
    const char *group;   /* "X25519"; "" if none was used or known. */
    bool resumed;
    bool verified; /* Client: chain and name. */
    bool early, early_taken;
};

/* Opens a session to a target, or one of a server. `session` need not be initialised; afterwards
 * tls_close() is owed. False when OpenSSL has no memory: nothing is owed then. */
MUST_USE bool tls_connect(struct tls_session *session, struct tls_target *target);
MUST_USE bool tls_accept(struct tls_session *session, struct tls_ctx *ctx);

/* Gives everything back. A session that did not fail lets its tickets be used again. No-op on
 * a zeroed or closed session. */
void tls_close(struct tls_session *session);

/* Lends `len` bytes of ciphertext, which must stay until a call says TLS_MORE or the session is
 * closed. Only when all earlier ciphertext is taken. */
void tls_feed(struct tls_session *session, const char *data, size_t len);

/* Takes the handshake as far as it goes: TLS_DONE once, and TLS_DONE at once from then on. */
MUST_USE enum tls_result tls_handshake(struct tls_session *session, struct tls_out *out);

/* How many bytes a new session may send as early data (RFC 8446 section 2.3), in one record: 0
 * unless that is wanted, and a ticket at hand allows it. */
uint32_t tls_early_max(const struct tls_session *session);

/* Begins the handshake with `len` bytes, at most tls_early_max(), as early data. TLS_DONE, also
 * where they wait for room, or TLS_FAILED. Once the handshake is done `session.early_taken` says
 * whether the peer took them; if not they are to be written again. */
MUST_USE enum tls_result tls_write_early(struct tls_session *session, struct tls_out *out,
                                         const char *plain, size_t len);

/* Reads at most `size` bytes of plaintext, one record at a time, into `plain`: TLS_DONE with
 * *ret_len > 0; else *ret_len is 0. After the handshake only. */
MUST_USE enum tls_result tls_read(struct tls_session *session, struct tls_out *out, char *plain,
                                  size_t size, size_t *ret_len);

/* Writes as much of `plain` as has room in `out`: *ret_len says how much, which is 0 while
 * anything waits for room. TLS_DONE or TLS_FAILED. After the handshake only. */
MUST_USE enum tls_result tls_write(struct tls_session *session, struct tls_out *out,
                                   const char *plain, size_t len, size_t *ret_len);

/* Says that we send no more (close_notify); once, and not after a failure: else a no-op. */
void tls_shutdown(struct tls_session *session, struct tls_out *out);

/* The connection has ended, without a close_notify: what that means. TLS_CLOSED if one had come,
 * else TLS_FAILED. */
MUST_USE enum tls_result tls_eof(struct tls_session *session);

/* Moves what waited for room into `out`; true if nothing waits any longer. */
MUST_USE bool tls_flush(struct tls_session *session, struct tls_out *out);

/* Once established. */
struct tls_facts tls_facts(const struct tls_session *session);

#endif
