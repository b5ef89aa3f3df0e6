/* result_stats: what workers measured, added up into a result. Private to the engine.
 *
 * Threads: the engine's, after the worker whose figures are read has ended. */
#ifndef CORE_RESULT_STATS_H
#define CORE_RESULT_STATS_H

#include "core/result.h"

/* Makes the views that every result has, empty, in `arena`; those of an open loop if `open`. False
 * when the arena refuses. */
MUST_USE bool result_stats_init(struct result *result, bool open, struct arena *arena);

/* Adds one worker's statistics; the views of what it measured and nobody before it are made in
 * `arena`. False when that refuses. */
MUST_USE bool result_stats_add(struct result *result, const struct stats *stats,
                               struct arena *arena);

/* After the last worker: puts the statuses in order. */
void result_stats_end(struct result *result);

#endif
