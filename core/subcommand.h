/* subcommand: how `pelt run`, `pelt try` and `pelt check` speak on the terminal.
 *
 * Threads: main. */
#ifndef CORE_SUBCOMMAND_H
#define CORE_SUBCOMMAND_H

#include "core/base/text.h"

/* Says on stderr what is wrong with the command line of `pelt NAME`: `what`, and behind it `word`
 * in quotes unless that is NULL. Returns EXIT_CODE_USAGE. */
int subcommand_wrong(const char *name, const char *what, const char *word);

/* Which of `names`, behind whose last one is NULL, the value of an option is; -1: none. */
MUST_USE int subcommand_choice(const char *value, const char *const *names);

/* Writes `text` to a descriptor, nothing if it is empty. Returns EXIT_CODE_OK, or, having said on
 * stderr why not all could be written, EXIT_CODE_OUTPUT. */
int subcommand_print(int fd, const struct text *text);

#endif
