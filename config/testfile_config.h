/* testfile_config: `config.client` and `config.general` of a test file. */
#ifndef CONFIG_TESTFILE_CONFIG_H
#define CONFIG_TESTFILE_CONFIG_H

#include "config/diag.h"
#include "core/base/defs.h"

/* As the options of the command line with the same names; NULL: not given, and no default. */
struct testfile_tls {
    const char *cacert;
    const char *cert;
    const char *key;
    const char *tls_min;
    const char *tls_max;
    const char *ciphers;
    const char *ciphersuites;
    const char *groups;
    const char *sni;
    const char *alpn;
    const char *tls_resume;
    bool insecure;
};

/* A host that is not to be looked up. */
struct testfile_resolve {
    const char *host;
    const char *address; /* IPv4 or IPv6, numeric. */
};

struct testfile_client {
    uint64_t request_timeout_ns;          /* From sent to the last byte of the body. */
    uint64_t connect_timeout_ns;          /* 0: not given; then as request_timeout_ns. */
    uint64_t keepalive_ns;                /* Idle time before a TCP keep-alive probe. */
    uint64_t max_connections;             /* Over all workers; 0: what the machine carries. */
    uint64_t max_connections_per_host;    /* 0: no bound of its own. */
    uint64_t max_requests_per_connection; /* 0: no bound. */
    uint64_t pipeline;                    /* 1: none. */
    uint64_t max_response_body;           /* Bytes of a body that an expression needs. */
    struct testfile_tls tls;
    const char *const *sources; /* Numeric addresses to connect from; [sources_count]. */
    uint32_t sources_count;
    uint32_t resolves_count;
    const struct testfile_resolve *resolves;
};

enum testfile_log_level { LOG_OFF, LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_TRACE };

struct testfile_general {
    uint64_t auto_buffer_start_size;
    uint64_t bucket_size_ns;
    uint64_t workers;     /* 0: not given. */
    uint64_t seed;        /* Of what is drawn at random, if seed_is_given. */
    uint64_t max_pending; /* Due requests that may wait for a connection. */
    enum testfile_log_level log_level;
    bool log_provider_stats;
    bool seed_is_given;
    uint32_t secrets_count;
    const char *const *secrets; /* Names of vars that are masked; [secrets_count]. */
};

#endif
