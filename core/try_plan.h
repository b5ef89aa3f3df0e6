/* try_plan: `pelt try --plan`: who would be called and why, for people and as JSON.
 *
 * Pure. Threads: one owner. */
#ifndef CORE_TRY_PLAN_H
#define CORE_TRY_PLAN_H

#include "core/try_graph.h"

/* Writes providers with their feeders and readers, and endpoints with score and role. */
void try_plan_human(const struct try_graph *graph, const enum try_role *roles, struct text *out);

/* The same as one line of JSON (docs/try.md). */
void try_plan_json(const struct try_graph *graph, const enum try_role *roles, struct text *out);

#endif
