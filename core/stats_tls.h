/* stats_tls: what a worker learns of TLS: how long handshakes took, full and resumed ones apart,
 * what was agreed on in them, and what more is known of those that failed.
 *
 * Threads: the worker writes; histograms may be read meanwhile, the rest after it has ended. */
#ifndef CORE_STATS_TLS_H
#define CORE_STATS_TLS_H

#include "core/base/hist.h"
#include "io/conn.h"

enum { STATS_TLS_AGREED_MAX = 4 };

/* Handshakes that agreed on the same version, cipher and group; strings are static. */
struct stats_tls_agreed {
    const char *version, *cipher, *group;
    uint64_t count;
};

struct stats_tls {
    struct hist full; /* From connected to established. */
    struct hist resumed;
    struct stats_tls_agreed agreed[STATS_TLS_AGREED_MAX]; /* [agreed_count], the first ones seen. */
    uint32_t agreed_count;
    uint64_t agreed_otherwise;         /* Handshakes beyond these. */
    uint64_t unverified;               /* Handshakes whose certificate was not verified. */
    const char *details[FAILED_COUNT]; /* By class, the first one's; NULL: none. */
};

/* Notes a handshake; its time only if `measured`. */
void stats_tls_note(struct stats_tls *tls, const struct conn_handshake *handshake, bool measured);

/* Counts `count` handshakes that agreed on the same as `agreed`; for sums over workers too. */
void stats_tls_agree(struct stats_tls *tls, const struct stats_tls_agreed *agreed, uint64_t count);

/* `sum` += `tls`, but for the histograms. */
void stats_tls_add(struct stats_tls *sum, const struct stats_tls *tls);

#endif
