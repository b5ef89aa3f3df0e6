/* result_urls: what workers measured of each URL, added up into a result. Private to the engine.
 *
 * Threads: the engine's, after all workers have ended. */
#ifndef CORE_RESULT_URLS_H
#define CORE_RESULT_URLS_H

#include "core/result.h"
#include "core/stats_urls.h"

/* Adds up what `workers` [count] measured, into result->urls made in `arena`; no-op when there is
 * but one URL. False when the arena refuses. */
MUST_USE bool result_urls_fill(struct result *result, const struct stats_urls *const *workers,
                               uint32_t count, struct arena *arena);

#endif
