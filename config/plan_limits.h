/* plan_limits: the largest of everything that a plan may ask for. */
#ifndef CONFIG_PLAN_LIMITS_H
#define CONFIG_PLAN_LIMITS_H

#include "core/base/defs.h"

enum {
    PLAN_CONNECTIONS_MAX = 1000000,
    PLAN_WORKERS_MAX = 1024,
    PLAN_URL_BYTES_MAX = 64 * 1024,
    PLAN_HOST_BYTES_MAX = 253,                /* RFC 1035 section 2.3.4, in text. */
    PLAN_BODY_BYTES_MAX = 64 * 1024 * 1024,   /* In memory. */
    PLAN_BODY_APART_ABOVE = 1024 * 1024,      /* Larger files are sent apart from the head. */
    PLAN_ARENA_BYTES_MAX = 256 * 1024 * 1024, /* All that a plan may hold. */
    PLAN_STAGES_MAX = 1000,
    PLAN_RATE_PER_S_MAX = 100000000,
    PLAN_PENDING_MAX = 100000000,
    PLAN_PIPELINE_MAX = 1024, /* A power of two. */
    PLAN_ROWS_MAX = 100000000,
    PLAN_URLS_MAX = 1000,
    PLAN_WEIGHT_MAX = 1000000,
    PLAN_LAP_MAX = 100000, /* Turns until the order of the requests repeats; see core/turns.h. */
};
/* Where one receive after the other becomes cheaper than armed ones, measured: equal at 16 KiB and
 * a quarter less CPU time at 32 KiB where bytes are discarded; equal at 64 KiB where they are
 * copied. */
#define PLAN_DISCARD_ABOVE (UINT64_C(24) * 1024)
#define PLAN_SINK_ABOVE    (UINT64_C(64) * 1024)
#define PLAN_STAGES_NS_MAX (UINT64_C(36525) * 86400 * NS_PER_S) /* Of all stages: 100 years. */
_Static_assert(PLAN_ARENA_BYTES_MAX >= 2 * PLAN_BODY_BYTES_MAX, "a request and its body's source");
_Static_assert(PLAN_WORKERS_MAX <= 1 << 16, "four hex digits of an id");
_Static_assert(PLAN_URLS_MAX <= 1 << 16, "a request's index in 16 bits, while it waits");

#endif
