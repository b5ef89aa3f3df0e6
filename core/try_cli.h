/* try_cli: `pelt try FILE`: what its command line says, and the whole of it (docs/try.md).
 *
 * Threads: main. */
#ifndef CORE_TRY_CLI_H
#define CORE_TRY_CLI_H

#include "config/plan.h"
#include "core/try_filter.h"

/* What the command line says; all texts are those of argv. */
struct try_line {
    const char *file;
    struct try_filter *filters; /* [filters_count]; none: everything is chosen. */
    uint32_t filters_count;
    const char *output;      /* A file in place of stdout; NULL: stdout. */
    const char *results_dir; /* Where loggers write; NULL: the current directory. */
    uint64_t timeout_ns;
    enum plan_io io;
    bool json;
    bool loggers;
    bool skip_response_body;
    bool skip_request_body;
    bool plan;
    bool all_feeders;
    bool show_secrets;
    bool strict;
    bool help;
};

/* Reads `pelt try …` (argv[0] is "try"); memory comes from `arena`. EXIT_CODE_OK, or
 * EXIT_CODE_USAGE and what is wrong has been printed. */
int try_line_read(int argc, char **argv, struct arena *arena, struct try_line *ret_line);

extern const char try_usage[];

/* Does what the line says; returns the exit code. */
int try_main(int argc, char **argv);

#endif
