/* cli_texts: what help, manual page and completions are made of besides the table of options.
 * Private to the command line (cli*.c). */
#ifndef CORE_CLI_TEXTS_H
#define CORE_CLI_TEXTS_H

#include "core/cli_options.h"

struct cli_exit {
    const char *code, *words;
};

extern const char *const cli_group_names[CLI_GROUPS];
extern const char cli_about[];            /* What pelt does; a sentence or more. */
extern const char cli_arguments[];        /* What N, R and TIME may be. */
extern const struct cli_exit cli_exits[]; /* Ends with NULLs. */
extern const char *const cli_examples[];  /* Ends with NULL. */

/* Whether the argument of an option is the name of a file, by what the help calls it. */
bool cli_argument_is_file(const char *argument);

#endif
