/* try_run: the requests of `pelt try`, sent and printed.
 *
 * Threads: main. */
#ifndef CORE_TRY_RUN_H
#define CORE_TRY_RUN_H

#include "core/run_cli.h"
#include "core/try_cli.h"
#include "core/try_graph.h"

/* Runs what `roles` says (by endpoint of the graph's test file, which is run->testfile) and prints
 * it. Returns the exit code. */
int try_run(const struct try_line *line, const struct try_graph *graph, const enum try_role *roles,
            struct run_test *run, struct arena *arena);

#endif
