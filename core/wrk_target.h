/* wrk_target: where wrk's command line says that requests go: its URL, taken apart as wrk does.
 * Pure.
 *
 * Threads: any. */
#ifndef CORE_WRK_TARGET_H
#define CORE_WRK_TARGET_H

#include "core/base/arena.h"
#include "core/base/defs.h"

struct wrk_target {
    const char *host;       /* Without brackets. */
    const char *service;    /* The port, or the scheme where there is none. */
    const char *host_field; /* Value of the Host field: the port only if the URL has one. */
    const char *path;       /* All of the URL from its path on, even a fragment; "/" without one. */
    bool bracketed;         /* The host stood in brackets. */
    bool tls;
};

/* Takes `url` apart, strings into `arena`. False when wrk calls it invalid: no scheme of letters
 * only, no host, a port that is none, a fragment behind no path, spaces, control characters, bytes
 * above 127; also when the arena refuses. User information is dropped, as wrk does. */
MUST_USE bool wrk_target_parse(struct arena *arena, const char *url, struct wrk_target *ret_target);

#endif
