/* tls_impl: what the parts of this room share. Nobody else includes OpenSSL's headers. */
#ifndef TLS_TLS_IMPL_H
#define TLS_TLS_IMPL_H

#include <openssl/ssl.h>

#include "tls/tls.h"

enum { TLS_NAME_BYTES = 256 };

struct tls_ctx {
    SSL_CTX *ssl_ctx;
    BIO_METHOD *bio_method;
    struct arena *arena;
    unsigned char *alpn; /* [alpn_len], each name behind its length; NULL: none. */
    size_t alpn_len;
    struct tls_target *targets; /* Linked by `next`. */
    bool server;
    bool verifies; /* Client: chain and name. */
    bool early_data;
    enum tls_resume resume;
    uint32_t resume_percent;
    uint32_t sessions_max;
    uint32_t write_max;
};

struct tls_target {
    struct tls_ctx *ctx;
    struct tls_target *next;
    char name[TLS_NAME_BYTES]; /* Asked for and verified, or the address. */
    bool is_address;
    /* Tickets, a ring: the newest is used first, the oldest makes room. */
    SSL_SESSION **sessions; /* [ctx->sessions_max] */
    uint32_t sessions_first;
    uint32_t sessions_count;
    uint32_t mix_percent; /* TLS_RESUME_MIX: what connections so far have saved up. */
};

/* What OpenSSL calls when a ticket has come. Keeps it (1) or does not (0). */
int tls_cache_put(SSL *ssl, SSL_SESSION *session);

/* A session for the next connection to offer, or NULL. The caller frees it. */
SSL_SESSION *tls_cache_take(struct tls_target *target);

void tls_cache_release(struct tls_target *target);

/* Notes in `session` why the last call failed, from OpenSSL's error queue, and empties that. */
void tls_err_note(struct tls_session *session);

/* Fails the session with `err`, which OpenSSL does not know of. */
enum tls_result tls_err_fail(struct tls_session *session, enum tls_err err);

/* The first words that OpenSSL has about a failure at setup; empties the queue. */
const char *tls_err_setup(void);

/* The method of the BIO between OpenSSL and the spans of a session; NULL: no memory. */
BIO_METHOD *tls_bio_method_new(void);

#endif
