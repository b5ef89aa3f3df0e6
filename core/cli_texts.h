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

/* What can be asked of the program: a run, and its commands. */
enum cli_command { CLI_RUN, CLI_TRY, CLI_CHECK, CLI_SERVE, CLI_COMMANDS };

/* An option of any of them, as shells and the manual page have to know it. */
struct cli_entry {
    const char *name;     /* Long, without dashes. */
    const char *argument; /* What the help calls it; NULL: takes none. */
    const char *help;
    const char *fallback;       /* NULL: nothing to say. */
    const char *const *choices; /* Its words, ends with NULL; NULL: not known. */
    size_t group;               /* Of a run's. */
    char letter;                /* 0: none. */
};

/* Option `n` of a command; false behind the last. */
MUST_USE bool cli_entry_at(enum cli_command command, size_t n, struct cli_entry *ret_entry);

/* Whether the argument of an option is the name of a file, by what the help calls it. */
bool cli_argument_is_file(const char *argument);

#endif
