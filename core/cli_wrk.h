/* cli_wrk: the command line of wrk 4, for a program that is started under the name `wrk`
 * (docs/wrk.md). What is wrong with it is told as wrk tells it, with wrk's exit statuses.
 *
 * Threads: main, before the others are started. */
#ifndef CORE_CLI_WRK_H
#define CORE_CLI_WRK_H

#include "core/cli.h"

enum {
    CLI_WRK_OK = 0,
    CLI_WRK_WRONG = 1,   /* Also where help was asked for, as wrk. */
    CLI_WRK_THREADS = 2, /* Threads that cannot be made. */
};

/* True if a program of this name (argv[0]; NULL is fine) is to be wrk. */
bool cli_is_wrk(const char *name);

/* Reads the line, looks up the URL's host and connects to it once: all before a run that costs
 * time. Returns -1 with `ret_cli` the caller's as from cli_parse(), or else, having printed what
 * there is to say, the exit status. `argv` is permuted (getopt_long(3)) and must live as long. */
MUST_USE int cli_wrk_parse(int argc, char **argv, uint32_t cpus, struct cli *ret_cli);

#endif
