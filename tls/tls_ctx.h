/* tls_ctx: what all TLS connections of one thread have in common: who is trusted, what is
 * offered, which tickets are at hand.
 *
 * A worker has one tls_ctx, and one tls_target for each place its requests go to. Both are taken
 * from the caller's arena; what OpenSSL allocates for them goes back with tls_ctx_free().
 *
 * Threads: the one that made it. */
#ifndef TLS_TLS_CTX_H
#define TLS_TLS_CTX_H

#include "core/base/arena.h"
#include "core/base/err.h"

struct tls_ctx;
struct tls_target;

/* Which connections offer a ticket of an earlier one: all that can, none, or a percentage. */
enum tls_resume { TLS_RESUME_TICKETS, TLS_RESUME_FULL, TLS_RESUME_MIX };

enum { TLS_VERSION_ANY = 0, TLS_1_0 = 0x0301, TLS_1_1, TLS_1_2, TLS_1_3 };

enum {
    TLS_CERT_PEM_BYTES = 2048,
    TLS_KEY_PEM_BYTES = 512,
    TLS_TICKET_KEY_BYTES = 80,
    TLS_SECLEVEL_UNTOUCHED = -1,
    TLS_SECLEVEL_MAX = 5,
    TLS_SESSIONS_MAX = 65536,
};

/* A server's certificate and key made by ourselves, and the key of its tickets. Copies of one let
 * several threads be the same server. */
struct tls_identity {
    char cert_pem[TLS_CERT_PEM_BYTES]; /* Terminated. */
    char key_pem[TLS_KEY_PEM_BYTES];   /* Terminated. */
    unsigned char ticket_key[TLS_TICKET_KEY_BYTES];
};

/* All zero but `seclevel` is: a client that verifies by the system's roots, with OpenSSL's own
 * choice of everything else. Strings may be NULL where nothing is said; all are borrowed for the
 * call. */
struct tls_options {
    bool server;
    bool insecure;        /* Client: certificates are not verified at all. */
    const char *ca_file;  /* PEM. Client: trusted in place of the system's roots; one of them may be
                             the server's own certificate. Server: client certificates by these are
                             required. */
    const char *crl_file; /* PEM: one list for every issuer in the chain. */
    const char *cert_file;               /* PEM, own certificate first, then its issuers. */
    const char *key_file;                /* PEM, not encrypted. */
    const struct tls_identity *identity; /* Server: in place of both, and its ticket key. */
    uint16_t version_min, version_max;   /* TLS_1_0 … or TLS_VERSION_ANY: 1.2, and no maximum. */
    const char *ciphers;                 /* Of TLS 1.2 and below, as openssl-ciphers(1). */
    const char *ciphersuites;            /* Of TLS 1.3. */
    const char *groups;                  /* "X25519:P-256" */
    int seclevel;                        /* 0..TLS_SECLEVEL_MAX or TLS_SECLEVEL_UNTOUCHED. */
    const char *alpn;                    /* "http/1.1" or "h2,http/1.1"; NULL or "": none. A server
                                            chooses the first of its own that it is offered. */
    enum tls_resume resume;              /* Server: TLS_RESUME_FULL gives no tickets. */
    uint32_t resume_percent;             /* TLS_RESUME_MIX: 0..100 */
    uint32_t write_max;                  /* Plaintext of a record that we send, at most; 0: 16 KiB.
                                            Smaller ones need smaller buffers. */
    bool keep_buffers;                   /* A session keeps the memory of its records when it
                                            idles, 16 KiB + write_max. */
    bool early_data;                     /* Client: tls_write_early() may be used. */
    uint32_t sessions_max;               /* Client: tickets kept per target, 0..TLS_SESSIONS_MAX. */
};

/* Makes a context. ERR_USAGE: an option that OpenSSL does not take. ERR_FILE: a file that cannot
 * be read, or is not what it should be. ERR_MEMORY. On failure nothing remains to be freed. */
MUST_USE enum err tls_ctx_new(struct tls_ctx **ret_ctx, struct arena *arena,
                              const struct tls_options *options, struct err_info *why);

/* Gives back what OpenSSL holds, of its targets too. All sessions must be closed. NULL is fine. */
void tls_ctx_free(struct tls_ctx *ctx);

/* A place that a client connects to. `host` is a name or an IP address without brackets (a zone
 * after '%' is left away); `sni` NULL, or the name to ask for and to verify in its place. For an
 * address no name is asked for. Lives as long as `ctx`. ERR_USAGE: not a name that a certificate
 * could have. ERR_MEMORY. */
MUST_USE enum err tls_target_new(struct tls_target **ret_target, struct tls_ctx *ctx,
                                 const char *host, const char *sni, struct err_info *why);

/* Gives a target that no connection has used yet another name. False when a certificate could not
 * have it. */
MUST_USE bool tls_target_name(struct tls_target *target, const char *host);

/* Tickets at hand. */
uint32_t tls_target_tickets(const struct tls_target *target);

/* Makes a new P-256 key and a certificate for localhost, 127.0.0.1 and ::1 that is valid for a
 * year. ERR_MEMORY when OpenSSL cannot. */
MUST_USE enum err tls_identity_make(struct tls_identity *ret_identity, struct err_info *why);

/* The library's version at run time ("OpenSSL 3.0.17 1 Jul 2025"); static. Any thread. */
const char *tls_library(void);

#endif
