/* run_line: the command line of `pelt run`.
 *
 * Threads: main. */
#ifndef CORE_RUN_LINE_H
#define CORE_RUN_LINE_H

#include "core/cli.h"

/* What `pelt run --help` prints. */
extern const char run_usage[];

/* Reads `pelt run …` (argv[0] is "run") into `cli`, of which only the plan has been made ready;
 * `ret_file` is the test file. Strings point into argv. EXIT_CODE_OK, with --help too, or what is
 * wrong has been printed and this is the exit code. */
int run_line_read(int argc, char **argv, struct cli *cli, const char **ret_file);

#endif
