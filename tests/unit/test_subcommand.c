/* The command lines of subcommands. */
#include "core/subcommand.h"

#include <stdlib.h>
#include <string.h>

#include "tests/test.h"

enum { PLAIN, VALUED, MAYBE, LONG };

static const struct subcommand_option options[] = {
    [PLAIN] = {"plain", NULL, 'p'},
    [VALUED] = {"valued", "a thing", 'v'},
    [MAYBE] = {"maybe", "[KEY]", 'm'},
    [LONG] = {"long-only", NULL, 0},
};

enum { WORDS_MAX = 8, STEPS_MAX = 5 };

struct step {
    int option;
    const char *value; /* NULL: none. */
};

/* What is read of a line; the last step is the END or the WRONG. */
static const struct row {
    const char *argv[WORDS_MAX]; /* Behind the command. */
    struct step steps[STEPS_MAX];
    const char *file;
} rows[] = {
    {{NULL}, {{SUBCOMMAND_END, NULL}}, NULL},
    {{"a", "-p"}, {{PLAIN, NULL}, {SUBCOMMAND_END, NULL}}, "a"},
    {{"--plain", "a"}, {{PLAIN, NULL}, {SUBCOMMAND_END, NULL}}, "a"},
    {{"--long-only"}, {{LONG, NULL}, {SUBCOMMAND_END, NULL}}, NULL},
    {{"--valued", "x"}, {{VALUED, "x"}, {SUBCOMMAND_END, NULL}}, NULL},
    {{"--valued=x=y"}, {{VALUED, "x=y"}, {SUBCOMMAND_END, NULL}}, NULL},
    {{"--valued=-p"}, {{VALUED, "-p"}, {SUBCOMMAND_END, NULL}}, NULL},
    {{"--valued="}, {{VALUED, ""}, {SUBCOMMAND_END, NULL}}, NULL},
    {{"--valued", "-"}, {{VALUED, "-"}, {SUBCOMMAND_END, NULL}}, NULL},
    {{"-v", "x", "-"}, {{VALUED, "x"}, {SUBCOMMAND_END, NULL}}, "-"},
    {{"-vx"}, {{VALUED, "x"}, {SUBCOMMAND_END, NULL}}, NULL},
    {{"-v=x"}, {{VALUED, "x"}, {SUBCOMMAND_END, NULL}}, NULL},
    {{"-pv", "x"}, {{PLAIN, NULL}, {VALUED, "x"}, {SUBCOMMAND_END, NULL}}, NULL},
    {{"-pvpv"}, {{PLAIN, NULL}, {VALUED, "pv"}, {SUBCOMMAND_END, NULL}}, NULL},
    {{"-m", "-p"}, {{MAYBE, NULL}, {PLAIN, NULL}, {SUBCOMMAND_END, NULL}}, NULL},
    {{"--maybe"}, {{MAYBE, NULL}, {SUBCOMMAND_END, NULL}}, NULL},
    {{"--maybe", "x"}, {{MAYBE, "x"}, {SUBCOMMAND_END, NULL}}, NULL},
    {{"--", "-p"}, {{SUBCOMMAND_END, NULL}}, "-p"},
    {{"-p", "--", "--"}, {{PLAIN, NULL}, {SUBCOMMAND_END, NULL}}, "--"},
    {{"a", "b"}, {{SUBCOMMAND_WRONG, NULL}}, "a"},
    {{"-x"}, {{SUBCOMMAND_WRONG, NULL}}, NULL},
    {{"-px"}, {{PLAIN, NULL}, {SUBCOMMAND_WRONG, NULL}}, NULL},
    {{"--plai"}, {{SUBCOMMAND_WRONG, NULL}}, NULL},
    {{"--plain=x"}, {{SUBCOMMAND_WRONG, NULL}}, NULL},
    {{"--l"}, {{SUBCOMMAND_WRONG, NULL}}, NULL},
    {{"-v"}, {{SUBCOMMAND_WRONG, NULL}}, NULL},
    {{"--valued", "--plain"}, {{SUBCOMMAND_WRONG, NULL}}, NULL},
    {{"--valued", "--"}, {{SUBCOMMAND_WRONG, NULL}}, NULL},
};

static void test_subcommand_lines_are_read_as_others_are(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *argv[WORDS_MAX + 1] = {strdup("sub")};
        struct subcommand_line line;
        int argc = 1;

        for (size_t k = 0; k < WORDS_MAX && rows[i].argv[k] != NULL; k++) {
            argv[argc++] = strdup(rows[i].argv[k]);
        }
        line = subcommand_begin("sub", options, COUNT(options), argc, argv);
        for (size_t k = 0;; k++) {
            const struct step *step = &rows[i].steps[k];
            const char *value;
            int option = subcommand_next(&line, &value);

            EXPECT(option == step->option);
            if (option < 0) break;
            EXPECT((value == NULL) == (step->value == NULL));
            if (value != NULL) EXPECT(strcmp(value, step->value) == 0);
        }
        EXPECT((line.file == NULL) == (rows[i].file == NULL));
        if (line.file != NULL) EXPECT(strcmp(line.file, rows[i].file) == 0);
        while (argc > 0) {
            free(argv[--argc]);
        }
    }
}

int main(void)
{
    TEST(test_subcommand_lines_are_read_as_others_are);
    return 0;
}
