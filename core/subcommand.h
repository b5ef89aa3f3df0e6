/* subcommand: how `pelt run`, `pelt try` and `pelt check` read their command lines and speak on the
 * terminal.
 *
 * Threads: main. */
#ifndef CORE_SUBCOMMAND_H
#define CORE_SUBCOMMAND_H

#include "core/base/text.h"

struct subcommand_option {
    const char *name;  /* Long, without its dashes. */
    const char *wants; /* "human or json": its value, "[KEY]": one that may lack; NULL: none. */
    char letter;       /* Of the short one; 0: there is none. */
};

/* A command line as it is read. */
struct subcommand_line {
    const char *command; /* "run" */
    const struct subcommand_option *options;
    uint32_t options_count;
    int argc; /* argv[0] is the command. */
    char **argv;
    int at;              /* The word that is read next. */
    const char *letters; /* What is left of a word of letters; NULL: nothing. */
    const char *file;    /* The word that is no option; NULL: none came so far. */
    bool options_over;
};

/* Begins with the word behind the command. */
struct subcommand_line subcommand_begin(const char *command,
                                        const struct subcommand_option *options,
                                        uint32_t options_count, int argc, char **argv);

enum { SUBCOMMAND_END = -1, SUBCOMMAND_WRONG = -2 };

/* Reads on to the next option, as POSIX (Utility Syntax Guidelines) and GNU have them: "--name",
 * "--name=value", "--name value", "-abc", "-nvalue", "-n value", and "--" before what is none.
 * Returns its index, with its value or NULL; SUBCOMMAND_END behind the last word, or
 * SUBCOMMAND_WRONG when it has said on stderr what is wrong. */
int subcommand_next(struct subcommand_line *line, const char **ret_value);

/* Says on stderr that the option wants something else than `value`; NULL: no value, and nothing is
 * there. Returns EXIT_CODE_USAGE. */
int subcommand_wants(const struct subcommand_line *line, int option, const char *value);

/* Says on stderr what is wrong with the command line of `pelt NAME`: `what`, and behind it `word`
 * in quotes unless that is NULL. Returns EXIT_CODE_USAGE. */
int subcommand_wrong(const char *name, const char *what, const char *word);

/* Which of `names`, behind whose last one is NULL, the value of an option is; -1: none. */
MUST_USE int subcommand_choice(const char *value, const char *const *names);

/* Writes `text` to a descriptor, nothing if it is empty. Returns EXIT_CODE_OK, or, having said on
 * stderr why not all could be written, EXIT_CODE_OUTPUT. */
int subcommand_print(int fd, const struct text *text);

#endif
