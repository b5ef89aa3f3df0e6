/* plan_tls: how connections to https targets are made safe. A part of the plan (config/plan.h).
 * Strings are NULL where nothing was said; then the TLS library's own choice holds. */
#ifndef CONFIG_PLAN_TLS_H
#define CONFIG_PLAN_TLS_H

#include "core/base/defs.h"

/* Which connections resume an earlier one's session: all that have a ticket, none, or a share. */
enum plan_tls_resume { PLAN_TLS_TICKETS, PLAN_TLS_FULL, PLAN_TLS_MIX };

enum plan_tls_version { PLAN_TLS_ANY, PLAN_TLS_1_0, PLAN_TLS_1_1, PLAN_TLS_1_2, PLAN_TLS_1_3 };

enum { PLAN_TLS_SECLEVEL_UNTOUCHED = -1, PLAN_TLS_SECLEVEL_MAX = 5 };

struct plan_tls {
    bool insecure;         /* Nothing of a certificate is verified … */
    bool as_wrk;           /* … because wrk does not, and not because somebody asked for it. */
    const char *ca_file;   /* Trusted in place of the system's roots. */
    const char *crl_file;  /* Revocation lists; NULL: revocation is not looked at. */
    const char *cert_file; /* Of the client. */
    const char *key_file;  /* NULL: in cert_file. */
    enum plan_tls_version version_min, version_max;
    const char *ciphers;      /* Of TLS 1.2 and below. */
    const char *ciphersuites; /* Of TLS 1.3. */
    const char *groups;
    const char *sni;  /* Name to ask for and to verify in place of the URL's host. */
    const char *alpn; /* Application protocols offered; "": none. Never NULL. */
    enum plan_tls_resume resume;
    uint32_t resume_percent; /* PLAN_TLS_MIX: 0..100 */
    bool early_data;         /* First requests go in front of resumed handshakes. */
    int seclevel;            /* 0..PLAN_TLS_SECLEVEL_MAX or PLAN_TLS_SECLEVEL_UNTOUCHED. */
    uint64_t timeout_ns;     /* Of a handshake, from connected on. */
};

#endif
