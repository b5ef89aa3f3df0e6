#include "core/subcommand.h"

#include <stdio.h>
#include <string.h>

#include "core/base/nearest.h"
#include "core/base/quote.h"
#include "core/exit.h"
#include "core/output.h"

int subcommand_wrong(const char *name, const char *what, const char *word)
{
    if (word == NULL) {
        (void)fprintf(stderr, "pelt: %s (see pelt %s --help)\n", what, name);
    } else {
        (void)fprintf(stderr, "pelt: %s '%s' (see pelt %s --help)\n", what, quote(word).text, name);
    }
    return EXIT_CODE_USAGE;
}

int subcommand_wants(const struct subcommand_line *line, int option, const char *value)
{
    const struct subcommand_option *found = &line->options[option];
    char what[160];

    (void)snprintf(what, sizeof(what), "option '--%s' wants %s%s", found->name, found->wants,
                   value == NULL ? "" : ", not");
    return subcommand_wrong(line->command, what, value);
}

static int unknown(const struct subcommand_line *line, const char *word)
{
    struct nearest nearest = nearest_to(word + 2, strcspn(word + 2, "="));

    if (word[1] == '-') {
        for (uint32_t i = 0; i < line->options_count; i++) {
            (void)!nearest_offer(&nearest, line->options[i].name);
        }
    }
    (void)fprintf(stderr, "pelt: unknown option '%s'%s%s%s (see pelt %s --help)\n",
                  quote(word).text, nearest.best == NULL ? "" : "; did you mean '--",
                  nearest.best == NULL ? "" : nearest.best, nearest.best == NULL ? "" : "'?",
                  line->command);
    return SUBCOMMAND_WRONG;
}

/* Takes the next word as the value of an option. */
static int take_next(struct subcommand_line *line, int option, const char **ret_value)
{
    const struct subcommand_option *found = &line->options[option];
    const char *word = line->at < line->argc ? line->argv[line->at] : NULL;
    char what[160];

    if (word != NULL && (word[0] != '-' || word[1] == '\0')) {
        *ret_value = word;
        line->at++;
    } else if (found->wants[0] != '[' && word != NULL) {
        (void)snprintf(what, sizeof(what), "option '--%s' wants %s, but there follows", found->name,
                       found->wants);
        (void)subcommand_wrong(line->command, what, word);
        return SUBCOMMAND_WRONG;
    } else if (found->wants[0] != '[') {
        (void)subcommand_wants(line, option, NULL);
        return SUBCOMMAND_WRONG;
    }
    return option;
}

/* Reads a word that begins with two dashes. */
static int next_long(struct subcommand_line *line, const char *word, const char **ret_value)
{
    const char *name = word + 2;
    size_t len = strcspn(name, "=");

    for (uint32_t i = 0; i < line->options_count; i++) {
        const struct subcommand_option *option = &line->options[i];

        if (strlen(option->name) != len || memcmp(option->name, name, len) != 0) continue;
        if (option->wants == NULL && name[len] == '=') {
            (void)subcommand_wrong(line->command, "this option has no value:", word);
            return SUBCOMMAND_WRONG;
        }
        if (option->wants == NULL) return (int)i;
        if (name[len] == '\0') return take_next(line, (int)i, ret_value);
        *ret_value = name + len + 1;
        return (int)i;
    }
    return unknown(line, word);
}

/* Reads the next of the letters behind one dash, the last of which may have a value. */
static int next_letter(struct subcommand_line *line, const char **ret_value)
{
    const char *letters = line->letters;

    line->letters = letters[1] == '\0' ? NULL : letters + 1;
    for (uint32_t i = 0; i < line->options_count; i++) {
        const struct subcommand_option *option = &line->options[i];

        if (option->letter != letters[0]) continue;
        if (option->wants == NULL) return (int)i;
        line->letters = NULL;
        if (letters[1] == '\0') return take_next(line, (int)i, ret_value);
        *ret_value = letters + 1 + (letters[1] == '=');
        return (int)i;
    }
    return unknown(line, line->argv[line->at - 1]);
}

struct subcommand_line subcommand_begin(const char *command,
                                        const struct subcommand_option *options,
                                        uint32_t options_count, int argc, char **argv)
{
    return (struct subcommand_line){.command = command,
                                    .options = options,
                                    .options_count = options_count,
                                    .argc = argc,
                                    .argv = argv,
                                    .at = 1};
}

int subcommand_next(struct subcommand_line *line, const char **ret_value)
{
    *ret_value = NULL;
    while (line->letters == NULL) {
        const char *word;

        if (line->at >= line->argc) return SUBCOMMAND_END;
        word = line->argv[line->at++];
        if (!line->options_over && strcmp(word, "--") == 0) {
            line->options_over = true;
        } else if (!line->options_over && word[0] == '-' && word[1] == '-') {
            return next_long(line, word, ret_value);
        } else if (!line->options_over && word[0] == '-' && word[1] != '\0') {
            line->letters = word + 1;
        } else if (line->file != NULL) {
            (void)subcommand_wrong(line->command, "two files given; one at a time, not also", word);
            return SUBCOMMAND_WRONG;
        } else {
            line->file = word;
        }
    }
    return next_letter(line, ret_value);
}

int subcommand_choice(const char *value, const char *const *names)
{
    for (int i = 0; names[i] != NULL; i++) {
        if (strcmp(value, names[i]) == 0) return i;
    }
    return -1;
}

int subcommand_print(int fd, const struct text *text)
{
    struct err_info why;

    if (text->len == 0 && !text->failed) return EXIT_CODE_OK;
    if (output_stream(fd, text, &why) == ERR_OK) return EXIT_CODE_OK;
    (void)fprintf(stderr, "pelt: %s\n", why.message);
    return EXIT_CODE_OUTPUT;
}
